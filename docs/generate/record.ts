// Asks a real daemon on a real Kafka the first example of every command, and keeps what it said.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCommands } from '../../core/commands.js'
import { loadPlugins } from '../../core/loader.js'
import { type Daemon, loadConfig, startDaemon } from '../../core/main.js'
import { type Command, type KnownCommand } from '../../core/api/plugin.js'
import { decodeJson } from '../../schemas/index.js'
import { Control } from '../../test/support/control.js'
import { kafka, stopSharedKafka, testTopics } from '../../test/support/kafka.js'
import { createTopic, deleteTopic } from '../../test/support/topics.js'
import { type Recorded } from './recorded.js'

type Json = Readonly<Record<string, unknown>>

/** Commands that need others before them, in the order that makes their answers worth reading. */
const order = [
  'help', 'status', 'start simulator', 'status simulator', 'stop simulator', 'start forwarder', 'config forwarder',
  'status forwarder', 'stop forwarder', 'start filewriter', 'status filewriter', 'jobs', 'config filewriter',
  'stop filewriter', 'start histogram', 'status histogram', 'reset histogram', 'stop histogram', 'config histogram',
  'start event_formation', 'config event_formation', 'status event_formation', 'stop event_formation',
  'start adara', 'annotate adara', 'status adara', 'stop adara', 'exit'
] // prettier-ignore
const nameOf = ({ cmd, service }: KnownCommand): string => (service === undefined ? cmd : `${cmd} ${service}`)
const serviceId = 'nexstream:host:4711'
/** In the example of `config filewriter`. */
const exampleTime = '2026-11-21T13:00:00.000Z'

/** Real topics, folders and times for those that the examples name, and back. */
class Words {
  readonly #pairs: (readonly [example: string, real: string])[]

  constructor(pairs: Readonly<Record<string, string>>) {
    this.#pairs = Object.entries(pairs)
  }

  real<T>(value: T): T {
    return this.#replace(value, (text, example, real) => text.replaceAll(`"${example}"`, `"${real}"`))
  }

  example<T>(value: T): T {
    return plain(this.#replace(value, (text, example, real) => text.replaceAll(real, example)))
  }

  #replace<T>(value: T, by: (text: string, example: string, real: string) => string): T {
    let text = JSON.stringify(value)
    for (const [example, real] of this.#pairs) text = by(text, example, real)
    return JSON.parse(text) as T
  }
}

/** An address of this machine that no other run has, so that ports of the examples are free. */
function loopback(): string {
  const part = (): number => 2 + Math.floor(Math.random() * 250)
  return `127.${part()}.${part()}.${part()}`
}

/** A time of the examples stands for one in an hour; answers say it in three ways. */
function laterTime(): Record<string, string> {
  const laterMs = Math.ceil(Date.now() / 1000) * 1000 + 3_600_000
  const iso = (ms: number): string => new Date(ms).toISOString()
  const exampleMs = Date.parse(exampleTime)
  return {
    [iso(exampleMs).replace('.000Z', 'Z')]: iso(laterMs).replace('.000Z', 'Z'),
    [iso(exampleMs)]: iso(laterMs),
    [exampleMs]: String(laterMs)
  }
}

/** What differs from run to run is made the same. */
function plain<T>(value: T): T {
  const stamp = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g
  const uuid = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g
  const text = JSON.stringify(value)
    .replace(stamp, (text) => (text === exampleTime ? text : '2026-11-21T12:00:00.000Z'))
    .replace(uuid, '5c1e8b5e-0b0f-4b39-9d4c-2f5b7a1c9e11')
  return JSON.parse(text, (key, item: unknown) => {
    if (key === 'host' || key === 'host_name') return 'host'
    if (key === 'pid' || key === 'process_id') return 4711
    return item
  }) as T
}

/** Lists of `help` are as long as the reference itself: their beginning will do. */
function shortened({ result, ...rest }: Json): Json {
  const cut = Object.entries(result as Record<string, unknown[]>).map(([key, list]) => [key, list.slice(0, 1)])
  return { ...rest, result: Object.fromEntries(cut) as Json }
}

/** Brings Kafka when none runs here yet (tests share theirs). */
export async function record(): Promise<Recorded> {
  try {
    return await recordOn((await kafka()).brokers)
  } finally {
    await stopSharedKafka()
  }
}

/** `look` may see the daemon after the last answer. */
export async function recordOn(
  brokers: readonly string[],
  look: (daemon: Daemon) => void = () => undefined
): Promise<Recorded> {
  const names = ['amor_events', 'amor_raw_events', 'amor_runs', 'amor_traces', 'amor_muons', 'amor_frames', 'amor_sample_env', 'amor_motion', 'amor_legacy', 'amor_monitors', 'amor_histograms', 'amor_commands', 'amor_status'] as const // prettier-ignore
  const topics = await testTopics(names)
  const wordsOfMantid = ['events', 'monitors', 'sampleEnv', 'runInfo'].map((name) => `${topics.amor_events}_${name}`)
  for (const topic of wordsOfMantid) await createTopic(topic)
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-record-'))
  const address = loopback()
  const words = new Words({ ...topics, '/data': folder, '127.0.0.1': address, ...laterTime() })
  writeFileSync(join(folder, 'idf.xml'), '<instrument/>')
  const control = await Control.open(brokers, topics.amor_commands, [topics.amor_status])
  // Before the daemon loads its own: a plugin closes what it opened when it was last loaded
  const definitions = await definitionsOfAll()
  let daemon: Daemon | undefined
  try {
    daemon = await startDaemon(configOf(brokers, topics, folder, address))
    const recorded = await new Session(control, words).run(definitions)
    look(daemon)
    return recorded
  } finally {
    await daemon?.stop('recorded')
    await control.close()
    for (const topic of wordsOfMantid) await deleteTopic(topic)
    rmSync(folder, { recursive: true, force: true })
  }
}

async function definitionsOfAll(): Promise<KnownCommand[]> {
  const loaded = await loadPlugins({ plugins: [], baseFolder: process.cwd() })
  try {
    return await loadCommands(loaded.host)
  } finally {
    await loaded.close()
  }
}

function configOf(brokers: readonly string[], topics: Readonly<Record<string, string>>, folder: string, host: string) {
  const epics = { addr_list: [], auto_addr_list: false }
  return loadConfig({
    flags: {
      'kafka.brokers': JSON.stringify(brokers),
      'commands.topic': topics['amor_commands'] ?? '',
      'status.topic': topics['amor_status'] ?? '',
      'daemon.service_id': serviceId,
      'log.level': 'error',
      services: JSON.stringify({
        forwarder: {},
        filewriter: { folder, late_data_ms: 200 },
        simulator: {},
        histogram: {},
        event_formation: {},
        adara: { instrument: 'AMOR', geometry: join(folder, 'idf.xml'), host },
        aggregator: { input_topic: topics['amor_raw_events'], output_topic: topics['amor_events'], isis_metrics: true },
        muon_events: { input_topic: topics['amor_traces'], output_topic: topics['amor_muons'], threshold: 100 },
        muon_frames: { input_topic: topics['amor_muons'], output_topic: topics['amor_frames'], digitisers: [0] },
        bridge_mantid: { instrument: 'AMOR', prefix: topics['amor_events'], runs: topics['amor_runs'] }
      }),
      plugins: JSON.stringify([{ use: 'source-epics', options: { ca: epics, pva: epics } }])
    }
  })
}

class Session {
  readonly #answers: { command: object; answer: object }[] = []
  #status: Json = {}
  #heartbeat: Json = {}
  #event: Json = {}

