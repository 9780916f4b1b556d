// A virtual muon instrument through real daemons: traces to events of digitisers to frames to a file, also over a restart.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DaemonProcess } from '../../plugins/tools-dev/daemon-process.js'
import { decodeJson } from '../../schemas/index.js'
import { Control, type Said } from '../support/control.js'
import { readNexus } from '../support/nexus.js'
import { kafka as startKafka, testTopics } from '../support/kafka.js'

type Message = Readonly<Record<string, unknown>>

describe('muons', function () {
  this.timeout(200_000)
  let topics: Record<'commands' | 'status' | 'counts' | 'traces' | 'events' | 'frames', string>
  let control: Control
  let daemon: DaemonProcess | undefined
  let folder: string
  let config: string

  const PULSES = 40
  const stateOf = (json: Message, service: string): Message | undefined => (json['services'] as Record<string, Message> | undefined)?.[service] // prettier-ignore
  const jobOf = (json: Message, id: string): Message | undefined => (json['jobs'] as Message[] | undefined)?.find((job) => job['job_id'] === id) // prettier-ignore
  const framesOut = (): Said[] => control.said.filter(({ topic }) => topic === topics.frames)

  async function run(): Promise<void> {
    const before = control.said.length
    daemon = new DaemonProcess([config], process.env, join(folder, 'log'))
    const up = control.wait((said) => control.said.indexOf(said) >= before && said.json !== null && ['muon_events', 'muon_frames'].every((name) => stateOf(said.json!, name)?.['state'] === 'running' && stateOf(said.json!, name)?.['not_ready'] === undefined), 'a status') // prettier-ignore
    await Promise.race([up, daemon.crash()])
  }
  async function ask(command: Message): Promise<void> {
    const answer = await control.send(command)
    assert.equal(answer['response'], 'ACK', String(answer['message']))
  }
  const simulate = (job: string): Promise<void> =>
    ask({ cmd: 'start', service: 'simulator', job_id: job, instrument: 'muons', topic: topics.traces, options: { seed: 5, pulses: PULSES, pulse_rate: 50, samples: 2000, muons_per_channel: 1, veto_every: 4, pulses_per_period: 10, periods: 2 } }) // prettier-ignore

  before(async () => {
    const { brokers } = await startKafka()
    topics = { ...(await testTopics(['commands', 'status', 'counts', 'frames'])), ...(await testTopics(['traces', 'events'], { partitions: 2 })) } // prettier-ignore
    folder = mkdtempSync(join(tmpdir(), 'nexstream-muons-'))
    mkdirSync(join(folder, 'files'))
    config = join(folder, 'nexstream.toml')
    writeFileSync(
      config,
      `[daemon]
builtin_plugins = ["service-muons", "service-simulator", "source-instrument", "service-filewriter", "service-histogram", "converter-muons", "converter-events", "converter-histograms", "writer-muons", "reporter-json"]
[kafka]
brokers = ${JSON.stringify(brokers)}
[commands]
topic = "${topics.commands}"
[status]
topic = "${topics.status}"
interval = "300ms"
[services.simulator]
[services.histogram]
[services.filewriter]
folder = "${folder}/files"
[services.muon_events]
input_topic = "${topics.traces}"
output_topic = "${topics.events}"
method = "constant_fraction"
baseline = 1000
threshold = 200
fraction = 0.3
[services.muon_frames]
input_topic = "${topics.events}"
output_topic = "${topics.frames}"
digitisers = [0, 1, 2, 3]
wait_ms = 5000
`
    )
    control = await Control.open(brokers, topics.commands, [topics.status, topics.frames])
  })
  after(async () => {
    await daemon?.stop()
    await control?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('of a virtual instrument become whole frames, and a file', async () => {
    await run()
    const structure = { children: [{ type: 'group', name: 'raw_data_1', attributes: { NX_class: 'NXentry' }, children: [{ type: 'group', name: 'detector_1', children: [{ module: 'aev2', config: { topic: topics.frames, source: 'aev2' } }] }] }] } // prettier-ignore
    await ask({ cmd: 'start', service: 'filewriter', job_id: 'muons', file_name: 'muons.nxs', nexus_structure: structure }) // prettier-ignore
    await ask({ cmd: 'start', service: 'histogram', job_id: 'decay', histograms: [{ id: 'decay', kind: 'tof', data_topic: topics.frames, topic: topics.counts, source: 'aev2', tof_range: [0, 4000], num_bins: 10 }] }) // prettier-ignore
    await simulate('first')
    await control.wait(() => framesOut().length >= PULSES, 'all frames')
    const frames = framesOut().map(({ value }) => decodeJson(value).message as Message) // prettier-ignore
    const metadata = frames.map((one) => one['metadata'] as Message)
    assert.deepEqual(metadata.map((one) => one['frame_number']), Array.from({ length: PULSES }, (_, n) => n)) // prettier-ignore
    assert.deepEqual(metadata.filter((one) => one['veto_flags'] === 1).length, PULSES / 4)
    assert.deepEqual(new Set(metadata.map((one) => one['period_number'])), new Set(['0', '1']))
    assert.ok(frames.every((one) => one['complete'] === true && String(one['digitizers_present']) === '0,1,2,3'))
    const count = frames.reduce((sum, one) => sum + (one['time'] as unknown[]).length, 0)
    // Of 32 in each frame hardly one is so late that the trace has ended
    assert.ok(count > 30 * PULSES && count <= 32 * PULSES, String(count))
    const state = await control.json(
      (json) => ['muon_frames', 'muon_events'].every((name) => stateOf(json, name)?.['events'] === count),
      'the counts'
    )
    assert.deepEqual(stateOf(state, 'muon_frames')?.['losses'], {})
    // Counted live, and written
    await control.json((json) => jobOf(json, 'decay')?.['events'] === count, 'the histogram')
    await ask({ cmd: 'stop', service: 'filewriter', job_id: 'muons' })
    await control.json((json) => json['event'] === 'writing_done', 'the file')
    const path = (name: string): string => `raw_data_1/detector_1/${name}`
    const content = await readNexus(join(folder, 'files', 'muons.nxs'), ['total_counts', 'frame_complete', 'veto_flags', 'event_time_offset'].map(path)) // prettier-ignore
    assert.equal(Number(content[path('total_counts')]), count)
    assert.deepEqual(content[path('frame_complete')], Array.from({ length: PULSES }, () => 1)) // prettier-ignore
    assert.deepEqual(content[path('veto_flags')], metadata.map((one) => one['veto_flags'])) // prettier-ignore
    assert.deepEqual(content[path('event_time_offset')], frames.flatMap((one) => one['time'])) // prettier-ignore
  })

  it('over a restart nothing comes twice', async () => {
    await daemon?.stop()
    const before = framesOut().length
    await run()
    await simulate('second')
    await control.wait(() => framesOut().length >= before + PULSES, 'the new frames')
    const times = framesOut().map(({ value }) => JSON.stringify((decodeJson(value).message['metadata'] as Message)['timestamp'])) // prettier-ignore
    assert.equal(new Set(times).size, times.length)
  })
})
