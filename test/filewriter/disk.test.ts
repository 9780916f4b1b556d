// Output folders that are full, read-only, gone: what is on the disk stays readable, and nobody claims more.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { codes, entry, group, Harness, type Json, reportOf } from './harness.js'

const system = (...command: string[]): boolean => spawnSync(command[0] ?? '', command.slice(1)).status === 0
const PER_MESSAGE = 2000
const ids = Array.from({ length: PER_MESSAGE }, (_, i) => i)

describe('file writer on a disk in trouble', function () {
  this.timeout(120_000)
  let disk: string
  let h: Harness | undefined
  const mount = (options: string): boolean => system('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', disk)
  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), 'nexstream-disk-'))
  })
  afterEach(async () => {
    await h?.close()
    h = undefined
    system('umount', disk)
    rmSync(disk, { recursive: true, force: true })
  })

  /** A job of `n` messages of events from the past, to its end. */
  async function events(h: Harness, n: number, more: Json = {}, each = ids): Promise<Json> {
    const { data } = await testTopics(['data'])
    const t0 = Date.now() - 60_000
    for (let i = 0; i < n; i++) h.events(data, 'det', t0 + i, each)
    await h.producer.flush()
    const id = `full-${randomUUID()}`
    const nexus_structure = entry(group('det', 'ev44', data, 'det'))
    const window = { start_time: t0, stop_time: t0 + n }
    const reply = await h.start({ job_id: id, file_name: 'run.nxs', ...window, nexus_structure, ...more })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    return h.done(id)
  }

  for (const size of ['1200k', '3m', '7800k', '7830k'])
    it(`says what is in the file when the disk of ${size} is full, and keeps the name of an unfinished one`, async function () {
      if (!mount(`size=${size}`)) return this.skip()
      h = await Harness.start({ folder: disk, least_free_bytes: 0, checkpoint_ms: 50, fetch_bytes: 65_536 })
      const end = await events(h, 500)
      assert.equal(end['error_encountered'], true)
      assert.match(String(end['message']), /^data lost: .*ENOSPC.*run\.nxs\.part/)
      const file = join(disk, 'run.nxs.part')
      assert.equal(end['file_name'], file)
      assert.ok(!existsSync(join(disk, 'run.nxs')) && !existsSync(`${file}.lock`))
      const paths = ['event_id', 'event_time_offset', 'event_time_zero', 'event_index', 'total_counts'].map((name) => `entry/det/${name}`) // prettier-ignore
      const content = await readNexus(file, [...paths, 'entry/nexstream_report/data'])
      const { written, streams, losses } = reportOf(end)
      const [id, offset, zero, index, total] = paths.map((path) => content[path] as unknown[] | undefined)
      assert.deepEqual(
        [id?.length, offset?.length, zero?.length, index?.length],
        [written * PER_MESSAGE, written * PER_MESSAGE, written, written]
      )
      assert.ok((total ?? null) === null || Number(total) === written * PER_MESSAGE)
      assert.equal(losses['not_in_file'] ?? 0, (streams[0]?.received ?? 0) - written)
      const inFile = content['entry/nexstream_report/data']
      if (typeof inFile === 'string') assert.equal((JSON.parse(inFile) as Json)['written'], written)
      const reply = await h.control.send({ cmd: 'jobs' })
      const [job] = reply['result'] as Json[]
      assert.deepEqual([job?.['state'], job?.['written']], ['failed', written])
    })

  it('says so, too, when another thread met the end of the disk', async function () {
    if (!mount('size=20m')) return this.skip()
    h = await Harness.start({ folder: disk, least_free_bytes: 0, checkpoint_ms: 50 })
    const many = Array.from({ length: 100_000 }, (_, i) => i)
    const end = await events(h, 60, {}, many)
    assert.match(String(end['message']), /^data lost: .*ENOSPC.*run\.nxs\.part/)
    const { written, losses, streams } = reportOf(end)
    const content = await readNexus(join(disk, 'run.nxs.part'), ['entry/det/event_id', 'entry/det/event_index'])
    assert.equal((content['entry/det/event_id'] as unknown[]).length, written * many.length)
    assert.equal((content['entry/det/event_index'] as unknown[]).length, written)
    assert.equal(losses['not_in_file'] ?? 0, (streams[0]?.received ?? 0) - written)
  })

  it('refuses starts when there is too little room, and warns before', async function () {
    if (!mount('size=20m')) return this.skip()
    h = await Harness.start({ folder: disk, least_free_bytes: 10_000_000 })
    const snapshot = async (): Promise<Json> => {
      const { result } = (await h!.control.send({ cmd: 'status' })) as { result: { services: Record<string, Json> } }
      return result.services['filewriter'] ?? {}
    }
    const early = await snapshot()
    assert.deepEqual([early['healthy'], typeof early['disk_free_bytes']], [true, 'number'])
    assert.match(String(early['trouble']), /disk of the output folder .* has 2\d\.\d MB free, less than 160\.0 MB/)
    writeFileSync(join(disk, 'other'), Buffer.alloc(12_000_000))
    const reply = await h.start({ file_name: 'run.nxs', nexus_structure: entry() })
    assert.deepEqual(codes(reply), ['DISK_FULL /file_name'])
    assert.ok(!existsSync(join(disk, 'run.nxs.part')))
  })

  it('says at its start that the folder cannot be written to, and to the client in words', async function () {
    if (!mount('size=1m,ro')) return this.skip()
    h = await Harness.start({ folder: disk, least_free_bytes: 0 })
    const { result } = (await h.control.send({ cmd: 'status' })) as { result: { services: Record<string, Json> } }
    const { healthy, trouble } = result.services['filewriter'] ?? {}
    assert.equal(healthy, false)
    assert.match(String(trouble), /cannot write into the output folder .*: its file system is read-only/)
    const reply = await h.start({ file_name: 'run.nxs', nexus_structure: entry() })
    assert.deepEqual(codes(reply), ['FILE_PATH /'])
    assert.match(String(reply['message']), /cannot write into the folder .*: its file system is read-only/)
  })

  it('ends a job whose folder has gone away with what was written, and says where it is not', async () => {
    const folder = join(disk, 'files')
    mkdirSync(folder)
    h = await Harness.start({ folder })
    const { data } = await testTopics(['data'])
    const id = `gone-${randomUUID()}`
    const reply = await h.start({
      job_id: id,
      file_name: 'run.nxs',
      nexus_structure: entry(group('pv', 'f144', data, 'pv'))
    })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    h.log(data, 'pv', Date.now(), 1)
    await h.producer.flush()
    await h.written(id, 1)
    renameSync(folder, join(disk, 'moved'))
    await h.control.send({ cmd: 'stop', service: 'filewriter', job_id: id })
    const end = await h.done(id)
    assert.equal(end['error_encountered'], true, JSON.stringify(end))
    assert.equal(end['file_name'], join(folder, 'run.nxs.part'), 'the name that it has, wherever its folder is')
    const content = await readNexus(join(disk, 'moved/run.nxs.part'), ['entry/pv/value'])
    assert.deepEqual(content['entry/pv/value'], [1])
  })

  it('writes files with the longest names, locks and checksum included', async () => {
    h = await Harness.start({ folder: disk, checksum: true })
    for (const length of [200, 228, 240]) {
      const name = `${'n'.repeat(length - 4)}.nxs`
      const id = `long-${randomUUID()}`
      const reply = await h.start({ job_id: id, file_name: name, start_time: 1000, stop_time: 2000, nexus_structure: entry() }) // prettier-ignore
      assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
      assert.equal((await h.done(id))['error_encountered'], false)
      assert.ok(statSync(join(disk, name)).size > 0 && existsSync(join(disk, `${name}.sha256`)))
    }
  })
})
