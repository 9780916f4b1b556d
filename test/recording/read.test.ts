// Tools that read topics and JSON lines read recordings as well, without any Kafka.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { RecordingWriter } from '../../plugins/tools-recording/mcap/writer.js'
import { type JobReport } from '../../plugins/service-filewriter/structure/report.js'
import { jsonLines, nexstream } from '../cli/child.js'
import { entry, group } from '../filewriter/harness.js'
import { readNexus } from '../support/nexus.js'

const t0 = Date.UTC(2026, 10, 21)
const log = (source: string, n: number): Buffer =>
  Buffer.from(logF144.encode({ source, timestampNs: BigInt(t0 + n) * 1_000_000n, dtype: 'int32', value: n }))

describe('recordings in the hands of other tools', function () {
  this.timeout(120_000)
  let folder: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-recorded-'))
    const writer = await RecordingWriter.create(join(folder, 'run.mcap'), 'zstd')
    for (let n = 0; n < 60; n++) {
      const place = { partition: n % 2, offset: 100 + (n >> 1), timestampMs: t0 + n, isAppendTime: false, headers: [] }
      writer.add({ ...place, topic: 'logs', key: Buffer.from('A'), value: log('A', n) })
      if (n < 10) writer.add({ ...place, topic: 'other', key: null, value: n === 3 ? null : log('B', n) })
      if (n % 20 === 19) await writer.flush()
    }
    await writer.close(new Map())
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const good = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await nexstream(args, { cwd: folder })
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const json = (...args: string[]) => jsonLines([...args, '--json'], { cwd: folder })
  const valueOf = (line: object): number =>
    (line as { message: { value: { value: { value: number } } } }).message.value.value.value

  it('tail takes all of its options that make sense', async () => {
    const last = await json('tail', 'run.mcap', '--topic', 'logs')
    assert.deepEqual(last.map(valueOf), [50, 51, 52, 53, 54, 55, 56, 57, 58, 59])
    assert.deepEqual([last[0]?.['topic'], last[0]?.['partition'], last[0]?.['offset'], last[0]?.['key']], ['logs', 0, 125, 'A']) // prettier-ignore
    const span = ['--time', '2026-11-21T00:00:00.010', '--to', '2026-11-21T00:00:00.013', '-p', '1']
    assert.deepEqual((await json('tail', 'run.mcap', ...span)).map(valueOf), [11, 13])
    assert.deepEqual((await json('tail', 'run.mcap', '--source', 'B', '--offset', '104')).map(valueOf), [8, 9])
    assert.match(await good('tail', 'run.mcap', '-n', '1', '--topic', 'other'), /other\[\d\]@104 f144 B value=\d/)
    const follow = await nexstream(['tail', 'run.mcap', '-f'], { cwd: folder })
    assert.deepEqual([follow.code, /^CLI_USAGE: run\.mcap is a recording/.test(follow.stderr)], [2, true])
  })

  it('sources, count and pvs tell what is in it, by topic', async () => {
    const list = await json('sources', 'run.mcap')
    const short = list.map(({ topic, schema, source, partitions, count }) => ({ topic, schema, source, partitions, count })) // prettier-ignore
    assert.deepEqual(short, [
      { topic: 'logs', schema: 'f144', source: 'A', partitions: [0, 1], count: 60 },
      { topic: 'other', schema: '????', source: '', partitions: [1], count: 1 },
      { topic: 'other', schema: 'f144', source: 'B', partitions: [0, 1], count: 9 }
    ])
    assert.match(await good('sources', 'run.mcap'), /^topic +schema[\s\S]*^logs +f144 +A +0,1 +60 /m)
    assert.equal(await good('count', 'run.mcap'), '70\n')
    assert.deepEqual(await json('count', 'run.mcap', '--topic', 'other'), [{ topic: 'other', messages: 10 }])
    assert.match(await good('pvs', 'run.mcap'), /^A +59 /m)
  })

  it('decode prints each of its messages', async () => {
    const lines = await json('decode', 'run.mcap')
    assert.equal(lines.length, 70)
    const { topic, offset, file_identifier: id } = lines[1] ?? {}
    assert.deepEqual([topic, offset, id, valueOf(lines[1]!)], ['other', 100, 'f144', 0])
  })

  it('make-file makes the file that the same messages as JSON lines make', async () => {
    writeFileSync(join(folder, 'structure.json'), JSON.stringify(entry(group('a', 'f144', 'logs', 'A'), group('b', 'f144', 'other', 'B')))) // prettier-ignore
    writeFileSync(join(folder, 'run.jsonl'), await good('tail', 'run.mcap', '--raw', '--offset', '0'))
    const [made] = await json('make-file', 'structure.json', 'run.mcap', '-o', 'a.nxs')
    const [lines] = await json('make-file', 'structure.json', 'run.jsonl', '-o', 'b.nxs')
    for (const report of [made, lines] as unknown as JobReport[])
      assert.deepEqual(report.streams.map(({ written }) => written), [60, 9]) // prettier-ignore
    const paths = ['a', 'b'].flatMap((name) => [`entry/${name}/value`, `entry/${name}/time`])
    const content = await readNexus(join(folder, 'a.nxs'), paths)
    assert.deepEqual(
      content['entry/a/value'],
      Array.from({ length: 60 }, (_, n) => n)
    )
    assert.deepEqual(content, await readNexus(join(folder, 'b.nxs'), paths))
  })

  it('one that was not closed is read as far as it goes, and said to be; a damaged one is refused where it is damaged', async () => {
    const file = join(folder, 'cut.mcap')
    const content = readFileSync(join(folder, 'run.mcap'))
    writeFileSync(file, content)
    truncateSync(file, content.indexOf('nexstream.recording') - 40)
    const cut = await nexstream(['count', 'cut.mcap'], { cwd: folder })
    assert.deepEqual([cut.code, cut.stdout], [0, '70\n'])
    assert.match(cut.stderr, /^cut\.mcap was not closed by its writer; what is whole ends at byte \d+$/m)
    const damaged = Buffer.from(content)
    const at = damaged.indexOf('zstd') + 40
    damaged[at]! ^= 0xff
    writeFileSync(file, damaged)
    for (const args of [
      ['tail', file],
      ['sources', file],
      ['decode', file],
      ['make-file', 'structure.json', file, '-o', 'c.nxs']
    ]) {
      // prettier-ignore
      const { code, stderr } = await nexstream(args, { cwd: folder })
      assert.equal(code, 2, args.join(' '))
      assert.match(stderr, /^FILE_READ: .*cut\.mcap: byte \d+: /m)
    }
  })
})
