// A daemon of a pool dies when its file has its name and nobody was told: the next one finds the file and tells its end.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { type Child, start } from '../cli/child.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { codes, entry, group, type Json, reportOf } from './harness.js'

/** Loaded before the daemon: it dies right after the file of this name was linked, or its part file unlinked. */
const dieAfter = `
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const [call, at, name] = process.env.DIE_AFTER.split(' ')
const original = fs[call]
fs[call] = (...args) => {
  original(...args)
  if (String(args[at]).endsWith(name)) process.kill(process.pid, 'SIGKILL')
}
syncBuiltinESMExports()
`

/** Loaded before the daemon: what would tell the end of a job never reaches Kafka, and then it dies. */
const dieUntold = `
import { Socket } from 'node:net'
const { write } = Socket.prototype
Socket.prototype.write = function (bytes, ...more) {
  if (!Buffer.from(bytes).includes('writing_done')) return write.call(this, bytes, ...more)
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 2000)
  return true
}
`

describe('a file that was finished by a daemon that could not tell', function () {
  this.timeout(300_000)
  let folder: string
  let control: Control
  let topics: Readonly<Record<'commands' | 'status' | 'journal' | 'one' | 'two', string>>
  const daemons: Child[] = []

  beforeEach(async () => {
    topics = await testTopics(['commands', 'status', 'journal', 'one', 'two'])
    folder = mkdtempSync(join(tmpdir(), 'nexstream-finished-'))
    writeFileSync(join(folder, 'die.mjs'), dieAfter)
    writeFileSync(join(folder, 'untold.mjs'), dieUntold)
    control = await Control.open((await kafka()).brokers, topics.commands, [topics.status])
  })
  afterEach(async () => {
    for (const daemon of daemons.splice(0)) await daemon.close()
    await control.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function run(name: string, more: Json, env: Readonly<Record<string, string>> = {}): Promise<Child> {
    const { commands, status, journal } = topics
    const writer = { folder, late_data_ms: 200, journal_topic: journal, journal_lease_ms: 500, ...more }
    const config = {
      daemon: { service_id: name },
      kafka: { brokers: (await kafka()).brokers },
      commands: { topic: commands },
      status: { topic: status },
      services: { filewriter: writer }
    }
    const file = join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify(config))
    const daemon = start(['run', file], { env })
    daemons.push(daemon)
    await daemon.says(/is up as/)
    return daemon
  }

  /** One daemon dies at that moment; what the next one says at the end of the job. */
  async function endAfter(dying: string | undefined, more: Json, isDivided = false): Promise<Json> {
    const how = dying === undefined ? 'untold.mjs' : 'die.mjs'
    const env = { NODE_OPTIONS: `--import ${join(folder, how)}`, DIE_AFTER: dying ?? '' }
    const first = await run('first', more, env)
    const id = randomUUID()
    const nowMs = Date.now()
    for (const topic of [topics.one, topics.two])
      for (const value of [1, 2, 3]) {
        const timestampNs = BigInt(nowMs + value) * 1_000_000n
        control.producer.send({ topic, value: logF144.encode({ source: 'pv', timestampNs, dtype: 'float64', value }) })
      }
    await control.producer.flush()
    const [one, two] = [group('one', 'f144', topics.one, 'pv'), group('two', 'f144', topics.two, 'pv')]
    const structure = isDivided ? { ...entry(one), more_files: [{ suffix: '_two', ...entry(two) }] } : entry(one, two)
    const command = { cmd: 'start', service: 'filewriter', job_id: id, file_name: 'a.nxs', nexus_structure: structure }
    // Its answer may come after the end of the job, that is never
    await control.sendRaw(JSON.stringify({ ...command, start_time: nowMs, stop_time: nowMs + 100 }))
    assert.equal((await first.ended).signal, 'SIGKILL')
    await run('second', more)
    return control.json((json) => json['event'] === 'writing_done' && json['job_id'] === id, 'the end', 60_000)
  }
  const values = async (): Promise<unknown[]> => {
    const paths = ['entry/one/value', 'entry/two/value']
    const content = await readNexus(join(folder, 'a.nxs'), paths)
    return paths.map((path) => content[path])
  }

  it('is told with the report that is in it, what was to be done yet is done, and other threads write theirs again', async () => {
    const end = await endAfter('linkSync 1 a.nxs', { checksum: true, threads_per_job: 2 })
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
    assert.equal(end['file_name'], join(folder, 'a.nxs'))
    const { verdict, written, attempt, notes } = reportOf(end)
    assert.deepEqual([verdict, written, attempt], ['complete', 6, 1])
    assert.match(notes.join('\n'), /run again from history: attempt 2, as first was lost\n.*had finished the file/)
    const isThere = ['a.nxs', 'a.nxs.sha256', 'a_1.nxs', 'a_1.nxs.sha256', 'a.nxs.part', 'a.nxs.2.part'].map((name) => existsSync(join(folder, name))) // prettier-ignore
    // The part file was a second name of the same file
    assert.deepEqual(isThere, [true, true, true, true, false, false])
    assert.deepEqual(await values(), [[1, 2, 3], [1, 2, 3]]) // prettier-ignore
  })

  it('goes for each file of a job that makes two', async () => {
    const end = await endAfter('linkSync 1 a.nxs', {}, true)
    const second = join(folder, 'a_two.nxs')
    assert.deepEqual([end['error_encountered'], end['more_files']], [false, [second]], JSON.stringify(end))
    assert.equal(reportOf(end).written, 6)
    const names = ['a.nxs.part', 'a.nxs.2.part', 'a_two.nxs.2.part']
    assert.deepEqual(names.filter((name) => existsSync(join(folder, name))), []) // prettier-ignore
    assert.deepEqual([await readNexus(join(folder, 'a.nxs'), ['entry/one/value']), await readNexus(second, ['entry/two/value'])], [{ 'entry/one/value': [1, 2, 3] }, { 'entry/two/value': [1, 2, 3] }]) // prettier-ignore
  })

  it('is told by the next one when the daemon dies before Kafka has its words, for the journal does not call it ended', async () => {
    const end = await endAfter(undefined, {})
    assert.deepEqual([end['error_encountered'], reportOf(end).verdict], [false, 'complete'], JSON.stringify(end))
    assert.deepEqual(await values(), [[1, 2, 3], [1, 2, 3]]) // prettier-ignore
  })

  it('counts as lost where the file has no report, and a file of another start is not taken for it', async () => {
    const end = await endAfter('unlinkSync 0 a.nxs.part', { report_in_file: false })
    assert.deepEqual([end['error_encountered'], end['report']], [true, null])
    assert.match(String(end['message']), /had finished the file .* whether anything is missing in it is not known/)
    assert.deepEqual(await values(), [[1, 2, 3], [1, 2, 3]]) // prettier-ignore
    const again = { cmd: 'start', service: 'filewriter', file_name: 'a.nxs', nexus_structure: entry() }
    assert.deepEqual(codes(await control.send(again)), ['FILE_EXISTS /file_name'])
  })
})
