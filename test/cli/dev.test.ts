// `nexstream dev` from the packed tarball: everything runs, says where it is, and ends clean.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { kafka } from '../support/kafka.js'
import { type Child, jsonLines, start } from './child.js'
import { type Packed, packed } from './packed.js'

describe('nexstream dev', function () {
  this.timeout(300_000)
  let folder: string
  let brokers: string
  let elsewhere: Packed
  const instrument = `DEV${randomBytes(4).toString('hex')}`
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-dev-test-'))
    brokers = (await kafka()).brokers.join(',')
    elsewhere = await packed()
  })
  after(() => {
    elsewhere.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  const dev = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Child =>
    start(['dev', '--instrument', instrument, '-b', brokers, '--events', '50', ...args], {
      program: elsewhere.program,
      cwd: elsewhere.folder,
      env
    })

  it('measures with an IOC, an instrument and all services until Ctrl-C, and keeps what it was told to', async () => {
    const data = join(folder, 'kept')
    const child = dev(['--data', data])
    try {
      await child.says(/Ctrl-C ends it/, 'stdout')
      const page = /page +(http:\S+)/.exec(child.stdout)?.[1] ?? ''
      assert.match(await (await fetch(page)).text(), /<title>/)
      const config = join(data, 'nexstream.toml')
      const [daemon] = await jsonLines(['status', '--json', '--config', config, '-b', brokers, '--timeout', '60s'])
      const jobs = daemon?.['jobs'] as { service: string; state: string }[]
      assert.deepEqual(jobs.map(({ service }) => service).toSorted(), ['filewriter', 'histogram', 'simulator'])
      // Values of the IOC arrive
      const args = ['tail', `${instrument}_sample_env`, '-f', '-n', '5', '--filter', 'f142', '-b', brokers]
      const tail = start(args)
      await tail.says(/SE:TEMP[^\n]*\n[^\n]*SE:TEMP[^\n]*\n[^\n]*SE:TEMP/, 'stdout')
      await tail.close()
      child.kill('SIGINT')
      const { code, stdout, stderr } = await child.ended
      assert.equal(code, 0, stderr)
      assert.match(stdout, new RegExp(`everything is kept in ${data}`))
      assert.doesNotMatch(stdout, /daemon: .*(ERROR|WARN)/)
      const [name = '', ...more] = readdirSync(join(data, 'files'))
      assert.deepEqual([/^demo-.*\.nxs$/.test(name), more], [true, []])
      assert.ok(stdout.includes(`${join(data, 'files', name)}  `))
      const [shown] = await jsonLines(['show', '--json', join(data, 'files', name)])
      const [entry] = shown?.['entries'] as { events: number; log_values: number }[]
      assert.ok(entry !== undefined && entry.events > 0 && entry.log_values >= 6, JSON.stringify(entry))
    } finally {
      await child.close()
    }
  })

  it('does without Python, and without --data leaves nothing', async () => {
    const child = dev(['--for', '1s'], { NEXSTREAM_PYTHON: '/nowhere/python' })
    const { code, stdout, stderr } = await child.ended
    assert.equal(code, 0, stderr)
    assert.match(stdout, /no IOC: Python 3\.11 or 3\.12/)
    assert.match(stdout, /nothing of it is kept; give --data/)
    const config = /config +(\S+)/.exec(stdout)?.[1] ?? ''
    assert.ok(config.endsWith('/nexstream.toml') && !existsSync(config), config)
  })

  it('says what is wrong with what it is given, and with brokers that are not there', async () => {
    const refused = async (args: readonly string[]): Promise<[number | null, string]> => {
      const { code, stderr } = await start(['dev', ...args]).ended
      return [code, stderr]
    }
    assert.deepEqual(await refused(['--events', 'many']), [
      2,
      "CLI_USAGE: --events: 'many' is no whole number; write 0, 1, 2 …\n"
    ])
    const [code, said] = await refused(['-b', 'here'])
    assert.deepEqual([code, said], [2, "CLI_USAGE: 'here' is no broker; write host:port\n"])
    assert.match((await refused(['--instrument', 'a b']))[1], /^CLI_USAGE: --instrument 'a b': letters/)
  })

  it('has an IOC of the versions that the tests take', () => {
    const lines = (file: string): string[] =>
      readFileSync(join(packageRoot, file), 'utf8').split('\n').filter((line) => /^[^#\s]/.test(line)) // prettier-ignore
    const tested = lines('test/support/python/requirements.txt')
    assert.deepEqual(lines('plugins/tools-dev/ioc/requirements.txt').filter((line) => !tested.includes(line)), []) // prettier-ignore
  })
})
