// `nexstream check` on the real command line: every broken config, structure and command is refused with code and path.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { nexstream } from './child.js'

/** File content → what `check` must say: code and path of each finding, all of them. */
type Table = Readonly<Record<string, readonly [content: string, ...findings: string[]]>>

const configs: Table = {
  'unknown-section': ['[servces.filewriter]', 'CONFIG_INVALID /servces'],
  'unknown-key': ['[status]\nintervall = "1s"', 'CONFIG_INVALID /status/intervall'],
  'wrong-type': ['[commands]\nmax_bytes = "big"', 'CONFIG_INVALID /commands/max_bytes'],
  'out-of-range': ['[commands]\nmax_bytes = 1', 'CONFIG_INVALID /commands/max_bytes'],
  'two-at-once': ['[log]\nlevel = "loud"\nformat = "xml"', 'CONFIG_INVALID /log/level', 'CONFIG_INVALID /log/format'],
  'bad-topic': ['[commands]\ntopic = "a b"', 'CONFIG_INVALID /commands/topic'],
  'bad-duration': ['[status]\ninterval = "often"', 'CONFIG_INVALID /status/interval'],
  'listen-without-topic': ['[[commands.listen]]\ngroup = "g"', 'CONFIG_INVALID /commands/listen/0/topic'],
  'unknown-dialect': [
    '[status]\ntopic = "s"\n[[commands.listen]]\ntopic = "c"\ndialects = ["json", "klingon"]',
    'CONFIG_INVALID /commands/listen/0/dialects/1'
  ],
  'no-place-for-answers': ['[commands]\ntopic = "c"', 'CONFIG_INVALID /commands/topic'],
  'unknown-service': ['[services.filewritr]', 'CONFIG_INVALID /services/filewritr'],
  'service-option': ['[services.filewriter]\nmax_jobs = 0', 'CONFIG_INVALID /services/filewriter/max_jobs'],
  'unknown-service-option': ['[services.forwarder]\nperiod = 1', 'CONFIG_INVALID /services/forwarder/period'],
  'streams-one-by-one': [
    '[[services.forwarder.streams]]\nchannel = "A"\nconverter = "f142"\ntopic = "t"\n' +
      '[[services.forwarder.streams]]\nchannel = "B"\nconverter = "zz99"\ntopic = "t"\n' +
      '[[services.forwarder.streams]]\nchannel = "C"\nprotocol = "ftp"\nconverter = "f142"\ntopic = "t"\n' +
      '[[services.forwarder.streams]]\nchannel = "D"\nconverters = [{ schema = "f142", alarm = "never" }, "f144"]\n',
    'CONVERTER_UNKNOWN /services/forwarder/streams/1/converter',
    'SOURCE_UNKNOWN /services/forwarder/streams/2/protocol',
    'COMMAND_INVALID /services/forwarder/streams/3/topic',
    'COMMAND_INVALID /services/forwarder/streams/3/topic'
  ],
  'missing-service-option': [
    '[services.blockserver]\nprefix = "IN:"',
    'CONFIG_INVALID /services/blockserver/data_topic'
  ],
  'unknown-reporter': ['[reporters]\nsmoke = true', 'CONFIG_INVALID /reporters/smoke'],
  'reporter-option': ['[reporters.prometheus]\nport = 70000', 'CONFIG_INVALID /reporters/prometheus/port'],
  'kafka-key': ['[kafka]\nbootstrp = "a:1"', 'CONFIG_INVALID /kafka/bootstrp'],
  'kafka-address': ['[kafka]\nbrokers = ["a b:c"]', 'CONFIG_INVALID /kafka/brokers'],
  'kafka-twice': ['[kafka]\nbrokers = ["a:1"]\n"bootstrap.servers" = "a:1"', 'CONFIG_INVALID /kafka/bootstrap.servers'],
  'sasl-without-password': ['[kafka.sasl]\nusername = "u"', 'CONFIG_INVALID /kafka/sasl'],
  'secret-not-there': [
    '[kafka.sasl]\nusername = "u"\npassword_env = "NO_SUCH_VARIABLE_HERE"',
    'CONFIG_INVALID /kafka/sasl.password_env'
  ],
  'topic-without-partitions': ['[[topics]]\nname = "a"\npartitions = 0', 'CONFIG_INVALID /topics/0/partitions'],
  'unknown-builtin': ['[daemon]\nbuiltin_plugins = ["writer-nx"]', 'PLUGIN_NOT_FOUND /daemon/builtin_plugins/0'],
  'builtin-option': [
    '[[plugins]]\nuse = "source-epics"\noptions = { ca = { addr_lst = [] } }',
    'PLUGIN_OPTIONS /plugins/0/options/ca/addr_lst'
  ],
  'plugin-not-there': ['[[plugins]]\nuse = "./no-such-plugin"', 'PLUGIN_NOT_FOUND /plugins/0/use'],
  'plugin-not-installed': ['[[plugins]]\nuse = "nexstream-plugin-nowhere"', 'PLUGIN_NOT_FOUND /plugins/0/use'],
  'plugin-syntax': ['[[plugins]]\nuse = "./plugins/syntax.mjs"', 'PLUGIN_NOT_FOUND /plugins/0/use'],
  'plugin-manifest': ['[[plugins]]\nuse = "./plugins/manifest.mjs"', 'PLUGIN_MANIFEST /plugins/0/use'],
  'plugin-api': ['[[plugins]]\nuse = "./plugins/api.mjs"', 'PLUGIN_API /plugins/0/use'],
  'plugin-schema': ['[[plugins]]\nuse = "./plugins/schema.mjs"', 'PLUGIN_SCHEMA /plugins/0'],
  'plugin-options': [
    '[[plugins]]\nuse = "./plugins/options.mjs"\noptions = { size = "large" }',
    'PLUGIN_OPTIONS /plugins/0/options/size'
  ],
  'plugin-duplicate': ['[[plugins]]\nuse = "./plugins/duplicate.mjs"', 'PLUGIN_DUPLICATE_ID /'],
  'plugin-throws': ['[[plugins]]\nuse = "./plugins/throws.mjs"', 'PLUGIN_FAILED /'],
  'commands-missing': ['[commands]\nfile = "no-such-file.json"', 'FILE_READ /'],
  'commands-wrong': ['[commands]\nfile = "commands.json"', 'COMMAND_UNKNOWN /commands/1/cmd']
}

