// `nexstream gaps`: what came too late for a file is found in Kafka, what Kafka has deleted is told apart, a file that is whole is said to be.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeEvents } from '../../plugins/converter-muons/codec.js'
import { encodeMessage } from '../../schemas/index.js'
import { jsonLines, nexstream } from '../cli/child.js'
import { withAdmin } from '../support/topics.js'
import { kafka, testTopics } from '../support/kafka.js'
import { runPython } from '../support/python.js'
import { entry, group, Harness } from './harness.js'

describe('nexstream gaps', function () {
  this.timeout(180_000)
  let harness: Harness
  let file: string
  let brokers: string
  let topics: Readonly<Record<'logs' | 'events', string>>
  let command: Record<string, unknown>
  const startMs = Date.now() - 120_000
  const at = (ms: number): string => new Date(startMs + ms).toISOString().replace('Z', '000000Z')
  const gaps = (...args: string[]) => nexstream(['gaps', ...args, '-b', brokers])

  before(async () => {
    harness = await Harness.start()
    brokers = (await kafka()).brokers.join(',')
    topics = await testTopics(['logs', 'events'])
    for (let i = 0; i < 50; i++) {
      harness.log(topics.logs, 'pv', startMs + 100 * i, i)
      harness.events(topics.events, 'det', startMs + 100 * i, [1, 2, 3])
    }
    await harness.producer.flush()
    command = {
      job_id: 'gaps', file_name: 'gaps.nxs', start_time: startMs, stop_time: startMs + 10_000,
      nexus_structure: entry(group('log', 'f144', topics.logs, 'pv'), group('events', 'ev44', topics.events, 'det'))
    } // prettier-ignore
    const answer = await harness.start(command)
    assert.equal(answer['response'], 'ACK', JSON.stringify(answer))
    await harness.done('gaps')
    file = join(harness.folder, 'gaps.nxs')
  })
  after(() => harness.close())

  it('says of a whole file that it is whole', async () => {
    const { code, stdout, stderr } = await gaps(file)
    assert.equal(code, 0, stderr)
    assert.match(
      stdout,
      /^group +in file +in Kafka +missing *\n\/entry\/log +50 +50 +0 *\n\/entry\/events +50 +50 +0 *\n$/
    )
    assert.match(stderr, /has all that Kafka holds of it, /)
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
  })

  it('finds what came too late, by its time, and what others may have put into the file alone', async () => {
    for (const ms of [50, 250, 350, 4950, 5050, 9000]) harness.log(topics.logs, 'pv', startMs + ms, -1)
    harness.log(topics.logs, 'pv', startMs + 10_001, -1) // Behind the window
    harness.log(topics.logs, 'another', startMs + 60, -1)
    for (const ms of [5000, 6000]) harness.events(topics.events, 'det', startMs + ms, [7, 8, 9, 10])
    await harness.producer.flush()
    const { code, stdout, stderr } = await gaps(file)
    assert.equal(code, 5, stderr)
    assert.match(stdout, /^\/entry\/log +50 +56 +6 *$/m)
    assert.match(stdout, /^\/entry\/events +50 +52 +2 +8 events$/m)
    for (const [count, when] of [[1, at(50)], [3, `${at(4950)} to ${at(9000)}`]] as const) assert.ok(stdout.includes(`\n  ${count} missing, ${when}\n`), stdout) // prettier-ignore
    assert.ok(stdout.endsWith(`\n/entry/events\n  2 missing, ${at(5000)} to ${at(6000)}\n`), stdout)
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
    assert.match(stderr, /gaps\.nxs: 8 missing, .*'nexstream write' with the same times/)
    const [log, events] = await jsonLines(['gaps', file, '-b', brokers, '--json']).catch((error: Error) => {
      assert.match(error.message, /ended with 5/)
      return error.message.slice(error.message.indexOf('{')).trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>) // prettier-ignore
    })
    assert.deepEqual([log?.['missing'], events?.['missing_events'], log?.['only_in_file'], log?.['kafka_since']], [6, 8, 0, null]) // prettier-ignore
    assert.deepEqual(log?.['gaps'], [[50, 50, 1], [250, 250, 1], [350, 350, 1], [4950, 9000, 3]].map(([from, to, count]) => ({ from: at(from!), to: at(to!), count }))) // prettier-ignore
  })

  it('takes a start command for a file without a report, and a part of the time', async () => {
    const part = join(harness.folder, 'gaps.nxs.part')
    await runPython('import h5py, shutil, sys\nshutil.copy(sys.argv[1], sys.argv[2])\nwith h5py.File(sys.argv[2], "a") as file:\n    del file["entry/nexstream_report"]', [file, part]) // prettier-ignore
    const refused = await gaps(part)
    assert.deepEqual([refused.code, /^FILE_READ: \S+ does not say what it is made of: .*start command/.test(refused.stderr)], [2, true], refused.stderr) // prettier-ignore
    const json = join(harness.folder, 'command.json')
    writeFileSync(json, JSON.stringify({ cmd: 'start', service: 'filewriter', ...command }))
    assert.match((await gaps(part, json)).stdout, /^\/entry\/log +50 +56 +6 *$/m)
    const early = await gaps(part, json, '--to', new Date(startMs + 200).toISOString())
    assert.match(early.stdout, /^\/entry\/log +3 +4 +1 *$/m)
    rmSync(part)
  })

  it('tells of topics that are gone, and of a broker that is not there', async () => {
    const absent = entry(group('log', 'f144', 'no-such-topic', 'pv'), group('chopper', 'tdct', 'no-such-topic', 'pv'))
    const json = join(harness.folder, 'absent.json')
    writeFileSync(json, JSON.stringify({ ...command, nexus_structure: absent }))
    const { code, stderr } = await gaps(file, json)
    assert.deepEqual([code, /^no-such-topic: there is no such topic any more$/m.test(stderr)], [0, true], stderr)
    assert.match(stderr, /has all that Kafka holds of 1 of its 2 streams; messages of those with \? are only counted, /)
    const away = await nexstream(['gaps', file, '-b', '127.0.0.1:9', '--timeout', '300ms'])
    assert.deepEqual([away.code, /^KAFKA_UNREACHABLE: /.test(away.stderr)], [3, true], away.stderr)
  })

  it('compares blocks of ISIS, once with their alarms, and frames of muons', async () => {
    const own = await testTopics(['blocks', 'frames'])
    const frame = (ms: number): void => {
      const timestampNs = BigInt(startMs + ms) * 1_000_000n + 123_456n
      const vector = (dtype: 'uint16' | 'uint32', values: readonly number[]) => {
        const bytes = dtype === 'uint16' ? Uint16Array.from(values) : Uint32Array.from(values)
        return { dtype, length: values.length, bytes: new Uint8Array(bytes.buffer) }
      }
      const about = { timestampNs, period: 0n, protonsPerPulse: 1, running: true, frameNumber: ms, vetoes: 0 }
      const value = encodeEvents('aev2', { frame: about, time: vector('uint32', [1, 2]), voltage: vector('uint16', [1, 2]), channel: vector('uint32', [1, 2]), digitisers: Uint8Array.of(0), complete: true }) // prettier-ignore
      harness.producer.send({ topic: own.frames, partition: 0, value, timestampMs: startMs + ms })
    }
    const block = (ms: number): void => {
      harness.log(own.blocks, 'pv', startMs + ms, ms)
      const alarm = { source_name: 'pv', timestamp: String(startMs + ms), severity: 'MINOR', message: '' }
      harness.producer.send({ topic: own.blocks, partition: 0, value: encodeMessage('al00', alarm), timestampMs: startMs + ms }) // prettier-ignore
    }
    for (const ms of [100, 200, 300]) {
      frame(ms)
      block(ms)
    }
    await harness.producer.flush()
    const nexus_structure = entry(group('block', 'IXseblock', own.blocks, 'pv'), { module: 'muon_run', config: { topic: own.frames, source: 'aev2' } }) // prettier-ignore
    const answer = await harness.start({ ...command, job_id: 'isis', file_name: 'isis.nxs', nexus_structure })
    assert.equal(answer['response'], 'ACK', JSON.stringify(answer))
    await harness.done('isis')
    const isis = join(harness.folder, 'isis.nxs')
    assert.match((await gaps(isis)).stdout, /^group +in file +in Kafka +missing *\n\/entry\/block +3 +3 +0 *\n\/entry +3 +3 +0 *\n$/) // prettier-ignore
    frame(150)
    block(250)
    await harness.producer.flush()
    const { code, stdout } = await gaps(isis)
    assert.equal(code, 5)
    assert.match(stdout, /^\/entry\/block +3 +4 +1 *\n\/entry +3 +4 +1 +2 events$/m)
  })

  it('tells what Kafka has no more', async () => {
    await withAdmin(async (admin) => {
      await admin.fetchTopicOffsets(topics.logs) // kafkajs looks for leaders among the topics that it has met
      await admin.deleteTopicRecords({ topic: topics.logs, partitions: [{ partition: 0, offset: '20' }] })
    })
    const { stdout, stderr } = await gaps(file)
    assert.match(stdout, /^\/entry\/log +50 +36 +6 *$/m)
    assert.ok(stderr.includes(`${topics.logs}: Kafka has nothing before ${new Date(startMs + 2000).toISOString()} any more`), stderr) // prettier-ignore
  })
})
