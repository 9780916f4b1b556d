// The main job: EPICS values and events through the daemon and a real Kafka into a file, steered by JSON commands.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { DaemonProcess, nexstream } from '../../plugins/tools-dev/daemon-process.js'
import { Control } from '../support/control.js'
import { type Ioc, startIoc } from '../support/ioc.js'
import { kafka } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { runPython } from '../support/python.js'

const samples = join(packageRoot, 'test/samples/whole-chain')
const name = `WC${randomBytes(4).toString('hex')}`
const topic = (short: string): string => `${name}_${short}`
const UPDATES = 300
const pulses = { ev42: 40, ev44: 60 }

interface Stream {
  readonly topic: string
  readonly source: string
  readonly schema: string
  readonly path: string
}

const events: Stream[] = (['ev42', 'ev44'] as const).flatMap((schema) =>
  ['detector', 'monitor'].map((part) => ({
    topic: topic(`${part === 'detector' ? 'events' : 'monitor'}${schema.slice(2)}`),
    source: `amor_${part}`,
    schema,
    path: `entry/${part}_${schema}`
  }))
)
const logs: Stream[] = [
  { pv: 'TEMP', schema: 'f142' },
  { pv: 'TEMP', schema: 'f144' },
  { pv: 'STEPS', schema: 'f144' },
  { pv: 'FIELD', schema: 'f142' }
].map(({ pv, schema }) => ({ topic: topic('slow'), source: `${name}:${pv}`, schema, path: `entry/${pv}_${schema}` }))

const group = (path: string, nxClass: string, children: readonly unknown[]): unknown => ({
  type: 'group',
  name: path.split('/').at(-1),
  attributes: { NX_class: nxClass },
  children
})
const stream = ({ schema, topic, source }: Stream): unknown => ({ module: schema, config: { topic, source } })
const structure = {
  children: [
    group('entry', 'NXentry', [
      { module: 'dataset', config: { name: 'title', values: 'whole chain', dtype: 'string' } },
      ...events.map((entry) => group(entry.path, 'NXevent_data', [stream(entry)])),
      ...logs.map((entry) => group(entry.path, 'NXlog', [stream(entry)]))
    ])
  ]
}

interface SameEvents {
  readonly pulses: number
  readonly events: number
  readonly ids: boolean
  readonly offsets: boolean
  readonly zeros: boolean
  readonly index: boolean
}
interface SameLog {
  readonly messages: number
  readonly values: boolean
  readonly times: boolean
  readonly content: readonly number[]
  readonly severities?: readonly number[]
}
type Job = Readonly<Record<string, unknown>>