  constructor(
    readonly control: Control,
    readonly words: Words
  ) {}

  async run(definitions: readonly KnownCommand[]): Promise<Recorded> {
    const rank = (definition: KnownCommand): number => {
      const at = order.indexOf(nameOf(definition))
      return at < 0 ? order.indexOf('exit') - 0.5 : at
    }
    for (const definition of definitions.toSorted((a, b) => rank(a) - rank(b))) await this.#ask(definition)
    return { answers: this.#answers, status: this.#status, heartbeat: this.#heartbeat, event: this.#event }
  }

  async #ask(definition: KnownCommand): Promise<void> {
    const [command] = definition.examples
    if (command === undefined) throw new Error(`the command ${nameOf(definition)} has no example`)
    const answer = this.words.example(await this.control.send(this.words.real<Command>(command)))
    // The example has no msg_id unless it shows one
    const shown = command.msg_id === undefined ? { ...answer, msg_id: null } : answer
    this.#answers.push({ command, answer: definition.cmd === 'help' ? shortened(shown) : shown })
    if (nameOf(definition) === 'start filewriter') await this.#watch(String(command['job_id']))
    if (nameOf(definition) === 'stop filewriter')
      this.#event = this.words.example(
        await this.control.json((json) => json['event'] === 'writing_done', 'the end of the job')
      )
  }

  /** The status and the heartbeat that tell of the running job. */
  async #watch(jobId: string): Promise<void> {
    // The thread has reported once
    const runs = (json: Json): boolean =>
      (json['jobs'] as Json[] | undefined)?.some((job) => job['job_id'] === jobId && job['phase'] === 'writing') ===
      true
    this.#status = this.words.example(
      await this.control.json((json) => json['type'] === 'nexstream_status' && runs(json), 'the status of the job')
    )
    const beat = await this.control.wait(
      ({ id, value }) => id === 'x5f2' && value.includes(`"job_id":"${jobId}"`),
      'the heartbeat of the job'
    )
    this.#heartbeat = this.words.example(decodeJson(beat.value).message)
  }
}
