import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { durationMs } from './api/duration.js'
import { loadConfig, printConfig, requireConfig } from './config.js'

describe('config', () => {
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'nexstream-config-'))))
  after(() => rmSync(folder, { recursive: true }))
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  it('reads TOML, YAML and JSON alike', () => {
    const toml = loadConfig({ file: file('a.toml', '[kafka]\nbrokers = ["b:9092"]\n[status]\ntopic = "s"\n') })
    const yaml = loadConfig({ file: file('a.yaml', 'kafka:\n  brokers: ["b:9092"]\nstatus:\n  topic: s\n') })
    const json = loadConfig({ file: file('a.json', '{"kafka":{"brokers":["b:9092"]},"status":{"topic":"s"}}') })
    assert.deepEqual(toml.findings, [])
    assert.deepEqual(toml.config, yaml.config)
    assert.deepEqual(toml.config, json.config)
    assert.equal(toml.config.status.interval, '1s')
  })

  it('lets environment override the file and flags the environment, and says where each value came from', () => {
    const loaded = loadConfig({
      file: file('b.toml', '[status]\ntopic = "from_file"\ninterval = "3s"\n[log]\nlevel = "warn"\n'),
      env: {
        NEXSTREAM_STATUS__TOPIC: 'from_env',
        NEXSTREAM_LOG__LEVEL: 'debug',
        NEXSTREAM_BROKERS: 'x:1,y:2',
        OTHER: '1'
      },
      flags: { 'log.level': 'error' }
    })
    assert.deepEqual(loaded.findings, [])
    assert.equal(loaded.config.status.topic, 'from_env')
    assert.equal(loaded.config.log.level, 'error')
    assert.deepEqual(loaded.config.kafka['brokers'], ['x:1', 'y:2'])
    const printed = printConfig(loaded)
    assert.match(printed, /\/status\/topic = "from_env" {2}# NEXSTREAM_STATUS__TOPIC/)
    assert.match(printed, /\/status\/interval = "3s" {2}# .*b\.toml/)
    assert.match(printed, /\/log\/level = "error" {2}# --set log\.level/)
    assert.match(printed, /\/commands\/timeout = "5m" {2}# default/)
  })

  it('lets environment and flags win also over the words of librdkafka, and over a secret that comes another way', () => {
    const text = `[kafka]\n"bootstrap.servers" = "file:1"\n"sasl.password" = "f"\n[kafka.sasl]\nusername_file = "u"\n`
    const path = file('words.toml', text)
    const kafkaOf = (sources: Parameters<typeof loadConfig>[0]): unknown => loadConfig({ file: path, ...sources }).config.kafka // prettier-ignore
    const env = { NEXSTREAM_BROKERS: 'env:1', NEXSTREAM_KAFKA__SASL__USERNAME: 'me' }
    assert.deepEqual(kafkaOf({ env }), { brokers: ['env:1'], 'sasl.password': 'f', sasl: { username: 'me' } })
    const flags = { 'kafka.bootstrap.servers': 'flag:1', 'kafka.sasl.password_env': 'SECRET' }
    const expected = { 'bootstrap.servers': 'flag:1', sasl: { username: 'me', password_env: 'SECRET' } }
    assert.deepEqual(kafkaOf({ env, flags }), expected)
    const both = { NEXSTREAM_BROKERS: 'general:1', NEXSTREAM_KAFKA__BROKERS: '["special:1"]' }
    assert.deepEqual(kafkaOf({ env: both }), { brokers: ['special:1'], 'sasl.password': 'f', sasl: { username_file: 'u' } }) // prettier-ignore
  })

  it('names the origin of each bad value', () => {
    const path = file('origins.toml', '[status]\ninterval = "soon"\n')
    assert.throws(
      () => requireConfig({ file: path, env: { NEXSTREAM_LOG__LEVEL: 'loud' }, flags: { 'commands.max_bytes': '1' } }),
      (error: Error) =>
        /NEXSTREAM_LOG__LEVEL: \/log\/level: must be one of/.test(error.message) &&
        /--set commands\.max_bytes: \/commands\/max_bytes: /.test(error.message) &&
        /origins\.toml: \/status\/interval: /.test(error.message)
    )
  })

  it('warns of environment variables of its prefix that mean nothing', () => {
    const env = {
      NEXSTREAM_BROKRES: 'a:1',
      NEXSTREAM_LOG_LEVEL: 'debug',
      NEXSTREAM_CACHE: '/tmp',
      NEXSTREAM_SECRET: 'x'
    }
    const { warnings } = loadConfig({ env, flags: { 'kafka.sasl.password_env': 'NEXSTREAM_SECRET' } })
    assert.deepEqual(warnings, [
      'environment variable NEXSTREAM_BROKRES means nothing here; did you mean NEXSTREAM_BROKERS?',
      'environment variable NEXSTREAM_LOG_LEVEL means nothing here; did you mean NEXSTREAM_LOG__LEVEL?'
    ])
  })

  it('hides secrets', () => {
    const words = '"sasl.password" = "hunter2"\n"ssl.key.pem" = "hunter2"\n'
    const sections =
      '[kafka.sasl]\nusername = "u"\npassword = "hunter2"\n[kafka.ssl]\nkey = "hunter2"\npassphrase = "hunter2"\n'
    const text = `[kafka]\n${words}${sections}ca_file = "f"\n`
    const printed = printConfig(loadConfig({ file: file('c.toml', text) }))
    assert.doesNotMatch(printed, /hunter2/)
    assert.match(printed, /username = "u"/)
    assert.match(printed, /ca_file = "f"/)
  })

  it('shows what lies in a section whose name sounds like a secret', () => {
    const printed = printConfig(loadConfig({ file: file('t.toml', '[services.tokenizer]\nsize = 3\n') }))
    assert.match(printed, /size.*3/)
  })

  const broken: [string, string, string][] = [
    ['an unknown section', '[statuss]\ntopic = "a"\n', '/statuss'],
    ['an unknown key', '[status]\ntopik = "a"\n', '/status/topik'],
    ['a wrong type', '[commands]\nmax_bytes = "big"\n', '/commands/max_bytes'],
    ['a topic name Kafka refuses', '[status]\ntopic = "no spaces"\n', '/status/topic'],
    ['a value out of range', '[commands]\nmax_bytes = 3\n', '/commands/max_bytes'],
    ['a duration without unit', '[status]\ninterval = "2"\n', '/status/interval'],
    ['a plugin without `use`', '[[plugins]]\noptions = {}\n', '/plugins/0/use'],
    ['a wrong log level', '[log]\nlevel = "loud"\n', '/log/level'],
    ['an empty dialect list', '[[commands.listen]]\ntopic = "c"\ndialects = []\n', '/commands/listen/0/dialects'],
    ['a topic to provision with no partition', '[[topics]]\nname = "t"\npartitions = 0\n', '/topics/0/partitions']
  ]
  for (const [what, text, path] of broken) {
    it(`refuses ${what} with its path`, () => {
      const { findings } = loadConfig({ file: file('broken.toml', text) })
      assert.deepEqual(
        findings.map((finding) => [finding.code, finding.path]),
        [['CONFIG_INVALID', path]]
      )
    })
  }

  it('names the file, line and column of a syntax error', () => {
    assert.throws(
      () => loadConfig({ file: file('d.toml', '[status\n') }),
      (error: Error & { code?: string }) => error.code === 'CONFIG_FILE' && /d\.toml/.test(error.message)
    )
    assert.throws(() => loadConfig({ file: join(folder, 'absent.toml') }), { code: 'CONFIG_FILE' })
    assert.throws(() => loadConfig({ file: file('e.ini', 'a=b') }), { code: 'CONFIG_FILE' })
    assert.throws(() => requireConfig({ flags: { 'status.interval': 'soon' } }), {
      code: 'CONFIG_INVALID',
      path: '/status/interval'
    })
  })

  it('refuses prototype keys from the environment', () => {
    assert.throws(() => loadConfig({ flags: { '__proto__.polluted': 'yes' } }), { code: 'CONFIG_INVALID' })
    assert.equal(({} as { polluted?: string }).polluted, undefined)
  })

  it('reads durations', () => {
    assert.deepEqual(['500ms', '2s', '1.5h', 20].map(durationMs), [500, 2000, 5_400_000, 20])
  })
})