const manifest = (more: string): string =>
  `export default { name: 'bad', version: '1', api: 2, summary: 'Bad.', apply() {}, ${more} }`
const plugins: Readonly<Record<string, string>> = {
  syntax: 'export default {',
  manifest: 'export default { name: "nameless" }',
  api: manifest('api: 99'),
  schema: manifest('options: { type: "object", properties: { size: { type: "integer" } } }'),
  options: manifest(
    'options: { type: "object", additionalProperties: false, properties: { size: { type: "integer", description: "Size." } } }'
  ),
  duplicate: manifest(
    'apply(registry) { registry.writer({ id: "f144", summary: "Again.", config: { type: "object" }, accepts: [], nxClass: "NXlog", keepsLast: false, open: () => ({ write() {} }) }) }'
  ),
  throws: manifest('apply() { throw new Error("no") }')
}

const node = (...children: unknown[]): string =>
  JSON.stringify({ children: [{ type: 'group', name: 'entry', children }] })
const dataset = (config: object): object => ({ module: 'dataset', config })
const stream = (module: string, config: object): object => ({ module, config })
const at = '/children/0/children'

const structures: Table = {
  'not-an-object': ['[]', 'STRUCTURE_INVALID /'],
  'children-no-list': ['{"children": {}}', 'STRUCTURE_INVALID /children'],
  'node-no-object': [node(7), `STRUCTURE_INVALID ${at}/0`],
  'unknown-type': [node({ type: 'thing', name: 'x' }), `STRUCTURE_INVALID ${at}/0/type`],
  'unknown-key': [node({ type: 'group', name: 'a', childs: [] }), `STRUCTURE_INVALID ${at}/0/childs`],
  'group-without-name': [node({ type: 'group', children: [] }), `STRUCTURE_INVALID ${at}/0/name`],
  'name-with-slash': [node(dataset({ name: 'a/b', values: 1 })), `STRUCTURE_INVALID ${at}/0/config/name`],
  'name-twice': [
    node(dataset({ name: 'a', values: 1 }), { type: 'group', name: 'a' }),
    `STRUCTURE_INVALID ${at}/1/name`
  ],
  'attribute-without-value': [
    node({ type: 'group', name: 'a', attributes: [{ name: 'x' }] }),
    `STRUCTURE_INVALID ${at}/0/attributes/0/value`
  ],
  'dataset-without-values': [node(dataset({ name: 'a' })), `STRUCTURE_INVALID ${at}/0/config/values`],
  'text-for-a-number': [
    node(dataset({ name: 'a', values: 'x', dtype: 'int32' })),
    `STRUCTURE_INVALID ${at}/0/config/values`
  ],
  'number-too-large': [
    node(dataset({ name: 'a', values: 300, dtype: 'uint8' })),
    `STRUCTURE_INVALID ${at}/0/config/values`
  ],
  mixed: [node(dataset({ name: 'a', values: [[1, 2], 3] })), `STRUCTURE_INVALID ${at}/0/config/values/1`],
  'unknown-dtype': [node(dataset({ name: 'a', values: 1, dtype: 'quad' })), `STRUCTURE_INVALID ${at}/0/config/dtype`],
  'unknown-writer': [node(stream('f145', { topic: 't', source: 's' })), `WRITER_UNKNOWN ${at}/0/module`],
  'stream-without-topic': [node(stream('f144', { source: 's' })), `STRUCTURE_INVALID ${at}/0/config/topic`],
  'stream-without-source': [node(stream('ev44', { topic: 't' })), `STRUCTURE_INVALID ${at}/0/config/source`],
  'writer-option': [
    node(stream('f144', { topic: 't', source: 's', dtype: 'quad' })),
    `STRUCTURE_INVALID ${at}/0/config/dtype`
  ],
  'two-writers-in-one-group': [
    node(stream('f144', { topic: 't', source: 's' }), stream('f142', { topic: 't', source: 's' })),
    `STRUCTURE_INVALID ${at}/1`
  ],
  'link-to-nowhere': [node({ type: 'link', name: 'l', target: '/nowhere' }), `STRUCTURE_INVALID ${at}/0`],
  'link-out-of-the-file': [node({ type: 'link', name: 'l', target: '../..' }), `STRUCTURE_INVALID ${at}/0/target`],
  several: [
    node({ type: 'group' }, stream('f144', {}), dataset({ name: 'a', values: 'x', dtype: 'double' })),
    `STRUCTURE_INVALID ${at}/0/name`,
    `STRUCTURE_INVALID ${at}/1/config/topic`,
    `STRUCTURE_INVALID ${at}/1/config/source`,
    `STRUCTURE_INVALID ${at}/2/config/values`
  ]
}

