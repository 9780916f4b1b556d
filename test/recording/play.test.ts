// `nexstream play` on a real Kafka: what was recorded comes back, message by message, at its pace, or the failure is told.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { RecordingWriter } from '../../plugins/tools-recording/mcap/writer.js'
import { readRecording, type RecordedMessage } from '../../plugins/tools-recording/recording-kit.js'
import { encodeMessage } from '../../schemas/index.js'
import { cleanEnv, jsonLines, nexstream, start } from '../cli/child.js'
import { kafka, testTopics } from '../support/kafka.js'
import { runPython } from '../support/python.js'

const t0 = Date.UTC(2026, 9, 1)
/** The times are old: Kafka would delete them by the usual retention. */
const kept = { config: { 'retention.ms': '-1' } }
const ns = (n: number): bigint => BigInt(t0 + n) * 1_000_000n
const log = (source: string, n: number): Buffer =>
  Buffer.from(logF144.encode({ source, timestampNs: ns(n), dtype: 'int32', value: n }))
const events = (n: number): Buffer =>
  encodeMessage('ev44', { source_name: 'det', message_id: String(n), reference_time: [String(ns(n))], reference_time_index: [0], time_of_flight: [1, 2], pixel_id: [3, 4] }) // prettier-ignore

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
const content = fc.record({
  topic: fc.constantFrom('a', 'b'),
  partition: fc.nat(1),
  afterMs: fc.nat(5),
  key: fc.option(bytes, { nil: null }),
  headers: fc.array(fc.tuple(fc.string(), fc.option(bytes, { nil: null })), { maxLength: 2 }),
  value: fc.option(
    fc.oneof(
      bytes,
      fc.nat(100).map((n) => log('pv', n)),
      fc.nat(100).map((n) => events(n)),
      fc.constant(Buffer.from('{"text": "x"}'))
    ),
    { nil: null }
  )
})

