// The tutorial's electronics: its code is taken from the page, loaded as a plugin, fed by its generator and by hand.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadPlugins } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { packageRoot } from '../../core/root.js'
import { Formation } from '../../plugins/service-event-formation/form/formation.js'
import { type FormedMessage } from '../../plugins/service-event-formation/form/message.js'
import { generatePackets } from '../../plugins/service-event-formation/generate/packets.js'
import { type ReadoutPart } from '../../plugins/service-event-formation/readout-kit.js'
import { readFormed } from './cases.js'

const config = { pixels: [1, 2, 3, 4, 0, 5] }

describe('electronics of the tutorial', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-own-'))
  let part: ReadoutPart
  after(() => rmSync(folder, { recursive: true, force: true }))

  before(async () => {
    const page = readFileSync(join(packageRoot, 'docs/how-to/event-formation.md'), 'utf8')
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? []
    assert.ok(code.split('\n').length <= 60, `${code.split('\n').length} lines`)
    const api = pathToFileURL(join(packageRoot, 'dist/plugins/api.js')).href
    const file = join(folder, 'readout-own.mjs')
    writeFileSync(file, code.replace("'nexstream/plugin'", JSON.stringify(api)))
    const { host } = await loadPlugins({ plugins: [{ use: file, options: {} }], builtin: [], baseFolder: folder })
    part = lookupOf(host).readout('own') as ReadoutPart
  })

  function formation(): { formation: Formation; messages: FormedMessage[] } {
    const messages: FormedMessage[] = []
    const options = { name: 'own', compatible: false, schema: 'ev44', rawEvery: 0, rawConsecutive: 0 } as const
    const made = new Formation(part, { config, calibration: undefined }, options, (one) => messages.push({ ...one, value: Buffer.from(one.value) })) // prettier-ignore
    return { formation: made, messages }
  }

  it('become events, of the pulse that the packet says', () => {
    const { formation: own, messages } = formation()
    const packet = (pulseNs: number, ...readouts: readonly (readonly [channel: number, ns: number])[]): Buffer => {
      const bytes = Buffer.alloc(16 + 8 * readouts.length)
      for (const [i, word] of [1_700_000_000, pulseNs, 1_700_000_000, 0].entries()) bytes.writeUInt32LE(word, 4 * i)
      for (const [i, [channel, ns]] of readouts.entries()) {
        bytes.writeUInt16LE(channel, 16 + 8 * i)
        bytes.writeUInt32LE(ns, 20 + 8 * i)
      }
      return bytes
    }
    own.packet(packet(7, [0, 1000], [5, 2000], [4, 3000], [6, 3000], [1, 200_000_000]))
    own.packet(packet(7, [2, 4000]).subarray(0, 23))
    own.packet(packet(71_000_000, [3, 5]))
    own.end()
    const [first, second, ...others] = messages.map(readFormed)
    assert.deepEqual(others, [])
    assert.deepEqual(first, { schema: 'ev44', source: 'own_detector', id: 1, times: ['1700000000000000007'], tof: [1000, 2000], pixel: [1, 5] }) // prettier-ignore
    assert.deepEqual(second, { schema: 'ev44', source: 'own_detector', id: 2, times: ['1700000000071000000'], tof: [5], pixel: [4] }) // prettier-ignore
    const counters = own.counters.values()
    assert.deepEqual(
      [counters['packets.bad_size'], counters['readouts.no_pixel'], counters['events.timestamp.tof.high']],
      [1, 2, 1]
    )
  })

  it('are generated, too', () => {
    const { formation: own, messages } = formation()
    if (part.generate === undefined) throw new Error('it generates nothing')
    const options = { seed: 1, pulses: 3, packets: 2, readouts: 500, loss: 0, startNs: 1_700_000_000_000_000_000n }
    for (const { bytes } of generatePackets(part, part.generate(config, undefined), options)) own.packet(bytes)
    own.end()
    const events = messages.reduce((sum, one) => sum + one.events, 0)
    assert.equal(events + own.counters.get('readouts.no_pixel').value, 3000)
  })
})
