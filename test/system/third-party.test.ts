// The plugins that the docs show, in a folder of their own: compiled against the packed types, loaded by config alone, used for real.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../core/root.js'
import { type Child, jsonLines, nexstream, start } from '../cli/child.js'
import { entry, group } from '../filewriter/harness.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'

const shell = promisify(execFile)
const tsc = join(packageRoot, 'node_modules/typescript/bin/tsc')

/** Must not compile but for the comments: that the types of options and records reach the author. */
const wrong = `// What the types refuse.
import { API, defineWriter, definePlugin, type LogRecord } from 'nexstream/plugin'
import { decodeJson } from 'nexstream/schemas'

export const writer = defineWriter({
  id: 'wrong', summary: 'Wrong.', accepts: ['f144'], nxClass: 'NXlog', keepsLast: true,
  config: { type: 'object', additionalProperties: false, properties: { every: { type: 'integer', default: 1 } } },
  open(group, config) {
    const every: number | undefined = config.every
    // @ts-expect-error no such option
    const size = config.size
    // @ts-expect-error no such type of data
    group.column('value', { dtype: 'quad' })
    return {
      write({ timestampNs }: LogRecord) {
        // @ts-expect-error times are bigint
        const ms: number = timestampNs
        return void [every, size, ms]
      }
    }
  }
})
// @ts-expect-error a plugin says what it is
export default definePlugin({ name: 'wrong', version: '1', api: API, apply: () => decodeJson(new Uint8Array()) })
`

