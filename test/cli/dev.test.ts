// `nexstream dev` from the packed tarball: everything runs, says where it is, and ends clean.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual, promisify } from 'node:util'
import { packageRoot } from '../../core/root.js'
import { until } from '../support/forwarder/live.js'
import { kafka } from '../support/kafka.js'
import { PATIENCE_MS } from '../support/patience.js'
import { python } from '../support/python.js'
import { blocksOf, shows } from '../docs/page.js'
import { type Child, cleanEnv, jsonLines, nexstream, start } from './child.js'
import { type Packed, packed } from './packed.js'

/** Runs a program on a terminal that is closed once it says how it is ended, and waits for it. */
const onTerminal = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while b"Ctrl-C ends it" not in seen:
    seen += os.read(terminal, 4096)
os.close(terminal)
os.waitpid(pid, 0)
`

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
    start(['dev', '--instrument', instrument, '-b', brokers, '--events', '50', '--page-port', '0', ...args], {
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
      const send = (headers: Record<string, string>): Promise<Response> =>
        fetch(`${page}api/commands`, { method: 'POST', headers: { 'content-type': 'application/json', origin: page.slice(0, -1), ...headers }, body: '{"cmd": "status"}' }) // prettier-ignore
      const token = /token +(\S{32}) /.exec(child.stdout)?.[1] ?? ''
      assert.deepEqual([(await send({})).status, (await send({ authorization: `Bearer ${token}` })).status], [401, 200])
      const config = join(data, 'nexstream.toml')
      const logs = start(/nexstream (logs -f \S+)/.exec(child.stdout)?.[1]?.split(' ') ?? [])
      await logs.says(/ is up as demo/, 'stdout')
      await logs.close()
      // What a daemon says each second may be from before the last of them began
      await until(async () => {
        const [daemon] = await jsonLines(['status', '--json', '--config', config, '-b', brokers, '--timeout', '60s'])
        const jobs = (daemon?.['jobs'] ?? []) as { service: string }[]
        return isDeepStrictEqual(jobs.map(({ service }) => service).toSorted(), ['filewriter', 'histogram', 'simulator']) // prettier-ignore
      }, 60_000)
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
      // The file of the demo, which the README shows, is of the same facility
      const [block] = blocksOf('README.md').filter(({ text }) => text.includes('nexstream demo'))
      shows(block?.text ?? 'no such block', (await nexstream(['show', join(data, 'files', name)])).stdout, 'README.md')
      const other = await start(['dev', '--instrument', 'OTHER', '--data', data, '-b', brokers]).ended
      assert.deepEqual([other.code, /^CLI_USAGE: \S+nexstream\.toml has no topic "OTHER_commands": it is of another instrument/.test(other.stderr)], [2, true], other.stderr) // prettier-ignore
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

  /** Of the daemon, which is told before it is waited for. */
  const daemonOf = (child: Child): number => Number(/daemon pid (\d+)/.exec(child.stdout)?.[1])
  // A zombie has no command line
  const isRunning = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
    } catch {
      return false
    }
  }

  it('leaves no process and no folder when it is killed', async () => {
    const temporary = join(folder, 'temporary')
    mkdirSync(temporary)
    // A daemon that has nothing to say, and keeps its folder, does not miss its owner
    const child = dev(['--data', join(folder, 'killed')], { TMPDIR: temporary, NEXSTREAM_PYTHON: '/nowhere/python' })
    let pid = 0
    try {
      await child.says(/Ctrl-C ends it/, 'stdout')
      pid = daemonOf(child)
      assert.ok(isRunning(pid))
      assert.notDeepEqual(readdirSync(temporary), [])
      await child.close()
      const until = Date.now() + PATIENCE_MS
      while ((isRunning(pid) || readdirSync(temporary).length > 0) && Date.now() < until) await sleep(50)
      assert.deepEqual([isRunning(pid), readdirSync(temporary)], [false, []])
    } finally {
      await child.close()
      if (pid > 0 && isRunning(pid)) process.kill(pid, 'SIGKILL')
    }
  })

  it('finishes the file when its terminal is closed, where nothing can be said any more', async () => {
    const data = join(folder, 'closed')
    const words = [process.execPath, elsewhere.program, 'dev', '--instrument', instrument, '-b', brokers, '--page-port', '0', '--data', data] // prettier-ignore
    const env = cleanEnv({ NEXSTREAM_PYTHON: '/nowhere/python' })
    // Its exit code is Node's, which aborts at its very end without the terminal
    await promisify(execFile)(await python(), ['-c', onTerminal, ...words], { env })
    assert.match(readdirSync(join(data, 'files')).join(), /^demo-[^,]*\.nxs$/)
  })

  it('ends and says why when its daemon dies, and keeps the log of the last time', async () => {
    const data = join(folder, 'died')
    mkdirSync(data)
    writeFileSync(join(data, 'daemon.log'), 'the last time\n')
    const child = dev(['--data', data], { NEXSTREAM_PYTHON: '/nowhere/python' })
    try {
      await child.says(/Ctrl-C ends it/, 'stdout')
      process.kill(daemonOf(child), 'SIGKILL')
      const { code, stdout, stderr } = await child.ended
      assert.match(stderr, /^COMMAND_FAILED: the daemon ended with null; its log ends with: /m)
      assert.match(stdout, /✗ the file is not finished: the daemon ended/)
      assert.equal(code, 1)
      assert.match(readFileSync(join(data, 'daemon.log'), 'utf8'), /^the last time\n[^]*is up as/)
      assert.match(readdirSync(join(data, 'files')).join(), /^demo-[^,]*\.nxs\.part(,|$)/)
    } finally {
      await child.close()
    }
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
    const [unmade, reason] = await refused(['--data', join(elsewhere.program, 'x'), '-b', brokers])
    assert.deepEqual([unmade, /^CLI_USAGE: \S+main\.js\/x: ENOTDIR/.test(reason)], [2, true], reason)
    const [away, why] = await refused(['-b', '127.0.0.1:9', '--timeout', '300ms'])
    assert.equal(away, 3)
    assert.match(why, /^KAFKA_UNREACHABLE: 127\.0\.0\.1:9 does not serve: .*ECONNREFUSED/)
  })

  it('has an IOC of the versions that the tests take', () => {
    const lines = (file: string): string[] =>
      readFileSync(join(packageRoot, file), 'utf8').split('\n').filter((line) => /^[^#\s]/.test(line)) // prettier-ignore
    const tested = lines('test/support/python/requirements.txt')
    assert.deepEqual(lines('plugins/tools-dev/ioc/requirements.txt').filter((line) => !tested.includes(line)), []) // prettier-ignore
  })
})
