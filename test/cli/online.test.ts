// The sub-commands against a real Kafka and a real daemon, all as child processes: for people and for scripts.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createProgram } from '../../commands/cli/program.js'
import { broughtBy } from '../../commands/cli/program-plugins.js'
import { connectKafka } from '../../core/kafka/client.js'
import { loadPlugins } from '../../core/loader.js'
import { packageRoot } from '../../core/root.js'
import { type JobReport } from '../../plugins/service-filewriter/structure/report.js'
import { allCommands, helpText } from '../../docs/generate/cli-page.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { entry, group } from '../filewriter/harness.js'
import { kafka } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { type Child, cleanEnv, type Ended, jsonLines, nexstream, program, start } from './child.js'

type Json = Readonly<Record<string, unknown>>
const shell = promisify(execFile)

describe('command line on a real Kafka', function () {
  this.timeout(180_000)
  const instrument = `CLI${randomBytes(4).toString('hex')}`
  const topic = (name: string): string => `${instrument}_${name}`
  let folder: string
  let config: string
  let brokers: string
  let daemon: Child | undefined
  /** Runs a sub-command with the config. */
  const cli = (...args: string[]): Promise<Ended> => nexstream([...args, '--config', config, '--timeout', '60s'])
  const cliJson = (...args: string[]): Promise<Json[]> => jsonLines([...args, '--json', '--config', config, '--timeout', '60s']) // prettier-ignore
  const good = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli(...args)
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }

  const offline = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await nexstream(args)
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-cli-'))
    brokers = (await kafka()).brokers.join(',')
    config = join(folder, 'nexstream.toml')
    const topics = ['commands', 'status', 'events', 'monitor', 'data'].map((name) => `[[topics]]\nname = "{instrument}_${name}"\n`) // prettier-ignore
    writeFileSync(config, `
[daemon]
service_id = "cli-daemon"
instrument = "${instrument}"
[kafka]
brokers = ${JSON.stringify(brokers.split(','))}
[commands]
topic = "${topic('commands')}"
[status]
topic = "${topic('status')}"
interval = "300ms"
[services.forwarder]
default_protocol = "sim"
[services.filewriter]
folder = "."
late_data_ms = 200
progress_ms = 100
[services.simulator]
${topics.join('')}`) // prettier-ignore
  })
  after(async () => {
    await daemon?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('provision makes the topics once, shows it before, and never takes away', async () => {
    const dry = await good('provision', '--dry-run')
    assert.match(dry, new RegExp(`^${topic('data')} +would be created`, 'm'))
    const made = await cliJson('provision')
    assert.deepEqual(made.map(({ name, action }) => `${String(name)} ${String(action)}`), ['commands', 'status', 'events', 'monitor', 'data'].map((name) => `${topic(name)} created`)) // prettier-ignore
    assert.ok((await cliJson('provision')).every(({ action }) => action === 'unchanged'))
    const wider = ['--set', `topics=[{"name": "${topic('data')}", "partitions": 3}]`]
    assert.match(await good('provision', ...wider), /changed +partitions 1 → 3/)
    const narrow = await cli('provision')
    assert.deepEqual([narrow.code, narrow.stdout], [1, ''])
    assert.match(narrow.stderr, new RegExp(`^TOPIC_SHRINK: .*${topic('data')}`))
  })

  it('topics lists partitions, offsets and counts', async () => {
    const rows = await cliJson('topics', topic('data'))
    assert.deepEqual(rows, [0, 1, 2].map((partition) => ({ topic: topic('data'), partition, replication: 1, earliest: 0, next: 0, messages: 0, leader: 1, replicas: [1], in_sync: [1] }))) // prettier-ignore
    assert.match(await good('topics'), new RegExp(`^${topic('events')} +0 +0 +1 +1/1 +0 +0$`, 'm'))
  })

  it('run comes up with it', async () => {
    daemon = start(['run', config], { cwd: folder })
    await daemon.says(/is up as cli-daemon/)
  })

  it('send takes a file or standard input, prints the answer and ends with its verdict', async () => {
    const file = join(folder, 'status.json')
    writeFileSync(file, '{"cmd": "status", "msg_id": "who"}')
    assert.match(await good('send', file), /^ACK 200 status\n\{\n {2}"type": "nexstream_status"/)
    const [answer] = await cliJson('send', file)
    assert.deepEqual([answer?.['response'], answer?.['msg_id'], answer?.['service_id']], ['ACK', 'who', 'cli-daemon'])
    const wrong = await nexstream(['send', '-', '--config', config], { input: '{"cmd": "jobs", "job_id": 7}' })
    assert.equal(wrong.code, 4)
    assert.match(wrong.stdout, /^ERR 400 COMMAND_INVALID: \/job_id: /)
    assert.match(wrong.stderr, /^COMMAND_INVALID \/job_id must be of type string$/m)
    const broken = await nexstream(['send', '-', '--config', config], { input: '{"cmd": ' })
    assert.equal(broken.code, 2)
    assert.match(broken.stderr, /^COMMAND_JSON: - is no valid JSON/)
  })

  it('start, jobs and stop steer a run of the simulator, whose counts the topics hold', async () => {
    const options = 'options={"seed": 3, "pulse_rate": 100}'
    const text = await good('start', 'simulator', 'job_id=sim', `topic=${topic('events')}`, `monitor_topic=${topic('monitor')}`, 'schema=ev44', options) // prettier-ignore
    assert.match(text, /^ACK 201 .* job sim$/m)
    const twice = await cli('start', 'simulator', `topic=${topic('no-such-topic')}`)
    assert.equal(twice.code, 4)
    const [job] = await cliJson('jobs', 'sim')
    assert.deepEqual([job?.['job_id'], job?.['service']], ['sim', 'simulator'])
    assert.match(await good('jobs'), /^job +service +state +time +progress\nsim +simulator +(running|done) +\d:\d\d:\d\d +.*pulses=/) // prettier-ignore
    const [absent] = (await cli('jobs', 'nobody')).stdout.split('\n')
    assert.match(absent ?? '', /^ERR 404 JOB_UNKNOWN/)
    const [stopped] = await cliJson('stop', 'simulator', 'job_id=sim')
    assert.equal(stopped?.['response'], 'ACK')
    const { runs } = stopped?.['result'] as { runs: { topics: Readonly<Record<string, { messages: number }>> }[] }
    const messages = runs[0]?.topics[topic('events')]?.messages ?? 0
    assert.ok(messages > 0)
    assert.equal(await good('count', topic('events')), `${messages}\n`)
    assert.deepEqual(await cliJson('count', topic('events')), [{ topic: topic('events'), messages }])
    const [source] = await cliJson('sources', topic('events'))
    assert.deepEqual([source?.['schema'], source?.['source'], source?.['count']], ['ev44', 'amor_detector', messages])
    assert.deepEqual(source?.['partitions'], [0])
    const human = await cli('sources', topic('events'))
    assert.match(human.stdout, new RegExp(`^ev44 +amor_detector +0 +${messages} `, 'm'))
    assert.match(human.stderr, new RegExp(`^${messages} messages of 1 sources$`, 'm'))
  })

  it('start and stop steer the forwarder, whose values tail, sources and pvs show', async () => {
    const streams = JSON.stringify([{ channel: 'COUNTER', converter: 'f144', topic: topic('data'), source_options: { shape: 'counter', rate: 1000, updates: 25 } }]) // prettier-ignore
    assert.match(await good('start', 'forwarder', `streams=${streams}`), /^ACK 200 1 added/)
    const reader = start(['tail', topic('data'), '--config', config, '--follow', '--offset', '0', '--filter', 'f144', '--json']) // prettier-ignore
    await reader.says(/"value":24[},]/, 'stdout')
    reader.kill('SIGINT')
    await reader.ended
    assert.match(await good('stop', 'forwarder', 'all=true'), /^ACK 200 1 removed/)
    const lines = await cliJson('tail', topic('data'), '--last', '100', '--filter', 'f144', '--source', 'COUNTER')
    const values = lines.map(({ message }) => (message as { value: { value: { value: number } } }).value.value.value)
    assert.deepEqual(values, [...Array(25).keys()])
    for (const line of lines) assert.deepEqual([line['topic'], line['key'], line['file_identifier']], [topic('data'), 'COUNTER', 'f144']) // prettier-ignore
    const text = await good('tail', topic('data'), '-n', '1', '--filter', 'f144')
    assert.match(text, new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} ${topic('data')}\\[\\d\\]@\\d+ f144 COUNTER value=24$`, 'm')) // prettier-ignore
    assert.match(await good('pvs', topic('data')), /^COUNTER +24 +\S+ +\S+ +f144 +25 +\d+ s$/m)
    const [pv] = await cliJson('pvs', topic('data'))
    assert.deepEqual([pv?.['name'], pv?.['value'], pv?.['updates']], ['COUNTER', '24', 25])
  })

  it('start and stop steer the file writer, whose file show explains', async () => {
    const structure = join(folder, 'structure.json')
    writeFileSync(structure, JSON.stringify(entry(group('counter', 'f144', topic('data'), 'COUNTER'))))
    const args = ['start', 'filewriter', 'job_id=file', 'file_name=run.nxs', `nexus_structure=@${structure}`]
    assert.match(await good(...args, 'start_time=-10min', 'stop_time=now'), /^ACK 201 writing .*run\.nxs {2}job file$/m)
    const again = await cli(...args.map((arg) => arg.replace('job_id=file', 'job_id=again')))
    assert.equal(again.code, 4)
    assert.match(again.stdout, /^ERR 409 FILE_EXISTS/)
    const input = await good('tail', topic('data'), '--raw', '--last', '100')
    const [made] = await jsonLines(['make-file', structure, '-', '-o', 'raw.nxs', '--json'], { cwd: folder, input })
    assert.equal((made as unknown as JobReport).streams[0]?.written, 25)
    await daemon?.says(/job file: .*run\.nxs/)
    const [job] = await cliJson('jobs', 'file')
    assert.deepEqual([job?.['state'], job?.['bad'], job?.['lost']], ['done', 0, false])
    const { streams, without_data: none } = job?.['report'] as JobReport
    assert.deepEqual([streams[0]?.path, streams[0]?.written, none], ['/entry/counter', 25, []])
    await readNexus(join(folder, 'run.nxs'), [])
    const text = await offline('show', join(folder, 'run.nxs'))
    assert.match(text, /run\.nxs {2}\d+\.\d kB\n\/entry[\s\S]*0 events, 25 log values/)
    assert.match(text, /\/entry\/counter +NXlog +25 /)
    const [summary] = await jsonLines(['show', join(folder, 'run.nxs'), '--json'])
    assert.equal((summary?.['entries'] as { log_values: number }[])[0]?.log_values, 25)
    const absent = await nexstream(['show', join(folder, 'absent.nxs')])
    assert.equal(absent.code, 2)
    assert.match(absent.stderr, /^FILE_READ: /)
  })

  it('repair brings a damaged file back, and leaves a good one alone', async () => {
    const file = join(folder, 'cut.nxs')
    copyFileSync(join(folder, 'run.nxs'), file)
    chmodSync(file, 0o644)
    assert.deepEqual(await jsonLines(['repair', file, '--json']), [{ file, path: file, actions: [], notes: [] }])
    truncateSync(file, statSync(file).size - 16)
    const [repaired] = await jsonLines(['repair', file, '--json'])
    assert.ok((repaired?.['actions'] as string[]).length > 0)
    assert.equal(await offline('repair', file), `${file}: is good, nothing was changed\n`)
    assert.match(await offline('show', file), /\/entry\/counter +NXlog/)
    await readNexus(file, [])
    writeFileSync(file, 'no HDF5 at all, only words')
    const { code, stderr } = await nexstream(['repair', file])
    assert.deepEqual([code, /^(HDF5_FAILED|FILE_READ): /.test(stderr)], [stderr.startsWith('FILE_READ') ? 2 : 1, true])
  })

  it('status shows daemons, services and jobs, once or on and on', async () => {
    const text = await good('status')
    assert.match(text, /^cli-daemon +alive +\d+ s +\S+ on \S+ pid \d+$/m)
    assert.match(text, /^ +filewriter +idle +.*jobs_done=1/m)
    assert.match(text, /^file +filewriter +done +/m)
    const [snapshot] = await cliJson('status')
    assert.deepEqual([snapshot?.['type'], snapshot?.['service_id']], ['nexstream_status', 'cli-daemon'])
    const watch = start(['status', '--watch', '--json', '--config', config])
    await watch.says(/(.+\n){3}/, 'stdout')
    watch.kill('SIGINT')
    await watch.ended
    const times = watch.stdout.trim().split('\n').slice(0, 3).map((line) => (JSON.parse(line) as { time: string }).time) // prettier-ignore
    assert.equal(new Set(times).size, 3)
    assert.deepEqual(times.toSorted(), times)
  })

  it('decode prints message values from files and standard input', async () => {
    const value = logF144.encode({ source: 'pv', timestampNs: 1_700_000_000_000_000_001n, dtype: 'int32', value: -7 })
    const file = join(folder, 'message.bin')
    writeFileSync(file, value)
    const expected = { file_identifier: 'f144', message: { source_name: 'pv', value: { type: 'Int', type_id: 5, value: { value: -7 } }, timestamp: '1700000000000000001' } } // prettier-ignore
    const [fromFile] = await jsonLines(['decode', file])
    assert.deepEqual(fromFile, { file, ...expected })
    assert.deepEqual(await jsonLines(['decode', '-'], { input: value }), [expected])
    const mixed = await nexstream(['decode', config, file])
    assert.equal(mixed.code, 1)
    assert.match(mixed.stderr, /^MESSAGE_BAD: .*nexstream\.toml: /)
    assert.equal(mixed.stdout.trim().split('\n').length, 1)
  })

  it('prints everything to a slow reader, and takes a reader that leaves for no fault', async () => {
    const client = connectKafka({ brokers: brokers.split(',') })
    const producer = client.producer({})
    for (let i = 0; i < 3000; i++) producer.send({ topic: topic('monitor'), partition: 0, value: `{"n":${i},"padding":"${'x'.repeat(200)}"}` }) // prettier-ignore
    await producer.flush()
    await producer.close()
    await client.close()
    const args = [program, 'tail', topic('monitor'), '--config', config, '--json', '--last', '3000', '--filter', 'json']
    const slow = spawn(process.execPath, args, { env: cleanEnv(), stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(slow, 'close')
    // Its pipe is full long before the end, since nobody reads
    await once(slow.stdout, 'readable')
    await new Promise((resolve) => setImmediate(resolve))
    const chunks: Buffer[] = []
    for await (const chunk of slow.stdout) chunks.push(chunk as Buffer)
    assert.deepEqual(await ended, [0, null])
    const numbers = Buffer.concat(chunks).toString().trim().split('\n').map((line) => (JSON.parse(line) as { message: { n: number } }).message.n) // prettier-ignore
    assert.deepEqual(numbers, [...Array(3000).keys()])

    const command = `set -o pipefail; "$0" "$@" | head -n 1`
    const { stdout, stderr } = await shell('bash', ['-c', command, process.execPath, ...args], { env: cleanEnv() })
    assert.equal(stdout.trim().split('\n').length, 1)
    assert.equal(stderr, '')
  })

  it('says in one line what is wrong: usage, missing topics, nobody there', async () => {
    const cases: [args: string[], code: number, said: RegExp][] = [
      [['tail'], 2, /^CLI_USAGE: no topic named; write host:port\/topic/],
      [['tail', 'a b'], 2, /^CLI_USAGE: 'a b' in 'a b' is no topic name/],
      [['tail', topic('data'), '--time', 'last week'], 2, /^CLI_USAGE: 'last week' is no moment; write /],
      [['tail', topic('data'), '--last', 'many'], 2, /^CLI_USAGE: --last: 'many' is no whole number/],
      [['count', 'no-such-topic'], 1, /^TOPIC_MISSING: topic no-such-topic does not exist; create it with/],
      [['start', 'filewriter', 'file_name'], 2, /^CLI_USAGE: 'file_name': write key=value/],
      [['start', 'filewriter', 'nexus_structure=@absent.json'], 2, /^FILE_READ: absent\.json cannot be read/],
      [['jobs', '--topic', topic('monitor'), '--timeout', '1s'], 3, /^COMMAND_TIMEOUT: no answer to 'jobs' on .* does a daemon listen on/], // prettier-ignore
      [['jobs', '--timeout', '10'], 2, /^CLI_USAGE: '10' is no duration; write 500ms/],
      [['jobs', '--sett', 'a=b'], 2, /^CLI_USAGE: unknown option '--sett'/],
      [['jbos'], 2, /^CLI_USAGE: unknown command 'jbos'/],
      [['completion', 'tcsh'], 2, /^CLI_USAGE: no completion for 'tcsh'; there is bash, zsh, fish/]
    ]
    const check = async ([args, code, said]: (typeof cases)[number]): Promise<void> => {
      const given = ['jbos', 'completion'].includes(args[0] ?? '') ? args : [...args, '--config', config]
      const ended = await nexstream(given)
      assert.match(ended.stderr, said, args.join(' '))
      assert.deepEqual([ended.code, ended.stdout], [code, ''], args.join(' '))
    }
    await Promise.all(cases.map(check))
  })

  it('helps with every sub-command', async () => {
    const loaded = await loadPlugins({ plugins: [], baseFolder: packageRoot })
    const commands = allCommands(createProgram(undefined, await broughtBy(loaded)))
    await loaded.close()
    assert.ok(commands.length > 20)
    for (const { name, command } of commands) {
      const text = helpText(command)
      assert.ok(text.startsWith(`Usage: ${name} `), text)
      for (const { flags, description } of command.options) assert.ok(description.length > 5, `${name} ${flags}`)
      for (const argument of command.registeredArguments)
        assert.ok(argument.description.length > 5, `${name} ${argument.name()}`)
    }
    const [program, tail, unknown] = await Promise.all([['--help'], ['tail', '--help'], ['plugins', 'list', '--hlep']].map((args) => nexstream(args))) // prettier-ignore
    assert.match(program?.stdout ?? '', /^Usage: nexstream [\s\S]*Exit codes:\n {2}0 done/)
    assert.match(tail?.stdout ?? '', /^Usage: nexstream tail [\s\S]*--follow/)
    assert.deepEqual([program?.code, program?.stderr, tail?.code, tail?.stderr], [0, '', 0, ''])
    assert.deepEqual([unknown?.code, unknown?.stdout], [2, ''])
    assert.match(unknown?.stderr ?? '', /^CLI_USAGE: unknown option '--hlep'/)
  })

  it('sends the exit that ends the daemon', async () => {
    const file = join(folder, 'exit.json')
    writeFileSync(file, '{"cmd": "exit", "service_id": "cli-daemon"}')
    assert.equal(await good('send', file), 'ACK 200 shutting down\n')
    const ended = await daemon?.ended
    assert.equal(ended?.code, 0)
    assert.match(ended?.stderr ?? '', /INFO {2}stopping: command exit[\s\S]*INFO {2}stopped\n$/)
    assert.equal(readFileSync(config, 'utf8').length > 0, true)
  })
})