const commands: Table = {
  'unknown-cmd': ['{"cmd": "strat"}', 'COMMAND_UNKNOWN /cmd'],
  'needs-a-service': ['{"cmd": "start"}', 'COMMAND_UNKNOWN /service'],
  'unknown-service': ['{"cmd": "start", "service": "writer"}', 'COMMAND_UNKNOWN /service'],
  'missing-key': [
    '{"cmd": "start", "service": "filewriter", "file_name": "a.nxs"}',
    'COMMAND_INVALID /nexus_structure'
  ],
  'unknown-key': ['{"cmd": "jobs", "verbose": true}', 'COMMAND_INVALID /verbose'],
  'wrong-type': ['{"cmd": "jobs", "job_id": 7}', 'COMMAND_INVALID /job_id'],
  'structure-inside': [
    `{"cmd": "start", "service": "filewriter", "file_name": "a.nxs", "nexus_structure": ${node(7)}}`,
    `STRUCTURE_INVALID /nexus_structure${at}/0`
  ],
  'streams-one-by-one': [
    '{"cmd": "start", "service": "forwarder", "streams": [{"channel": "A", "converter": "f144", "topic": "t"}, {"channel": "B", "converter": "f999", "topic": "t"}]}',
    'CONVERTER_UNKNOWN /streams/1/converter'
  ],
  'streams-of-2018': [
    '{"broker": "b:9092", "streams": [{"channel": "A", "channel_provider_type": "ca", "converter": {"schema": "f142", "topic": "t"}}, {"channel": "B", "converter": {"schema": "zz99", "topic": "//b:9092/t"}}]}',
    'CONVERTER_UNKNOWN /streams/1/converters/0/schema'
  ],
  'file-writer-of-2018': [
    '{"cmd": "FileWriter_new", "job_id": "j", "file_attributes": {"file_name": "a.nxs"}}',
    'COMMAND_INVALID /nexus_structure'
  ],
  'forwarder-of-2018': [
    '{"cmd": "add", "streams": [{"channel": "A", "converter": {"schema": "zz99", "topic": "//b:9092/t"}}]}',
    'CONVERTER_UNKNOWN /streams/0/converters/0/schema'
  ],
  'in-a-list': ['[{"cmd": "status"}, {"cmd": "exit"}]', 'COMMAND_INVALID /1']
}

