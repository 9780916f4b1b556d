// The whole way: generator (raw readouts, by the command line) → UDP → event formation → Kafka → the field's own reader; exactly.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { nexstream } from '../../plugins/tools-dev/daemon-process.js'
import { readByReference } from '../support/reference.js'
import { recordedCase } from './cases.js'
import { LiveFormation } from './live.js'

const loki = recordedCase('caen-loki')
const cbm = recordedCase('cbm')

interface Sent {
  readonly packets: number
  readonly left_out: number
  readonly readouts: number
}
interface Report {
  readonly packets: number
  readonly events: number
  readonly delivered_events: number
  readonly losses: Readonly<Record<string, number>>
  readonly counters: Readonly<Record<string, number>>
}

describe('from readouts to events, the whole way', () => {
  it('loses nothing that is not counted, of two detectors at once', async () => {
    const live = await LiveFormation.open(
      ({ names, ports }) => `[services.event_formation.detectors.loki]
family = "loki"
topic = "${names.events}"
host = "127.0.0.1"
port = ${ports[0]}
config_file = "loki.json"
calibration_file = "loki-calibration.json"
[services.event_formation.detectors.monitors]
family = "cbm"
topic = "${names.events2}"
host = "127.0.0.1"
port = ${ports[1]}
config_file = "cbm.json"
`,
      { 'loki.json': loki.config, 'loki-calibration.json': loki.calibration, 'cbm.json': cbm.config }
    )
    try {
      await live.up()
      const { folder } = live.opened
      const noConfig = join(folder, 'none.toml')
      writeFileSync(noConfig, '')
      const generate = async (family: string, port: number, ...more: readonly string[]): Promise<Sent> => {
        const args = ['generate-readouts', family, `127.0.0.1:${port}`, '--json', '--config', noConfig, ...more]
        return JSON.parse(await nexstream(args, process.env)) as Sent
      }
      const file = (name: string): string => join(folder, name)
      const sizes = ['--pulses', '20', '--packets', '10', '--readouts', '50', '--rate', '100', '--loss', '0.1']
      const [sentLoki, sentCbm] = await Promise.all([
        generate('loki', live.ports[0]!, '--config-file', file('loki.json'), '--calibration-file', file('loki-calibration.json'), ...sizes), // prettier-ignore
        generate('cbm', live.ports[1]!, '--config-file', file('cbm.json'), ...sizes, '--seed', '7')
      ])
      assert.ok(sentLoki.left_out > 0 && sentCbm.left_out > 0)
      const { result } = await live.command('stop', { all: true })
      const { detectors } = result as { detectors: (Report & { job_id: string })[] }
      const report = (name: string): Report => detectors.find(({ job_id: id }) => id === name)!

      // Kernel drops are among what is missing; none of the sent packets is without an entry
      const ofLoki = report('loki')
      assert.equal(ofLoki.packets + ofLoki.losses['kernel']!, sentLoki.packets)
      const ofCbm = report('monitors')
      assert.equal(ofCbm.packets + ofCbm.losses['kernel']!, sentCbm.packets)
      const missing = (one: Report): number => one.losses['missing']! - one.losses['kernel']!
      // The first packets may be left out before there is a number to begin with
      assert.ok(missing(ofLoki) <= sentLoki.left_out && missing(ofLoki) > 0)

      // As the field's own package reads them: each readout that came is an event
      await live.control.wait(() => live.events(live.names.events) >= ofLoki.events, 'all events of LOKI')
      const read = await readByReference(live.values(live.names.events))
      const tofs = read.flatMap(({ content }) => content['time_of_flight'] as number[])
      const pixels = read.flatMap(({ content }) => content['pixel_id'] as number[])
      assert.equal(tofs.length, ofLoki.events)
      assert.equal(pixels.length, ofLoki.events)
      if (ofLoki.losses['kernel'] === 0) assert.equal(ofLoki.events, sentLoki.readouts)
      assert.ok(tofs.every((tof) => tof >= 0 && tof <= 70_000_100))
      assert.ok(pixels.every((pixel) => pixel >= 1 && pixel <= 512 * 168))
      assert.equal(ofLoki.delivered_events, ofLoki.events)

      const monitors = await readByReference(live.values(live.names.events2))
      const events = monitors.filter(({ id }) => id === 'ev44').flatMap(({ content }) => content['time_of_flight'] as number[]) // prettier-ignore
      const histograms = monitors.filter(({ id }) => id === 'da00').flatMap(({ content }) => content['data'] as { name: string; data: number[] }[]) // prettier-ignore
      const sums = histograms.filter(({ name }) => name === 'frame_total').flatMap(({ data }) => data)
      assert.equal(ofCbm.delivered_events, ofCbm.events)
      assert.equal(ofCbm.counters['events.event0d']! + ofCbm.counters['events.event2d']! + ofCbm.counters['events.ibm']!, ofCbm.counters['readouts.processed']) // prettier-ignore
      if (ofCbm.losses['kernel'] === 0) assert.equal(ofCbm.counters['readouts.processed'], sentCbm.readouts)
      assert.ok(events.length > 0 && sums.length > 0 && events.length < ofCbm.events)
    } finally {
      assert.equal(await live.close(), 0)
    }
  })
})
