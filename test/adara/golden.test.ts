// Our packets against a stream that Python packed, byte for byte, and that the parser of SNS has read to the last byte.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { PacketCutter, type AdaraPacket, NoPacket } from '../../plugins/service-adara/wire/cut.js'
import {
  annotationPacket,
  annotations,
  bankedEventsPacket,
  beamlinePacket,
  devicePacket,
  emptyPacket,
  formats,
  monitorEventsPacket,
  runStatus,
  runStatusPacket,
  textPacket,
  valuePacket
} from '../../plugins/service-adara/wire/packets.js'
import { python } from '../support/python.js'

/** Of the stream that their parser has read. */
const READ = 'a2071f6b3fe70e87fa94209f6b67293e0d1b76c3fd53030a4b6f3ba38e63b822'

const START = 1_767_225_600_000_000_000n
const LATER = START + 1_000_000_000n

describe('ADARA packets', () => {
  let golden: Buffer
  before(async () => {
    golden = execFileSync(await python(), [join(packageRoot, 'test/support/python/adara.py')])
  })

  it('are those of a stream that the parser of SNS has read', () => {
    assert.equal(createHash('sha256').update(golden).digest('hex'), READ)
    const text = golden.toString('latin1')
    const idf = text.slice(text.indexOf('<?xml version="1.0" encoding'), text.indexOf('</instrument>') + 13)
    const run = { run: 42, startNs: START, file: 1 }
    const pulses = [0, 1, 2].flatMap((cycle) => {
      const timeNs = START + BigInt(cycle) * 71_428_571n
      const pulse = { timeNs, chargePc: 15_000, energyEv: 800_000_000, cycle, vetoes: 0 }
      const events = Uint32Array.of(12345, 1, 60000, 2).subarray(0, 2 * cycle)
      return [
        bankedEventsPacket(pulse, [{ source: 7, pulseLengthNs: 71_428_571, banks: [{ bank: 1, events }] }]),
        monitorEventsPacket(pulse, [{ monitor: 1, source: 9, times: Uint32Array.of(50_000) }])
      ]
    })
    const value = { device: 8192, variable: 1, value: 281.5, status: 0, severity: 0 }
    const ours = Buffer.concat([
      beamlinePacket(START, { station: 1, id: '01', short: 'NXS', long: 'NXS' }),
      textPacket(formats.geometry, START, idf),
      runStatusPacket(START, { status: runStatus.begin, ...run }),
      textPacket(formats.runInfo, START, '<runinfo><run_number>42</run_number><run_title>test</run_title></runinfo>'),
      devicePacket(START, 8192, 'sample_env', [{ id: 1, name: 'temperature', type: 'double', units: 'K' }]),
      valuePacket(START + 5n, 'double', value),
      ...pulses,
      annotationPacket(START + 300_000_000n, annotations.pause, 'pause'),
      emptyPacket(formats.heartbeat, LATER),
      runStatusPacket(LATER, { status: runStatus.end, ...run })
    ])
    assert.equal(ours.toString('hex'), golden.toString('hex'))
  })

  it('are cut from a stream however its bytes come; a length that none has is told', () => {
    for (const step of [1, 7, 16, 100, golden.length]) {
      const cutter = new PacketCutter(1 << 20)
      const seen: { format: number; timeNs: bigint; bytes: number }[] = []
      const take = ({ format, timeNs, payload }: AdaraPacket): void => void seen.push({ format, timeNs, bytes: payload.length }) // prettier-ignore
      for (let at = 0; at < golden.length; at += step) cutter.push(golden.subarray(at, at + step), take)
      assert.equal(seen.length, 15)
      assert.equal(seen.reduce((sum, { bytes }) => sum + 16 + bytes, 0), golden.length) // prettier-ignore
      assert.deepEqual(seen[5], { format: formats.double, timeNs: START + 5n, bytes: 20 })
    }
    for (const length of [3, 1 << 21])
      assert.throws(() => new PacketCutter(1 << 20).push(Buffer.from(Uint32Array.of(length, 0, 0, 0).buffer), () => undefined), NoPacket) // prettier-ignore
  })

  it('hold texts and whole numbers, too', () => {
    const at = { device: 8193, variable: 1, status: 3, severity: 2 }
    assert.equal(valuePacket(START, 'string', { ...at, value: 'wärm' }).subarray(16).toString('hex'), Buffer.concat([Buffer.from(Uint32Array.of(8193, 1, 0x30002, 5).buffer), Buffer.from('wärm'), Buffer.alloc(3)]).toString('hex')) // prettier-ignore
    assert.deepEqual([...new Uint32Array(Uint8Array.from(valuePacket(START, 'unsigned', { ...at, value: 7 }).subarray(16)).buffer)], [8193, 1, 0x30002, 7]) // prettier-ignore
    assert.match(devicePacket(START, 1, '<&>', []).toString(), /<device_name>&lt;&amp;&gt;</)
  })
})