/** The files of a page: a line that is a name in code, then a block with its content. */
function filesOf(page: string): Map<string, string> {
  const text = readFileSync(join(packageRoot, page), 'utf8')
  const blocks = [...text.matchAll(/^`([^`\n]+)`\n\n```\w+\n([\s\S]*?)^```/gm)]
  return new Map(blocks.map(([, name = '', content = '']) => [name, content]))
}

function write(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [name, content] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

describe('the plugins of the docs', function () {
  this.timeout(300_000)
  let folder: string
  let config: string
  const tutorial = filesOf('docs/how-to/write-a-plugin.md')
  const readme = filesOf('README.md')
  /** The installed package. */
  let installed: string
  let program: string

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-third-'))
    const plugin = join(folder, 'plugin')
    write(plugin, tutorial)
    write(plugin, readme)
    writeFileSync(join(plugin, 'src', 'wrong.ts'), wrong)
    installed = join(plugin, 'node_modules', 'nexstream')
    await install(installed)
    program = join(installed, 'dist/commands/cli/main.js')
    await shell(process.execPath, [tsc, '-p', plugin]).catch((error: { stdout: string }) => assert.fail(error.stdout))
    config = join(folder, 'nexstream.toml')
    const use = (name: string): string => `[[plugins]]\nuse = "${join(plugin, 'lib', name)}"\n`
    writeFileSync(
      config,
      `${use('converter-tx00.js')}options = {}\n${use('writer-averages.js')}${use('service-lamp.js')}`
    )
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** As `npm install` of the packed project would, with the dependencies that are here already. */
  async function install(target: string): Promise<void> {
    await shell(process.execPath, [tsc, '-p', join(packageRoot, 'tsconfig.types.json')])
    const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
    const { stdout } = await shell('npm', args, { cwd: packageRoot, maxBuffer: 1 << 24 })
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
    mkdirSync(target, { recursive: true })
    await shell('tar', ['-xzf', join(folder, filename), '-C', target, '--strip-components', '1'])
    const modules = join(packageRoot, 'node_modules')
    for (const name of readdirSync(modules).filter((name) => !name.startsWith('.')))
      symlinkSync(join(modules, name), join(target, '..', name))
  }

  it('find in the package all that it promises, and no tests', () => {
    const { exports, bin, scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      exports: Record<string, { types: string; default: string }>
      bin: Record<string, string>
      scripts: Record<string, string>
    }
    const promised = [...Object.values(exports).flatMap((entry) => [entry.types, entry.default]), ...Object.values(bin)]
    assert.equal(promised.length, 11)
    for (const file of promised) assert.ok(existsSync(join(installed, file)), file)
    // npm runs it for a tarball and for an installation from git alike
    assert.equal(scripts['prepare'], 'npm run build && npm run types')
    assert.equal(scripts['types'], 'tsc -p tsconfig.types.json')
    const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })
    assert.deepEqual(
      files.filter((name) => /\.test\.|^(test|bench|docs|examples)$/.test(name)),
      []
    )
  })

  it('are under 50 lines each and compile against the published types', () => {
    const sources = ['src/converter-tx00.ts', 'src/writer-averages.ts', 'src/service-lamp.ts']
    assert.deepEqual([...tutorial.keys()], ['package.json', 'tsconfig.json', ...sources])
    for (const name of sources) {
      assert.ok((tutorial.get(name) ?? '').split('\n').length <= 50, name)
      assert.ok(existsSync(join(folder, 'plugin', name.replace('src/', 'lib/').replace('.ts', '.js'))), name)
    }
  })

  it('want this version of nexstream', () => {
    const { peerDependencies } = JSON.parse(tutorial.get('package.json') ?? '') as { peerDependencies: { nexstream: string } } // prettier-ignore
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
    assert.equal(peerDependencies.nexstream, `^${version.replace(/\.\d+$/, '')}`)
  })

  it('are listed beside the built-in ones, with their options', async () => {
    const list = await jsonLines(['plugins', 'list', '--json', '--config', config], { program })
    const mine = list.filter(({ builtin }) => builtin === false).map(({ name, parts }) => [name, parts])
    assert.deepEqual(mine, [
      ['converter-tx00', ['converter tx00']],
      ['writer-averages', ['writer averages']],
      ['lamps', ['service lamp']]
    ])
    const { stdout } = await nexstream(['plugins', 'docs', 'averages', '--config', config], { program })
    assert.match(stdout, /^every +integer ≥ 1 +10 +Readings per average\.$/m)
  })

  it('write a file without Kafka: make-file', async () => {
    const structure = join(folder, 'structure.json')
    const messages = join(folder, 'messages.jsonl')
    writeFileSync(structure, JSON.stringify(entry(group('slow', 'averages', 't', 'pv', { every: 4, units: 'K' }))))
    const record = (value: number, i: number): string =>
      JSON.stringify({ topic: 't', schema: i % 2 === 0 ? 'f144' : 'tx00', record: { source: 'pv', timestampNs: 1_000_000 * (i + 1), dtype: 'float64', value } }) // prettier-ignore
    writeFileSync(messages, [1, 2, 3, 4, 10, 20, 30, 40, 7].map(record).join('\n'))
    const file = join(folder, 'made.nxs')
    const args = ['make-file', structure, messages, '-o', file, '--json', '--config', config]
    const [report] = await jsonLines(args, { program })
    assert.deepEqual((report?.['streams'] as { counts: object }[])[0]?.counts, { left_over: 1 })
    const paths = ['value', 'lowest', 'highest', 'time', 'value@units'].map((name) => `/entry/slow/${name}`)
    assert.deepEqual(Object.values(await readNexus(file, paths)), [[2.5, 25], [1, 10], [4, 40], [4_000_000, 8_000_000], 'K']) // prettier-ignore
  })

  it('of the README: write a file', async () => {
    assert.deepEqual([...readme.keys()], ['my-writer/index.mjs', 'nexstream.toml'])
    const plugin = join(folder, 'plugin')
    const structure = join(folder, 'peak.json')
    const messages = join(folder, 'peak.jsonl')
    writeFileSync(structure, JSON.stringify(entry(group('hot', 'peak', 't', 'pv', { units: 'K' }))))
    const record = (value: number, i: number): string =>
      JSON.stringify({ topic: 't', schema: 'f144', record: { source: 'pv', timestampNs: 1_000_000 * (i + 1), dtype: 'float64', value } }) // prettier-ignore
    writeFileSync(messages, [-3, 7.5, 2].map(record).join('\n'))
    const file = join(folder, 'peak.nxs')
    const args = ['make-file', structure, messages, '-o', file, '--config', join(plugin, 'nexstream.toml')]
    const { code, stderr } = await nexstream(args, { program })
    assert.equal(code, 0, stderr)
    assert.deepEqual(Object.values(await readNexus(file, ['/entry/hot/peak', '/entry/hot/peak@units'])), [7.5, 'K'])
  })

  it('bring a command to the command line', async () => {
    const { stdout } = await nexstream(['light', 'lamp', '--help', '--config', config], { program })
    assert.match(stdout, /^ +count +integer ≥ 1, default 1\n +How many\.$/m)
  })

  it('forward to a real Kafka, and write from it in the thread of a job', async () => {
    const { brokers } = await kafka()
    const topics = await testTopics(['commands', 'status', 'data'])
    const control = await Control.open(brokers, topics.commands, [topics.status, topics.data])
    let daemon: Child | undefined
    try {
      const set = (key: string, value: unknown): string[] => ['--set', `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`] // prettier-ignore
      daemon = start(['run', config, '-b', brokers.join(','), ...set('commands.topic', topics.commands), ...set('status.topic', topics.status), ...set('services', { forwarder: { default_protocol: 'sim', connection_schema: 'none', alarm_schema: 'none' }, lamp: {}, filewriter: { folder, late_data_ms: 200 } })], { program }) // prettier-ignore
      await daemon.says(/is up as/)
      const lit = await control.send({ cmd: 'light', service: 'lamp', count: 2 })
      assert.deepEqual([lit['response'], lit['message']], ['ACK', '2 lamps are lit'])
      const source = { shape: 'counter', rate: 1000, updates: 20 }
      const stream = { channel: 'COUNTER', converter: { schema: 'tx00', digits: 2 }, topic: topics.data, source_options: source } // prettier-ignore
      const added = await control.send({ cmd: 'start', service: 'forwarder', streams: [stream] })
      assert.equal(added['response'], 'ACK', JSON.stringify(added))
      const text = (value: Buffer): string => value.toString('utf8', 8)
      await control.wait(({ topic, value }) => topic === topics.data && text(value).endsWith('\t19.00'), 'the last value') // prettier-ignore
      const lines = control.said
        .filter(({ topic }) => topic === topics.data)
        .map(({ value }) => text(value).split('\t'))
      assert.deepEqual(
        lines.map(([name, , value]) => [name, value]),
        [...Array(20).keys()].map((i) => ['COUNTER', `${i}.00`])
      )
      const times = lines.map(([, time]) => time)
      const job = { job_id: 'third', file_name: 'third.nxs', start_time: Date.now() - 600_000, stop_time: Date.now() }
      const nexusStructure = entry(group('slow', 'averages', topics.data, 'COUNTER', { every: 5 }))
      const started = await control.send({ cmd: 'start', service: 'filewriter', ...job, nexus_structure: nexusStructure }) // prettier-ignore
      assert.equal(started['response'], 'ACK', JSON.stringify(started))
      const done = await control.json((json) => json['event'] === 'writing_done', 'the end of the job')
      assert.equal(done['error_encountered'], false, JSON.stringify(done))
      const content = await readNexus(join(folder, 'third.nxs'), ['/entry/slow/value', '/entry/slow/time'])
      assert.deepEqual(content['/entry/slow/value'], [2, 7, 12, 17])
      assert.deepEqual(
        content['/entry/slow/time'],
        [4, 9, 14, 19].map((i) => times[i])
      )
      daemon.kill('SIGTERM')
      assert.equal((await daemon.ended).code, 0)
    } finally {
      await daemon?.close()
      await control.close()
    }
  })
})
