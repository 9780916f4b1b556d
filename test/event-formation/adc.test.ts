// The ADC box of the fast sample environment: recorded packets as the field's program reads them, for four settings.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { decodeJson } from '../../schemas/index.js'
import { type FormedMessage } from '../../plugins/service-event-formation/form/message.js'
import { formationOf, generatedPackets, type RecordedCase } from './cases.js'

interface Run {
  readonly config: Readonly<Record<string, unknown>>
  /** Of each packet what it is, or what is wrong with it. */
  readonly kinds: readonly string[]
  readonly peaks: readonly (readonly [channel: number, amplitude: number, area: number, background: number, peakNs: string, thresholdNs: string])[] // prettier-ignore
  readonly values: readonly Readonly<Record<string, unknown>>[]
}
const { packets, runs } = JSON.parse(readFileSync(join(packageRoot, 'test/samples/event-formation/adc.json'), 'utf8')) as { packets: string[]; runs: Run[] } // prettier-ignore

const recorded = (config: Readonly<Record<string, unknown>>): RecordedCase => ({ family: 'adc', config, packets, messages: [], counters: {} }) // prettier-ignore

function readValues({ value, timestampMs }: FormedMessage): Readonly<Record<string, unknown>> {
  const { message } = decodeJson(value)
  const values = message['Values'] as { value: { value: number[] } }
  return {
    source: message['Name'],
    channel: message['Channel'],
    time: message['PacketTimestamp'],
    delta: message['TimeDelta'],
    location: (message['TimestampLocation'] as { value: number }).value,
    counter: Number(message['MessageCounter']),
    values: values.value.value,
    times: message['Timestamps'],
    ms: timestampMs
  }
}

/** Each as the recorded ones are. */
function readPeaks({ value }: FormedMessage): Run['peaks'][number][] {
  const { message } = decodeJson(value)
  const extra = (message['facility_specific_data'] as { value: Record<string, (number | string)[]> }).value
  return (message['detector_id'] as number[]).map((pixel, i) => [
    pixel - 512 * 512,
    Number(extra['amplitude']![i]),
    Number(extra['peak_area']![i]) | 0,
    Number(extra['background']![i]),
    String(extra['peak_time']![i]),
    String(extra['threshold_time']![i])
  ])
}

const idOf = ({ value }: FormedMessage): string => Buffer.from(value).toString('latin1', 4, 8)

describe('fast sample environment, recorded packets', () => {
  for (const run of runs)
    it(`${JSON.stringify(run.config)}: the same values, peaks and errors`, async () => {
      const { formation, messages } = await formationOf(recorded({ ...run.config, peak_detection: true }), true)
      const counts = (): Record<string, number> => formation.counters.values()
      const kinds = packets.map((packet) => {
        const before = counts()
        formation.packet(Buffer.from(packet, 'hex'))
        formation.flush()
        const rise = Object.entries(counts()).filter(([name, n]) => name.startsWith('parser.') && n !== (before[name] ?? 0)) // prettier-ignore
        const [kind = ''] = rise.map(([name]) => name).filter((name) => !/total$|^parser.errors$/.test(name))
        return kind.replace(/^parser\.(packets|errors)\./, '')
      })
      assert.deepEqual(kinds, run.kinds.map((kind) => kind.toLowerCase())) // prettier-ignore
      assert.deepEqual(messages.filter((one) => idOf(one) === 'senv').map(readValues), run.values)
      const peaks = messages.filter((one) => idOf(one) === 'ev42').flatMap(readPeaks)
      const order = (list: Run['peaks']): string[] => list.map((peak) => peak.join(' ')).toSorted()
      assert.deepEqual(order(peaks), order(run.peaks))
    })

  it('has the time of a peak right with oversampling, in exact mode', async () => {
    const { formation, messages } = await formationOf(
      recorded({ peak_detection: true, serialize_samples: false }),
      false
    )
    formation.packet(Buffer.from(packets[4]!, 'hex'))
    formation.end()
    // Sample 30 of those that are four cycles of 44.02625 MHz apart
    const [[channel, , , , peakNs]] = readPeaks(messages[0]!) as [Run['peaks'][number]]
    assert.deepEqual(
      [channel, BigInt(peakNs) - 1_700_000_000_999_999_773n],
      [2, BigInt(Math.round((30 * 4e9) / 44_026_250))]
    )
  })

  it('makes a value of each generated sample, and an event of each peak', async () => {
    const wanted = recorded({ peak_detection: true })
    const { formation, messages } = await formationOf(wanted, false)
    const all = await generatedPackets(wanted, { seed: 3, pulses: 2, packets: 3, readouts: 90, loss: 0, startNs: 1_700_000_000_000_000_000n }) // prettier-ignore
    for (const { bytes } of all) formation.packet(bytes)
    formation.end()
    const sum = (id: string): number => messages.filter((one) => idOf(one) === id).reduce((n, { events }) => n + events, 0) // prettier-ignore
    assert.equal(formation.counters.get('parser.packets.data').value, 6)
    assert.deepEqual([sum('senv'), sum('ev42')], [6 * 90 * 32, 6 * 90])
  })
})
