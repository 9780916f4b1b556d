// Every sample folder without Kafka, and what `nexstream make-file` says on the command line.
import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { loadPlugins, type Loaded } from '../../core/loader.js'
import { type JobReport } from '../../plugins/service-filewriter/structure/report.js'
import { lookupOf } from '../../core/lookup.js'
import { packageRoot } from '../../core/root.js'
import { nexstream } from '../cli/child.js'
import { examineNexus } from '../support/nexus.js'
import { Sample } from './samples.js'

/** A value of source A that is its own time in seconds. */
const logA = (seconds: number): Buffer =>
  Buffer.from(
    logF144.encode({ source: 'A', timestampNs: BigInt(seconds) * 10n ** 9n, dtype: 'float64', value: seconds })
  )

describe('sample files', () => {
  let loaded: Loaded
  let folder: string
  before(async () => {
    loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    folder = mkdtempSync(join(tmpdir(), 'nexstream-samples-'))
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await loaded.close()
  })

  for (const sample of Sample.all())
    it(sample.name, async () => {
      const { file, report } = await sample.make(lookupOf(loaded.host), folder)
      sample.checkFindings(report.findings)
      await sample.checkContent(file)
      sample.checkReport(report)
    })

  it('has one for every writer module', () => {
    const used = new Set(
      Sample.all().flatMap((sample) =>
        [...sample.text('structure.json').matchAll(/"(?:writer_)?module":\s*"(\w+)"/g)].map(([, module]) => module)
      )
    )
    assert.deepEqual(
      loaded.host.ids('writer').filter((id) => !used.has(id)),
      []
    )
  })
})

