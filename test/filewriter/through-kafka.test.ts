// A selection of the sample folders and the hostile messages of every schema, through a real Kafka and a daemon.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { loadPlugins, type Loaded } from '../../core/loader.js'
import { readMessages, type TopicMessage } from '../../plugins/service-filewriter/structure/messages.js'
import { lookupOf } from '../../core/lookup.js'
import { type WriterParts } from '../../plugins/service-filewriter/structure/structure.js'
import { encodeMessage, type ConverterPart } from '../../schemas/index.js'
import { cases, damaged, hostileContent, record, timesNs, sourceOf } from '../hostile/damage.js'
import { testTopics } from '../support/kafka.js'
import { examineNexus, readNexus } from '../support/nexus.js'
import { entry, Harness, type Json, reportOf } from './harness.js'
import { Sample } from './samples.js'

const selection = [
  'alarm-connection', 'array-da00', 'cache-ns10', 'compression-by-stream', 'events-ev44', 'frames-ad00', 'grammar-lenient',
  'grammar-links', 'grammar-several-modules', 'grammar-template', 'grammar-template-hdf5', 'histogram-hs00', 'isis', 'log-f142',
  'samples-se00', 'times-tdct', 'window-first-after', 'window-inclusive-events', 'window-last-before-modules', 'window-log'
] // prettier-ignore

/** Payload times of the samples are of 1970: Kafka must not think them old. */
const config = { 'retention.ms': '-1' }