describe('nexstream play', function () {
  this.timeout(240_000)
  let folder: string
  let brokers: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-play-'))
    brokers = (await kafka()).brokers.join(',')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const write = async (name: string, messages: readonly Partial<RecordedMessage>[]): Promise<string> => {
    const file = join(folder, name)
    const writer = await RecordingWriter.create(file, 'lz4')
    const offsets = new Map<string, number>()
    for (const message of messages) {
      const full = { topic: 'a', partition: 0, timestampMs: t0, isAppendTime: false, key: null, headers: [], value: null, ...message } // prettier-ignore
      const place = `${full.topic} ${full.partition}`
      offsets.set(place, (offsets.get(place) ?? -1) + 1)
      writer.add({ offset: offsets.get(place)!, ...full })
    }
    await writer.close(new Map())
    return file
  }
  const read = async (file: string): Promise<RecordedMessage[]> => {
    const list: RecordedMessage[] = []
    for await (const message of readRecording(file, assert.fail)) list.push(message)
    return list
  }
  const json = (...args: string[]) => jsonLines([...args, '--json', '--timeout', '60s'], { env: { NEXSTREAM_BROKERS: brokers } }) // prettier-ignore
  const cli = (...args: string[]) => nexstream([...args, '--timeout', '60s'], { env: { NEXSTREAM_BROKERS: brokers } })
  const mapped = (topics: Readonly<Record<string, string>>): string =>
    Object.entries(topics).map(([from, to]) => `${from}=${to}`).join(',') // prettier-ignore

  it('gives back what was recorded, any number of times', () =>
    fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 60 }), async (contents) => {
        let nowMs = t0
        const messages = contents.map(({ afterMs, ...one }) => ({ ...one, timestampMs: (nowMs += afterMs) }))
        const first = await testTopics(['a', 'b'], { ...kept, partitions: 2 })
        const file = await write(`${first.a}.mcap`, messages)
        const [report] = await json('play', file, '--map', mapped(first), '--speed', 'max')
        assert.deepEqual([report?.['sent'], report?.['failed'], report?.['left']], [messages.length, 0, 0])
        const copy = join(folder, `${first.a}-copy.mcap`)
        const [recorded] = await json('record', first.a, first.b, '-o', copy, '--from', 'start', '--to', 'now')
        assert.equal(recorded?.['messages'], messages.length)
        const [before, after] = [await read(file), await read(copy)]
        for (const topic of ['a', 'b'] as const)
          for (const partition of [0, 1]) {
            const of = (all: RecordedMessage[], name: string): object[] =>
              all.filter((one) => one.topic === name && one.partition === partition).map((one) => ({ ...one, topic }))
            assert.deepEqual(of(after, first[topic]), of(before, topic))
          }
      }),
      { numRuns: 3 }
    ))

  it('keeps the distances of the times, shifts all by one constant, and never goes faster than it should', async () => {
    const topics = await testTopics(['a'], kept)
    const steps = [0, 40, 40, 300]
    const values = steps.map((n, i) => (i === 1 ? events(n) : log('pv', n)))
    const file = await write('paced.mcap', [...steps.map((n, i) => ({ timestampMs: t0 + n, value: values[i]! })), { timestampMs: t0 + 300, value: Buffer.from('{}') }]) // prettier-ignore
    const beganMs = Date.now()
    const [report] = await json('play', file, '--map', mapped(topics), '--shift', 'now')
    assert.ok(Date.now() - beganMs >= 300)
    assert.deepEqual([report?.['sent'], report?.['unshifted']], [5, 1])
    const copy = join(folder, 'paced-copy.mcap')
    await json('record', topics.a, '-o', copy, '--from', 'start', '--to', '+0s')
    const played = await read(copy)
    const shiftMs = played[0]!.timestampMs - t0
    assert.ok(shiftMs >= beganMs - t0)
    assert.deepEqual(played.map(({ timestampMs }) => timestampMs - shiftMs - t0), [...steps, 300]) // prettier-ignore
    // The reference package finds the times where they belong
    const lines = played.slice(0, 4).map(({ value }) => `${value!.toString('base64')}\n`)
    const answers = (await runPython('test/support/python/decode_messages.py', [], lines.join(''))).trim().split('\n')
    const times = answers.map((answer) => {
      const { id, content: read } = JSON.parse(answer) as { id: string; content: Record<string, unknown> }
      return id === 'ev44' ? (read['reference_time'] as unknown[])[0] : read['timestamp_unix_ns']
    })
    assert.deepEqual(times.map(String), steps.map((n) => `${ns(n) + BigInt(shiftMs) * 1_000_000n}n`)) // prettier-ignore
  })

  it('plays parts, of a topic as of a recording, and never a topic into itself', async () => {
    const { a, x } = await testTopics(['a', 'x'], kept)
    const file = await write('parts.mcap', Array.from({ length: 30 }, (_, n) => ({ topic: n % 2 === 0 ? 'a' : 'c', timestampMs: t0 + n, value: log(n % 3 === 0 ? 'P' : 'Q', n) }))) // prettier-ignore
    const args = ['--speed', 'max', '--from', new Date(t0 + 2).toISOString(), '--topic', 'a', '--source', 'P']
    const [part] = await json('play', file, '--map', `a=${a}`, ...args)
    assert.deepEqual([part?.['sent'], part?.['topics']], [4, { [a]: { sent: 4, failed: 0 } }])
    const self = await cli('play', a)
    assert.deepEqual([self.code, /^CLI_USAGE: .*into itself/.test(self.stderr)], [2, true])
    const [copied] = await json('play', a, '--map', `${a}=${x}`, '--speed', '10', '--source', 'P')
    assert.deepEqual([copied?.['sent'], copied?.['lost']], [4, false])
    const missing = await cli('play', file, '--to-prefix', 'no-such-')
    assert.match(missing.stderr, /^TOPIC_MISSING: there is no topic no-such-a to play into; make it with 1 partitions/)
    const narrow = await write('wide.mcap', [{ partition: 3, value: log('P', 1) }])
    assert.match((await cli('play', narrow, '--map', `a=${a}`)).stderr, /^TOPIC_MISSING: topic .* has 1 partitions and needs 4/) // prettier-ignore
    for (const wrong of [
      ['--speed', '0'],
      ['--speed', 'fast'],
      ['--shift', '1h'],
      ['--map', 'a'],
      ['--to', '+1h']
    ])
      assert.deepEqual([(await cli('play', file, ...wrong)).code, wrong.join(' ')], [2, wrong.join(' ')])
    const both = await cli('play', file, '--to-prefix', 'no-such-')
    assert.match(both.stderr, /no-such-a to play .*no-such-c to play/)
    // A slip in a name must not send anything to where it came from
    const slip = await cli('play', file, '--map', `a=${a},cc=${a}`)
    assert.deepEqual([slip.code, slip.stdout], [2, ''])
    assert.match(
      slip.stderr,
      /^CLI_USAGE: --map: there is no topic cc to play; .* has a, c, of which c would keep its name/
    )
    const quiet = await cli('play', file, '--map', `a=${a},cc=${a}`, '--topic', 'a', '--speed', 'max')
    assert.equal(quiet.code, 0)
    assert.match(quiet.stderr, /^--map: there is no topic cc to play/m)
    const nothing = await cli('play', file, '--topic', 'b', '--map', `a=${a}`)
    assert.match(nothing.stderr, /^nothing is played: .* has a, c/m)
    writeFileSync(join(folder, 'broken.mcap'), 'not at all')
    assert.match((await cli('play', join(folder, 'broken.mcap'))).stderr, /^FILE_READ: .*is no MCAP file/)
  })

  it('ends with what was not delivered, and says so', async () => {
    const topics = await testTopics(['a'], { config: { ...kept.config, 'max.message.bytes': '2000' } })
    const noise = randomBytes(5000) // Cannot be compressed
    const file = await write('large.mcap', [{ value: log('P', 1) }, { value: noise }, { timestampMs: t0 + 3_600_000, value: log('P', 2) }]) // prettier-ignore
    const { code, stdout, stderr } = await cli('play', file, '--map', mapped(topics), '--json')
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^KAFKA_LOST: 1 messages were not delivered \(1 into a-\w+\), 1 after them not sent: .*refused/m
    )
    assert.match(stderr, /its times are more than a week old/)
    const { sent, failed, left } = JSON.parse(stdout) as Record<string, number>
    assert.deepEqual([sent, failed, left], [1, 1, 1])
  })

  it('goes round until it is stopped', async () => {
    const topics = await testTopics(['a'], kept)
    const file = await write('loop.mcap', [0, 1, 2].map((n) => ({ timestampMs: t0 + n, value: log('P', n) }))) // prettier-ignore
    const player = start(['play', file, '--map', mapped(topics), '--loop', '--json'], { env: cleanEnv({ NEXSTREAM_BROKERS: brokers }) as Record<string, string> }) // prettier-ignore
    const counted = async (): Promise<number> => Number((await json('count', topics.a))[0]?.['messages'])
    while ((await counted()) < 7);
    player.kill('SIGINT')
    const { code, stdout } = await player.ended
    assert.equal(code, 0)
    const { sent, rounds } = JSON.parse(stdout) as Record<string, number>
    assert.ok(rounds! >= 3)
    assert.equal(sent, await counted())
  })
})