describe('nexstream make-file', function () {
  this.timeout(120_000)
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-make-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const samples = join(packageRoot, 'test/samples/files')
  const make = (name: string, ...more: string[]) =>
    nexstream(['make-file', `${samples}/${name}/structure.json`, `${samples}/${name}/messages.jsonl`, ...more], {
      cwd: folder
    })

  it('writes a sample, with window, compression and report, and never over a file', async () => {
    const args = ['-o', 'a.nxs', '--start', '1970-01-01T00:00:10Z', '--stop', '1970-01-01T00:00:15Z', '--compression', 'gzip:4', '--json'] // prettier-ignore
    const { code, stdout } = await make('window-log', ...args)
    assert.equal(code, 0, 'a message without a time is a warning')
    const report = JSON.parse(stdout) as JobReport & { file: string }
    assert.deepEqual([report.file, report.written, report.verdict], ['a.nxs', 8, 'warnings'])
    const { content, troubles } = await examineNexus(join(folder, 'a.nxs'), ['entry/a/value', 'entry/a/value#filters'])
    assert.deepEqual(troubles, [])
    assert.deepEqual(content, { 'entry/a/value': [2, 4, 5, 6, 8], 'entry/a/value#filters': [1] })
    const before = readFileSync(join(folder, 'a.nxs'))
    const again = await make('window-log', '-o', 'a.nxs')
    assert.match(again.stderr, /FILE_EXISTS/)
    assert.ok(before.equals(readFileSync(join(folder, 'a.nxs'))))
    for (const wrong of ['lzma', 'gzip:12'])
      assert.equal((await make('window-log', '-o', 'b.nxs', '--compression', wrong)).code, 2, wrong)
  })

  it('takes a start command with its window, and messages from a pipe, which name files by whole paths or none', async () => {
    const at = join(samples, 'window-log')
    const command = { cmd: 'start', service: 'filewriter', start_time: 10_000, stop_time: '1970-01-01T00:00:15Z' }
    const structure = JSON.parse(readFileSync(join(at, 'structure.json'), 'utf8')) as object
    writeFileSync(join(folder, 'command.json'), JSON.stringify({ ...command, nexus_structure: structure }))
    const topic = 'env'
    const messages = [9, 11, 12, 16].map((seconds) => logA(seconds))
    writeFileSync(join(folder, 'whole.bin'), messages[1]!)
    const lines = messages.map((value, i) =>
      JSON.stringify(i === 1 ? { topic, file: join(folder, 'whole.bin') } : { topic, value: value.toString('base64') })
    )
    const input = [...lines, JSON.stringify({ topic, value: null }), ''].join('\n')
    const made = await nexstream(['make-file', 'command.json', '-', '-o', 'piped.nxs'], { cwd: folder, input })
    assert.equal(made.code, 0, made.stderr)
    const { content } = await examineNexus(join(folder, 'piped.nxs'), ['entry/a/value'])
    assert.deepEqual(content, { 'entry/a/value': [9, 11, 12] })
    const absent = await nexstream(['make-file', 'command.json', 'absent.jsonl', '-o', 'x.nxs'], { cwd: folder })
    assert.match(absent.stderr, /^FILE_READ: absent\.jsonl cannot be read: ENOENT/)
  })

  it('sets what has failed aside, never over an unfinished file', async () => {
    const line = JSON.stringify({ topic: 'env', value: logA(1).toString('base64') })
    writeFileSync(join(folder, 'broken.jsonl'), `${line}\n{"topic":`)
    writeFileSync(join(folder, 'half.nxs.part'), 'of a job')
    const args = ['make-file', join(samples, 'window-log/structure.json'), 'broken.jsonl', '-o', 'half.nxs']
    const { code, stderr } = await nexstream(args, { cwd: folder })
    assert.equal(code, 2, stderr)
    assert.match(stderr, /half\.nxs\.2\.part has what came before: messages 1/)
    assert.equal(readFileSync(join(folder, 'half.nxs.part'), 'utf8'), 'of a job')
    const { troubles } = await examineNexus(join(folder, 'half.nxs.2.part'), ['entry/a/value'])
    assert.deepEqual(troubles, [])
    assert.ok(!existsSync(join(folder, 'half.nxs')))
  })

  it('holds one message after the other, not all', async () => {
    const line = JSON.stringify({ topic: 'env', value: logA(1).toString('base64'), filler: 'x'.repeat(1 << 20) })
    const file = openSync(join(folder, 'large.jsonl'), 'w')
    for (let i = 0; i < 120; i++) writeSync(file, `${line}\n`)
    closeSync(file)
    const args = ['make-file', join(samples, 'window-log/structure.json'), 'large.jsonl', '-o', 'large.nxs', '--json']
    const made = await nexstream(args, { cwd: folder, env: { NODE_OPTIONS: '--max-old-space-size=64' } })
    assert.ok(made.code === 0 || made.code === 5, made.stderr)
    assert.equal((JSON.parse(made.stdout) as JobReport).messages, 120)
  })

  it('lays a structure over a template, as `check` does', async () => {
    const [structure, template] = ['structure.json', 'template.json'].map((name) => join(samples, 'grammar-template', name)) as [string, string] // prettier-ignore
    const alone = await nexstream(['check', '--json', structure], { cwd: folder })
    assert.equal(alone.code, 5)
    assert.match(alone.stdout, /"path":"\/children\/0\/children\/\d+\/config".*does not exist/)
    const checked = await nexstream(['check', '--template', template, structure], { cwd: folder })
    assert.deepEqual([checked.code, checked.stdout], [0, ''])
    const made = await make('grammar-template', '-o', 't.nxs', '--template', template)
    assert.equal(made.code, 0, made.stderr)
    const over = await make('grammar-template', '-o', 'u.nxs', '--template', join(folder, 't.nxs'))
    assert.equal(over.code, 2, 'streams of the template make the same datasets')
    assert.match(over.stderr, /STRUCTURE_INVALID/)
    const none = await make('grammar-template', '-o', 'u.nxs', '--template', 'none.json')
    assert.match(none.stderr, /FILE_READ: template none\.json/)
  })
})
