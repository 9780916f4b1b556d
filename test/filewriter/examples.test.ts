// The example structures: of each kind of instrument a file, with made-up messages of all its streams, that every reader takes.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Loaded, loadPlugins } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { packageRoot } from '../../core/root.js'
import { inspectFile } from '../../plugins/service-filewriter/readers/index.js'
import { makeFile } from '../../plugins/service-filewriter/structure/make-file.js'
import { readMessages } from '../../plugins/service-filewriter/structure/messages.js'
import { type PlanStream } from '../../plugins/service-filewriter/structure/plan.js'
import { checkStructure } from '../../plugins/service-filewriter/structure/structure.js'
import { readNexus } from '../support/nexus.js'
import { runPython } from '../support/python.js'

const folder = join(packageRoot, 'examples/structures')
const [START_S, COUNT] = [1_795_260_000, 5]

const vector = (dtype: string, values: readonly number[]): object => ({ dtype, values })

/** Of each module: the n-th message, and what is in the file of all of them. */
const made: Readonly<Record<string, { record: (n: number, pixels: readonly number[]) => object; rows: Readonly<Record<string, readonly number[]>> }>> = {
  f144: { record: (n) => ({ dtype: 'float64', value: n / 2 }), rows: { value: [COUNT], time: [COUNT] } },
  ev44: {
    record: (n, pixels) => ({ messageId: n, referenceTime: vector('int64', [(START_S + n) * 1e9]), referenceTimeIndex: vector('int32', [0]), timeOfFlight: vector('int32', pixels.map((_, i) => 1000 * i)), pixelId: vector('int32', pixels) }),
    rows: { event_time_zero: [COUNT], event_index: [COUNT] }
  },
  ad00: { record: (n) => ({ uniqueId: n, shape: [2, 3], data: vector('uint16', [n, 1, 2, 3, 4, 5]), isText: false, attributes: [] }), rows: { value: [COUNT, 2, 3], time: [COUNT] } },
  se00: { record: (n) => ({ timeDelta: 1000, channel: 0, messageCounter: n, values: vector('int32', [1, 2, 3, 4]), timestamps: null, timestampLocation: 0 }), rows: { value: [4 * COUNT], time: [4 * COUNT] } },
  da00: { record: (n) => ({ variables: [{ name: 'signal', unit: 'counts', label: null, source: null, axes: ['time_of_flight'], shape: [100], data: vector('int32', Array.from({ length: 100 }, (_, i) => n + i)), isText: false }] }), rows: { signal: [COUNT, 100], time_of_flight: [101] } },
  aev2: {
    record: (n) => ({ frame: { timestampNs: (START_S + n) * 1e9, period: 0, protonsPerPulse: 1, running: true, frameNumber: n, vetoes: 0 }, time: vector('uint32', [100, 200]), voltage: vector('uint16', [10, 11]), channel: vector('uint32', [1, 16]), digitisers: vector('uint8', [1]), complete: true }),
    rows: { event_id: [2 * COUNT], event_time_zero: [COUNT] }
  }
} // prettier-ignore

/** Numbers of the detector around a stream; without any, those of a monitor. */
function pixelsOf({ group }: PlanStream): readonly number[] {
  const numbers = group.parent?.datasets.get('detector_number')?.value
  return ArrayBuffer.isView(numbers) ? [...(numbers as Int32Array)] : [1, 1]
}

function linesOf(streams: readonly PlanStream[]): string {
  return streams
    .filter(({ topic, companion }) => topic !== '' && !companion)
    .flatMap((stream) => {
      const kind = made[stream.module]
      assert.ok(kind !== undefined, stream.module)
      const { topic, source, module } = stream
      return Array.from(
        { length: COUNT },
        (_, n) =>
        JSON.stringify({ topic, schema: module, record: { source, timestampNs: (START_S + n) * 1e9, ...kind.record(n, pixelsOf(stream)) } }) // prettier-ignore
      )
    })
    .join('\n')
}

describe('the example structures', function () {
  this.timeout(120_000)
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  let loaded: Loaded
  let into: string
  before(async () => {
    loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    into = mkdtempSync(join(tmpdir(), 'nexstream-examples-'))
  })
  after(async () => {
    rmSync(into, { recursive: true })
    await loaded.close()
  })

  it('are of five kinds of instrument, each named in their README', () => {
    assert.deepEqual(names.toSorted(), ['diffraction.json', 'imaging.json', 'muon.json', 'reflectometer.json', 'sans.json']) // prettier-ignore
    const readme = readFileSync(join(folder, 'README.md'), 'utf8')
    for (const name of names) assert.ok(readme.includes(`(${name})`), name)
  })

  for (const name of names)
    it(`${name} is good, takes all of its messages, and is read by h5py, scippnexus and nexusformat`, async () => {
      const parts = lookupOf(loaded.host)
      const structure = readFileSync(join(folder, name), 'utf8')
      const { plan, findings } = checkStructure(structure, parts)
      assert.deepEqual(findings, [])
      const file = join(into, `${name}.nxs`)
      const messages = readMessages(linesOf(plan.streams), folder, parts)
      const stopNs = BigInt(START_S + 60) * 1_000_000_000n
      const report = await makeFile({ structure, file, messages, parts, startNs: BigInt(START_S) * 1_000_000_000n, stopNs }) // prettier-ignore
      assert.deepEqual([report.verdict, report.written, report.without_data], ['complete', messages.length, []])
      const wanted = plan.streams.filter(({ companion }) => !companion).flatMap(({ module, group }) => Object.entries(made[module]?.rows ?? {}).map(([dataset, shape]) => [`${group.path}/${dataset}#shape`, shape] as const)) // prettier-ignore
      assert.deepEqual(await readNexus(file, wanted.map(([path]) => path)), Object.fromEntries(wanted)) // prettier-ignore
      for (const reader of ['scippnexus', 'nxvalidate'])
        assert.deepEqual((await inspectFile(file, { for: reader })).filter(({ met }) => met === false), [], reader) // prettier-ignore
      // Nothing of a detector is read as a mere bag of fields
      const detectors = await runPython(`
import sys, warnings
import scippnexus as snx
warnings.simplefilter("error")
with snx.File(sys.argv[1]) as file:
    for name, group in file["entry/instrument"][snx.NXdetector].items():
        print(name, group[()].sizes)
`, [file]) // prettier-ignore
      assert.notEqual(detectors, '')
    })
})
