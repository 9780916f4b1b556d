// `nexstream record` on a real Kafka: what MCAP's own reader finds in the file.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKafka, type KafkaClient } from '../../core/kafka/client.js'
import { type ProducerMessage } from '../../core/api/kafka.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { type LaneReport } from '../../plugins/tools-recording/lane.js'
import { readRecording } from '../../plugins/tools-recording/recording-kit.js'
import { jsonLines, nexstream, start } from '../cli/child.js'
import { kafka, testTopics } from '../support/kafka.js'
import { mcapPython, runPython } from '../support/python.js'

interface Line {
  readonly schema: readonly [name: string, encoding: string, bytes: number] | null
  readonly topic: string
  readonly encoding: string
  readonly metadata: Readonly<Record<string, string>>
  readonly sequence: number
  readonly log_time: string
  readonly data: string
}
interface Summary {
  readonly library: string
  readonly messages: number
  readonly metadata: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly indexed: number
}

const t0 = Date.now() - 600_000
const value = (n: number): Buffer =>
  Buffer.from(logF144.encode({ source: 'pv', timestampNs: BigInt(t0 + n) * 1_000_000n, dtype: 'int32', value: n }))

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

describe('nexstream record', function () {
  this.timeout(180_000)
  let folder: string
  let brokers: string[]
  let client: KafkaClient
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-record-'))
    brokers = [...(await kafka()).brokers]
    client = connectKafka({ brokers })
  })
  after(async () => {
    await client.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const send = async (messages: readonly ProducerMessage[]): Promise<void> => {
    const producer = client.producer({ compression: 'lz4' })
    for (const message of messages) producer.send(message)
    await producer.flush()
    await producer.close()
  }
  const readBack = async (file: string): Promise<{ lines: Line[]; summary: Summary }> => {
    const text = await runPython('test/support/python/read_mcap.py', [file], undefined, mcapPython())
    const lines = text.trim().split('\n').map((line) => JSON.parse(line) as unknown) // prettier-ignore
    return { lines: lines.slice(0, -1) as Line[], summary: lines.at(-1) as Summary }
  }
  const brokerFlags = (): string[] => ['--brokers', brokers.join(',')]

  it('keeps a span of several topics whole, merged by time, in a form that MCAP reads', async () => {
    const { values, mixed } = await testTopics(['values', 'mixed'], { partitions: 3 })
    const series = Array.from({ length: 900 }, (_, n) => ({
      topic: values,
      partition: n % 3,
      key: `pv${n % 3}`,
      value: value(n),
      timestampMs: t0 + n
    }))
    const headers: [string, Buffer | null][] = [['traceparent', Buffer.from('00-ab')], ['none', null]] // prettier-ignore
    const odd = [
      { value: '{"text": true}', headers },
      { value: Buffer.from([1, 2, 3]), key: Buffer.from([0xff, 0xfe]) },
      { value: null, key: 'gone' }
    ].map((one, n) => ({ topic: mixed, partition: 0, timestampMs: t0 + 1000 + n, ...one }))
    // Backwards, so that it must be put in order
    for (const partition of [2, 0, 1]) await send(series.filter((one) => one.partition === partition))
    await send(odd)
    const file = join(folder, 'span.mcap')
    const span = ['--from', new Date(t0 + 100).toISOString(), '--to', 'now']
    const [report] = await jsonLines(['record', values, mixed, '-o', file, ...span, '--json', ...brokerFlags()])
    assert.deepEqual([report?.['messages'], report?.['lost'], report?.['bytes']], [803, false, statSync(file).size])
    const { lines, summary } = await readBack(file)
    assert.match(summary.library, /^nexstream \d/)
    assert.deepEqual([summary.messages, summary.indexed], [lines.length, lines.length])
    const partitions = JSON.parse(summary.metadata['nexstream.recording']?.['partitions'] ?? '') as LaneReport[]
    assert.deepEqual(partitions.map(({ messages }) => messages), [267, 267, 266, 3, 0, 0].map((n, i) => (i === 0 ? 266 : i === 1 ? 267 : i === 2 ? 267 : n))) // prettier-ignore
    const data = lines.filter(({ topic }) => topic === values)
    assert.deepEqual(data.map((line) => line.data), series.slice(100).map((one) => one.value.toString('base64'))) // prettier-ignore
    for (const [i, line] of data.entries()) {
      const n = i + 100
      assert.deepEqual(line.schema?.slice(0, 2), ['f144.f144_LogData', 'flatbuffer'])
      assert.equal(line.encoding, 'flatbuffer')
      assert.deepEqual([line.sequence, line.log_time], [Math.floor(n / 3), `${t0 + n}000000`])
      assert.deepEqual(line.metadata, { topic: values, partition: String(n % 3), timestamp_type: 'CreateTime', schema: 'f144' }) // prettier-ignore
    }
    const beside = lines.filter(({ topic }) => topic === `${mixed}/kafka`).map((line) => JSON.parse(Buffer.from(line.data, 'base64').toString()) as unknown) // prettier-ignore
    assert.deepEqual(beside, [
      { headers: [{ name: 'traceparent', value: '00-ab' }, { name: 'none' }] },
      { key_base64: '//4=' },
      { key: 'gone', tombstone: true }
    ])
    assert.deepEqual(lines.filter(({ topic }) => topic === mixed).map(({ encoding }) => encoding), ['json', '']) // prettier-ignore
    const read = await all(readRecording(file, assert.fail))
    assert.deepEqual(read.filter(({ topic }) => topic === mixed).map((one) => [one.offset, one.key?.toString('hex'), one.headers, one.value?.toString('hex')]), [
      [0, undefined, headers, Buffer.from('{"text": true}').toString('hex')],
      [1, 'fffe', [], '010203'],
      [2, Buffer.from('gone').toString('hex'), [], undefined]
    ]) // prettier-ignore
    const again = await nexstream(['record', values, '-o', file, ...brokerFlags()])
    assert.deepEqual([again.code, /^RECORDING_EXISTS: /.test(again.stderr)], [1, true])
  })

  it('puts more than a reader may hold in the order of time', async () => {
    const { large } = await testTopics(['large'], { partitions: 3 })
    const noise = randomBytes(100_000)
    const of = (partition: number) =>
      Array.from({ length: 300 }, (_, n) => ({ topic: large, partition, value: noise, timestampMs: t0 + 2 * n + partition })) // prettier-ignore
    await send(of(0))
    await send(of(1))
    const file = join(folder, 'large.mcap')
    const args = ['record', large, '-o', file, '--from', 'start', '--to', 'now', '--json', '--timeout', '60s']
    const [report] = await jsonLines([...args, ...brokerFlags()])
    assert.deepEqual([report?.['messages'], report?.['lost']], [600, false])
    const times = (await all(readRecording(file, assert.fail))).map(({ timestampMs }) => timestampMs - t0)
    assert.deepEqual(times, Array.from({ length: 600 }, (_, n) => n)) // prettier-ignore
  })

  it('goes on until it is stopped, and closes the file; a kill leaves what was written', async () => {
    const { live } = await testTopics(['live'], { config: { 'message.timestamp.type': 'LogAppendTime' } })
    const file = join(folder, 'live.mcap')
    await send([{ topic: live, value: value(0) }])
    const recorder = start(['record', `${brokers[0]}/${live}`, '-o', file, '--compression', 'lz4'])
    await recorder.says(/recording .*; Ctrl-C ends it/)
    await send(Array.from({ length: 50 }, (_, n) => ({ topic: live, value: value(n + 1) })))
    recorder.kill('SIGINT')
    const { code, stdout } = await recorder.ended
    assert.equal(code, 0)
    assert.match(stdout, /live\.mcap: 50 messages of 1 topics, \d/)
    const { lines } = await readBack(file)
    assert.deepEqual(lines.map(({ sequence }) => sequence), Array.from({ length: 50 }, (_, n) => n + 1)) // prettier-ignore
    assert.equal(lines[0]?.metadata['timestamp_type'], 'LogAppendTime')

    const killed = join(folder, 'killed.mcap')
    const victim = start(['record', live, '-o', killed, '--from', 'start', ...brokerFlags()])
    while (!existsSync(killed) || statSync(killed).size < 500) await new Promise((resolve) => setTimeout(resolve, 50))
    victim.kill('SIGKILL')
    await victim.ended
    const notes: string[] = []
    const read = await all(readRecording(killed, (note) => notes.push(note)))
    assert.deepEqual([read.length, notes.length], [51, 1])
  })

  it('says what is wrong before there is a file', async () => {
    const { short } = await testTopics(['short'])
    await send(Array.from({ length: 3 }, (_, n) => ({ topic: short, value: value(n) })))
    const file = join(folder, 'wrong.mcap')
    const wrong = async (args: readonly string[], words: RegExp, code: number): Promise<void> => {
      const ended = await nexstream(['record', ...args, '-o', file, '--timeout', '30s', ...brokerFlags()])
      assert.match(ended.stderr, words)
      assert.equal(ended.code, code)
      assert.ok(!existsSync(file))
    }
    await wrong([short, 'no-such-topic'], /^TOPIC_MISSING: there is no topic no-such-topic/, 1)
    await wrong([short, '--to', '-1h'], /^CLI_USAGE: --to -1h is in the past/, 2)
    await wrong([short, '--from', 'now', '--to', '-1h'], /^CLI_USAGE: --to -1h is before --from now/, 2)
    await wrong([short, '--compression', 'zip'], /^CLI_USAGE: 'zip' is no compression; write zstd, lz4, none/, 2)
    const unnamed = await nexstream(['record', short, '-o', join(folder, 'wrong.txt'), '--from', 'start', '--to', 'now', ...brokerFlags()]) // prettier-ignore
    assert.match(unnamed.stderr, /^CLI_USAGE: -o .*wrong.txt: the name of a recording ends in .mcap/)
    assert.deepEqual([unnamed.code, existsSync(join(folder, 'wrong.txt'))], [2, false])
    await wrong([short, 'other:9092/x'], /^CLI_USAGE: .*named once/, 2)
  })
})