describe('the whole chain', function () {
  this.timeout(300_000)
  let brokers: string[]
  let folder: string
  let ioc: Ioc
  let daemon: DaemonProcess
  let control: Control

  before(async () => {
    brokers = (await kafka()).brokers
    folder = await mkdtemp(join(tmpdir(), 'nexstream-chain-'))
    ioc = await startIoc({ kind: 'ca', db: join(samples, 'ioc.db'), macros: { P: `${name}:` } })
    const env = { ...process.env, ...ioc.env, NEXSTREAM_BROKERS: brokers.join(',') }
    const config = join(samples, 'config.toml')
    const flags = [
      `commands.topic=${topic('commands')}`,
      `status.topic=${topic('status')}`,
      `services.filewriter.folder=${folder}`
    ]
    await nexstream(['provision', name, '--config', config], env)
    control = await Control.open(brokers, topic('commands'), [topic('status')])
    daemon = new DaemonProcess([config, ...flags.flatMap((flag) => ['--set', flag])], env, join(folder, 'daemon.log'))
    const up = control.json((json) => json['type'] === 'nexstream_status', 'the first status', 60_000)
    await Promise.race([up, daemon.crash()])
  })

  after(async () => {
    await daemon?.stop()
    await control?.close()
    await ioc?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const send = (command: Job): Promise<Job> => Promise.race([control.send(command), daemon.crash()])
  const ack = async (command: Job): Promise<void> => {
    const answer = await send(command)
    assert.equal(answer['response'], 'ACK', JSON.stringify(answer))
  }

  async function ended(id: string): Promise<Job> {
    await control.json(
      (json) =>
        (json['jobs'] as Job[] | undefined)?.some((job) => job['job_id'] === id && job['ended'] !== null) === true,
      `the end of ${id}`,
      120_000
    )
    const [job] = (await send({ cmd: 'jobs', job_id: id }))['result'] as Job[]
    assert.ok(job !== undefined && job['ended'] !== null, JSON.stringify(job))
    return job
  }

  it('has every update and every event in the file, once and in order; wrong commands change nothing', async () => {
    const forward = logs.map(({ source, schema, topic }) => ({
      channel: source,
      converter: schema,
      topic,
      lossless: true
    }))
    await ack({ cmd: 'start', service: 'forwarder', streams: forward })
    await ack({
      cmd: 'start',
      service: 'filewriter',
      job_id: 'file',
      file_name: 'chain.nxs',
      nexus_structure: structure
    })
    for (const [schema, count] of Object.entries(pulses))
      await ack({
        cmd: 'start',
        service: 'simulator',
        job_id: schema,
        schema,
        topic: topic(`events${schema.slice(2)}`),
        monitor_topic: topic(`monitor${schema.slice(2)}`),
        options: { seed: count, events_per_pulse: 500, pulses: count }
      })
    const ramp = ioc.ramp([...new Set(logs.map(({ source }) => source))], UPDATES, 150)
    const wrong: Job[] = [
      { cmd: 'stop', service: 'filewriter', job_id: 'fil' },
      { cmd: 'stop', service: 'forwarder', streams: 'all' },
      { cmd: 'start', service: 'filewriter', job_id: 'file', file_name: 'chain.nxs', nexus_structure: structure },
      { cmd: 'start', service: 'forwarder', streams: [{ channel: 'x', converter: 'f999', topic: topic('slow') }] }
    ]
    for (const command of wrong) assert.equal((await send(command))['response'], 'ERR', JSON.stringify(command))
    await control.sendRaw('{"cmd": "stop", "service": "filewriter", ')
    await control.sendRaw(randomBytes(200))

    await ramp
    const runs = { ev42: await ended('ev42'), ev44: await ended('ev44') }
    for (const { source } of logs) assert.equal(await ioc.count(`${source}:N`), UPDATES, 'counted by the IOC')
    await ack({ cmd: 'stop', service: 'filewriter', job_id: 'file' })
    const file = await ended('file')
    assert.equal(file['state'], 'done', JSON.stringify(file))

    const plan = join(folder, 'plan.json')
    await writeFile(plan, JSON.stringify({ events, logs }))
    const path = join(folder, 'chain.nxs')
    const text = await runPython(join(packageRoot, 'test/system/whole_chain.py'), [brokers.join(','), path, plan])
    const found = JSON.parse(text) as { events: Record<string, SameEvents>; logs: Record<string, SameLog> }
    for (const { path, source, schema } of events) {
      const run = runs[schema as keyof typeof runs]
      const sent = (run['channels'] as Record<string, { pulses: number; events: number }>)[source]
      assert.equal(sent?.pulses, pulses[schema as keyof typeof pulses])
      assert.deepEqual(
        found.events[path],
        { pulses: sent.pulses, events: sent.events, ids: true, offsets: true, zeros: true, index: true },
        path
      )
    }
    const values = Array.from({ length: UPDATES + 1 }, (_, i) => i)
    for (const { path, schema, source } of logs) {
      const { severities, ...log } = found.logs[path]!
      assert.deepEqual(log, { messages: UPDATES + 1, values: true, times: true, content: values }, path)
      if (schema === 'f142' && source.endsWith('TEMP'))
        assert.deepEqual(
          [...new Set(severities)].toSorted(),
          [0, 1, 2],
          'alarms: none, minor above 100, major above 200'
        )
    }
    await readNexus(path, [])
  })

  it('ends by SIGTERM with exit code 0', async () => {
    assert.equal(await daemon.stop(), 0, await readFile(join(folder, 'daemon.log'), 'utf8'))
  })
})