describe('nexstream check', function () {
  this.timeout(120_000)
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-check-'))
    mkdirSync(join(folder, 'plugins'))
    for (const [name, text] of Object.entries(plugins)) writeFileSync(join(folder, 'plugins', `${name}.mjs`), text)
    writeFileSync(join(folder, 'commands.json'), '{"commands": [{"cmd": "status"}, {"cmd": "strat"}]}')
  })
  after(() => rmSync(folder, { recursive: true }))

  /** Checks a whole table in one run, and compares per file. */
  async function refused(table: Table, kind: string, ending: string): Promise<void> {
    const names = Object.keys(table)
    for (const name of names) writeFileSync(join(folder, `${name}.${ending}`), table[name]?.[0] ?? '')
    const files = names.map((name) => `${name}.${ending}`)
    const { code, stdout } = await nexstream(['check', '--json', '--as', kind, ...files], { cwd: folder })
    const said = new Map<string, string[]>(names.map((name) => [name, []]))
    for (const line of stdout.trim().split('\n')) {
      const finding = JSON.parse(line) as { file: string; kind: string; code: string; path: string; message: string }
      assert.equal(finding.kind, kind)
      assert.ok(finding.message.length > 10, line)
      said.get(finding.file.replace(`.${ending}`, ''))?.push(`${finding.code} ${finding.path}`)
    }
    for (const [name, findings] of said) {
      const [, ...expected] = table[name] ?? ['']
      assert.deepEqual(findings.toSorted(), expected.toSorted(), name)
    }
    assert.equal(code, 5)
  }

  it('refuses broken configs, each with its path and code', () => refused(configs, 'config', 'toml'))
  it('refuses broken structures, each with its path and code', () => refused(structures, 'structure', 'json'))
  it('refuses broken commands, each with its path and code', () => refused(commands, 'command', 'cmd'))

  it('tells what is wrong in words that help', async () => {
    writeFileSync(join(folder, 'typo.toml'), '[status]\nintervall = "1s"')
    const { code, stdout, stderr } = await nexstream(['check', 'typo.toml'], { cwd: folder })
    assert.deepEqual(
      [code, stdout],
      [5, "typo.toml: CONFIG_INVALID /status/intervall unknown key; did you mean 'interval'?\n"]
    )
    assert.equal(stderr, '')
  })

  it('goes on after a file that cannot be read or parsed, and ends with 2', async () => {
    writeFileSync(join(folder, 'broken.toml'), '[status\n')
    writeFileSync(join(folder, 'good.json'), '{"cmd": "status"}')
    writeFileSync(join(folder, 'typo.toml'), '[status]\nintervall = "1s"')
    writeFileSync(join(folder, 'half.json'), '{"children": [')
    const files = ['broken.toml', 'absent.json', 'half.json', 'typo.toml', 'good.json']
    const { code, stdout, stderr } = await nexstream(['check', ...files], { cwd: folder })
    assert.equal(code, 2)
    assert.match(stderr, /^CONFIG_FILE: config file broken\.toml: .*[Ii]nvalid/m)
    assert.match(stderr, /^FILE_READ: half\.json is no valid JSON/m)
    assert.match(stderr, /^FILE_READ: absent\.json cannot be read/m)
    assert.match(stderr, /^good\.json: command is good$/m)
    assert.match(stdout, /^typo\.toml: CONFIG_INVALID \/status\/intervall/)
  })

  it('finds the examples good, and our sample structures', async () => {
    const examples = readdirSync(join(packageRoot, 'examples')).filter((name) => name.endsWith('.toml'))
    const jsons = readdirSync(join(packageRoot, 'examples/commands')).map((name) => `commands/${name}`)
    const facility = ['nexstream.toml', 'structure.json'].map((name) => `../plugins/tools-dev/facility/${name}`)
    const files = [...examples, ...jsons, ...facility, 'kubernetes/nexstream.toml']
    const options = { cwd: join(packageRoot, 'examples'), env: { KAFKA_PASSWORD: 'x' } }
    // One of the commands needs the example of a plugin
    const withPlugin = join(folder, 'with-plugin.toml')
    const use = join(packageRoot, 'examples/plugins/converter-ratio.mjs')
    writeFileSync(withPlugin, `[[plugins]]\nuse = ${JSON.stringify(use)}`)
    const all = ['check', '--config', withPlugin, ...files, '../docker/nexstream.toml']
    const { code, stdout, stderr } = await nexstream(all, options)
    assert.deepEqual([code, stdout], [0, ''], stderr)
    assert.equal(stderr.match(/ is good$/gm)?.length, files.length + 1)
  })

  it('takes structures as the file writer of the config would: what is good is written, only a lost stream counts', async () => {
    const file = join(folder, 'leftovers.json')
    const link = { module: 'link', config: { name: 'l', source: '/none' } }
    const lost = join(folder, 'lost.json')
    writeFileSync(file, JSON.stringify({ children: ['$USERS$', { type: 'group', name: 'g', children: [link] }] }))
    writeFileSync(
      lost,
      JSON.stringify({ children: ['$USERS$', { module: 'f999', config: { topic: 't', source: 's' } }] })
    )
    const ess = ['--config', join(packageRoot, 'examples/ess.toml')]
    const options = { cwd: folder, env: { KAFKA_PASSWORD: 'x' } }
    const run = async (...args: string[]): Promise<[number | null, number]> => {
      const { code, stdout } = await nexstream(['check', ...args], options)
      return [code, stdout.match(/warning: /g)?.length ?? 0]
    }
    assert.deepEqual(await run(file), [5, 0])
    assert.deepEqual(await run(file, ...ess), [0, 2])
    assert.deepEqual(await run(file, '--lenient'), [0, 2])
    assert.deepEqual(await run(file, ...ess, '--strict'), [5, 0])
    assert.deepEqual(await run(lost, ...ess), [5, 1])
  })

  it('prints the merged config with the origin of each value, secrets hidden', async () => {
    const text =
      '[kafka]\nbrokers = ["file:1"]\nsasl = { username = "u", password = "hunter2" }\n[status]\ntopic = "s"\n'
    writeFileSync(join(folder, 'merged.toml'), text)
    const env = { NEXSTREAM_STATUS__INTERVAL: '5s' }
    const args = ['check', '--print', '--set', 'log.level=debug', 'merged.toml']
    const { code, stdout } = await nexstream(args, { cwd: folder, env })
    assert.equal(code, 0)
    const lines = stdout.split('\n')
    for (const line of [
      '/kafka/brokers = ["file:1"]  # merged.toml',
      '/kafka/sasl/password = "***"  # merged.toml',
      '/status/interval = "5s"  # NEXSTREAM_STATUS__INTERVAL',
      '/log/level = "debug"  # --set log.level',
      '/daemon/shutdown_timeout = "30s"  # default'
    ])
      assert.ok(lines.includes(line), `${line} is missing in\n${stdout}`)
    assert.ok(!stdout.includes('hunter2'))
  })
})