describe('through a real Kafka', function () {
  this.timeout(180_000)
  let h: Harness
  let loaded: Loaded
  let parts: WriterParts
  let templates: string
  const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }

  before(async () => {
    loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    parts = lookupOf(loaded.host)
    templates = mkdtempSync(join(tmpdir(), 'nexstream-templates-'))
    h = await Harness.start({ max_jobs: 8, templates, late_data_ms: 0, compression: { filter: 'gzip', level: 12 } })
  })
  after(async () => {
    await h?.close()
    await loaded?.close()
    if (templates !== undefined) rmSync(templates, { recursive: true })
  })

  /** With the payload times of the messages as Kafka times, as producers of the field have it. */
  function produce(messages: readonly TopicMessage[], topics: Readonly<Record<string, string>>): void {
    let timestampMs = 1
    for (const { topic, value } of messages) {
      timestampMs = timeOf(value) ?? timestampMs
      h.producer.send({ topic: topics[topic] ?? '', value, timestampMs })
    }
  }

  function timeOf(value: Buffer): number | undefined {
    try {
      const id = value.toString('latin1', 4, 8)
      const part = loaded.host.part('converter', id) as ConverterPart | undefined
      const converter = part?.open({}, { jobId: '', signal: AbortSignal.abort(), log: () => undefined, count: () => undefined }) // prettier-ignore
      converter?.peek(value, peek)
      const ms = Number(peek.timestampNs / 1_000_000n)
      return ms > 0 && ms < 1e11 ? ms : undefined
    } catch {
      return undefined // A damaged one comes at the time of the one before
    }
  }

  const topicsIn = (node: unknown): string[] => {
    if (Array.isArray(node)) return node.flatMap(topicsIn)
    if (typeof node !== 'object' || node === null) return []
    const { topic } = node as { topic?: unknown }
    return [...(typeof topic === 'string' ? [topic] : []), ...Object.values(node).flatMap(topicsIn)]
  }
  /** The JSON text of a structure with the real names of its topics. */
  const renamed = (text: string, topics: Readonly<Record<string, string>>): string =>
    text.replaceAll(/("topic":\s*)"([^"]*)"/g, (all, key: string, name: string) =>
      topics[name] === undefined ? all : `${key}${JSON.stringify(topics[name])}`
    )

  /** Starts and waits for the end. */
  async function run(id: string, command: Json): Promise<Json> {
    const reply = await h.start({ job_id: id, file_name: `${id}.nxs`, ...command })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    return h.done(id)
  }

  /** Sends the messages of a sample and starts its job. */
  async function begin(sample: Sample, topics: Readonly<Record<string, string>>): Promise<void> {
    const { start, stop, lenient, template } = sample.expected
    const { name } = sample
    produce(sample.messages(parts), topics)
    await h.producer.flush()
    await sample.prepare(parts, h.folder)
    if (template !== undefined) {
      mkdirSync(join(templates, name))
      const file = await sample.template(parts, templates)
      copyFileSync(file, join(templates, name, `${name}${extname(file)}`))
    }
    const reply = await h.start({
      job_id: name,
      file_name: `${name}.nxs`,
      start_time: (start ?? 0.001) * 1000,
      stop_time: (stop ?? 1e8) * 1000,
      nexus_structure: renamed(sample.text('structure.json'), topics),
      run_name: 'run 7',
      periods: 2,
      instrument_name: template === undefined ? 'AMOR' : name,
      ...(lenient === true && { lenient })
    })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
  }

  it('writes the same files as without', async () => {
    const samples = Sample.all(selection)
    const wanted = samples.map((sample) => {
      const named = [...topicsIn(JSON.parse(sample.text('structure.json'))), ...sample.messages(parts).map(({ topic }) => topic)] // prettier-ignore
      return [...new Set(named)].map((topic) => [topic, `${sample.name}.${topic}`] as const)
    })
    const made: Readonly<Record<string, string>> = await testTopics(
      wanted.flatMap((list) => list.map(([, name]) => name)),
      { config }
    )
    const queue = samples.map((sample, i) => {
      const topics = (wanted[i] ?? []).map(([topic, name]) => [topic, made[name] ?? ''])
      return async () => check(sample, Object.fromEntries(topics) as Record<string, string>)
    })
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await next()
    }
    await Promise.all([work(), work(), work(), work()])
  })

  async function check(sample: Sample, topics: Readonly<Record<string, string>>): Promise<void> {
    const { name, expected } = sample
    await begin(sample, topics)
    const end = await h.done(name)
    const report = reportOf(end)
    assert.equal(end['error_encountered'], report.lost, JSON.stringify(end))
    const wanted = Object.entries(expected.content).filter(([path]) => !path.endsWith('@topic'))
    const content = await readNexus(join(h.folder, `${name}.nxs`), wanted.map(([path]) => path)) // prettier-ignore
    for (const [path, value] of wanted) assert.deepEqual(content[path], value, `${name}: ${path}`)
    // From Kafka only what may belong to the window is read
    sample.checkReport({ ...report, messages: (expected.report?.['messages'] as number | undefined) ?? 0 })
  }

  it('writes the good messages of every schema among damaged ones, and counts each by reason', async () => {
    const ids = Object.keys(cases)
    const topics = await testTopics(ids)
    const sent = new Map<string, number>()
    const groups: object[] = []
    const startMs = Number(timesNs[0]! / 1_000_000n)
    for (const [id, example] of Object.entries(cases)) {
      const lines = timesNs.map((time) => record(id, example, time)).join('\n')
      const [first, last] = readMessages(lines, '.', parts).map(({ value }) => value) as [Buffer, Buffer]
      const all = [first, ...damaged(first).filter((_, i) => i % 5 === 0), last]
      for (const value of all) h.producer.send({ topic: topics[id]!, value, timestampMs: startMs })
      sent.set(topics[id]!, all.length)
      const source = sourceOf(id)
      const bare = /^(f144|se00|senv|tdct)$/.test(id) ? { enable_alarm_info: false, enable_epics_con_info: false } : {}
      groups.push({ type: 'group', name: id, children: [{ module: id, config: { topic: topics[id], source, ...bare, ...example.config } }] }) // prettier-ignore
    }
    await h.producer.flush()
    const id = `damaged-${randomUUID()}`
    const window = { start_time: startMs, stop_time: startMs + 3_600_000 }
    const end = await run(id, { ...window, nexus_structure: entry(...groups) })
    const report = reportOf(end)
    assert.equal(end['error_encountered'], true)
    assert.deepEqual(report.problems, [])
    for (const { topic, messages, bad, other_schema: schema, other_source: source } of report.topics) {
      assert.equal(messages, sent.get(topic), topic)
      const stream = report.streams.find((one) => one.topic === topic)
      assert.ok(stream !== undefined, topic)
      const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)
      assert.equal(stream.received + sum(bad) + schema + source, messages, topic)
      assert.ok(sum(bad) + sum(stream.bad) > 30 && (bad['too_small'] ?? 0) > 0, JSON.stringify(bad))
      assert.equal(stream.bad['writer_failed'], undefined)
    }
    assert.equal(report.topics.length, ids.length)
    const pathOf = (id: string): string => `entry/${id}/${cases[id]!.rows}`
    const content = await readNexus(join(h.folder, `${id}.nxs`), ids.map(pathOf)) // prettier-ignore
    for (const [id, { seconds = false }] of Object.entries(cases))
      for (const time of timesNs) {
        // Some count seconds from the begin of the run
        const wanted = seconds ? Number(time - timesNs[0]!) / 1e9 : time
        const path = pathOf(id)
        assert.ok(
          (content[path] as unknown[]).map(String).includes(String(wanted)),
          `${path}: ${wanted} is missing of ${String(content[path])}`
        )
      }
  })

  it('counts impossible times, sizes and numbers in sound messages, and writes what is good', async () => {
    const names = hostileContent.map(([module]) => module)
    const topics = await testTopics(names)
    const groups = hostileContent.map(([module, config, messages]) => {
      for (const [id, fields] of messages) h.producer.send({ topic: topics[module]!, value: encodeMessage(id, fields), timestampMs: 1_700_000_000_000 }) // prettier-ignore
      return { type: 'group', name: module, children: [{ module, config: { topic: topics[module], source: 'src', ...config } }] } // prettier-ignore
    })
    await h.producer.flush()
    const id = `hostile-${randomUUID()}`
    const reply = await h.start({
      job_id: id,
      file_name: `${id}.nxs`,
      start_time: 1,
      nexus_structure: entry(...groups)
    })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    const total = hostileContent.reduce((sum, [, , messages]) => sum + messages.length, 0)
    await h.heard(id, total)
    assert.equal((await h.control.send({ cmd: 'stop', service: 'filewriter', job_id: id }))['response'], 'ACK')
    const report = reportOf(await h.done(id))
    assert.deepEqual([report.lost, report.problems], [true, []])
    for (const [module, , , bad] of hostileContent) {
      const reasons: Record<string, number> = {}
      for (const counts of [
        report.topics.find(({ topic }) => topic === topics[module])?.bad,
        report.streams.find((stream) => stream.module === module)?.bad
      ])
        for (const [reason, n] of Object.entries(counts ?? {})) reasons[reason] = (reasons[reason] ?? 0) + n
      assert.deepEqual(reasons, bad, module)
    }
    const wanted = Object.fromEntries(
      hostileContent.flatMap(([module, , , , content]) =>
        Object.entries(content).map(([name, value]) => [`entry/${module}/${name}`, value as unknown])
      )
    )
    const { content } = await examineNexus(join(h.folder, `${id}.nxs`), Object.keys(wanted))
    assert.deepEqual(content, wanted)
  })
})
