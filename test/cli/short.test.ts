// The short forms of every day on a real Kafka: `forward`, `write`, and who reads what with `topics --groups`.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { entry, group } from '../filewriter/harness.js'
import { kafka, testTopics } from '../support/kafka.js'
import { until } from '../support/forwarder/live.js'
import { OnTerminal } from '../support/terminal.js'
import { type Child, jsonLines, nexstream, program, start } from './child.js'

describe('short forms', function () {
  this.timeout(180_000)
  let folder: string
  let config: string
  let brokers: string
  let data: string
  let copy: string
  let daemon: Child | undefined

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-short-'))
    brokers = (await kafka()).brokers.join(',')
    const topics = await testTopics(['commands', 'status', 'data', 'copy'])
    ;({ data, copy } = topics)
    config = join(folder, 'nexstream.toml')
    const group = `[[commands.listen]]\ntopic = "${topics.commands}"\ngroup = "${topics.commands}-group"\nreply_topic = "${topics.status}"\n`
    writeFileSync(config, `kafka = { brokers = ${JSON.stringify(brokers.split(','))} }
status = { topic = "${topics.status}" }
services = { forwarder = { default_protocol = "sim" }, filewriter = { folder = "." } }
${group}`) // prettier-ignore
    daemon = start(['run', config], { cwd: folder })
    await daemon.says(/is up as/)
  })
  after(async () => {
    await daemon?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const good = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await nexstream([...args, '--config', config, '--timeout', '60s'])
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }

  it('forward PVs, write them into a file and wait for it, and forward them no longer', async () => {
    assert.match(await good('forward', 'SIM:A', 'sim://SIM:B', '--topic', data), /^ACK 200 2 added/)
    assert.match(await good('forward', 'SIM:B', '--topic', data, '--stop'), /^ACK 200 1 removed/)
    const seen = start(['tail', data, '-f', '--filter', 'f144', '--source', 'SIM:A', '--config', config])
    await seen.says(/ SIM:A /, 'stdout')
    await seen.close()
    const structure = join(folder, 'structure.json')
    writeFileSync(structure, JSON.stringify(entry(group('a', 'f144', data, 'SIM:A'))))
    const said = await good('write', structure, '--name', 'short.nxs', '--from', '-10min', '--for', '601s', '--job', 'short', '--wait') // prettier-ignore
    assert.match(said, /^ACK 201 writing /)
    assert.match(said, /\ndone \S*short\.nxs {2}complete: /)
    const [shown] = await jsonLines(['show', join(folder, 'short.nxs'), '--json'])
    assert.ok(((shown?.['entries'] as { log_values: number }[])[0]?.log_values ?? 0) > 0)
    const lines = await good('write', structure, '--name', 'again.nxs', '--from', '-10min', '--for', '601s', '--wait', '--json') // prettier-ignore
    const [reply, job, ...more] = lines.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>) // prettier-ignore
    assert.deepEqual([reply?.['response'], job?.['job_id'], job?.['state'], more], ['ACK', reply?.['job_id'], 'done', []]) // prettier-ignore
    assert.match(await good('forward', 'SIM:*', '--stop'), /^ACK 200 1 removed/)
  })

  it('produce sends what tail prints, decoded or raw, and JSON of any kind', async () => {
    const printed = async (topic: string, ...args: string[]): Promise<Record<string, unknown>[]> =>
      jsonLines(['tail', topic, '-n', '1000', '--config', config, '--timeout', '60s', ...args])
    const before = await printed(data, '--json')
    const raw = (await printed(data, '--raw')).map((line) => JSON.stringify(line)).join('\n')
    const send = async (input: string): Promise<string> => {
      const { code, stdout, stderr } = await nexstream(['produce', copy, '--config', config], { input })
      assert.equal(code, 0, stderr)
      return stdout
    }
    const decoded = before.map((line) => JSON.stringify(line)).join('\n')
    assert.ok(before.length > 3)
    assert.equal(await send(decoded), `${before.length} messages into ${copy}\n`)
    await send(raw)
    await send(
      '# words\n\n{"file_identifier": "json", "message": {"n": 12345678901234567890}, "key": "k"}\n{"value": null, "key": "gone"}'
    )
    const after = await printed(copy, '--json')
    const content = ({ key, file_identifier: id, message }: Record<string, unknown>): unknown => ({ key, id, message })
    const two = [...before, ...before].map(content)
    assert.deepEqual(after.slice(0, two.length).map(content), two)
    // Bytes as they were
    const bytes = (await printed(copy, '--raw')).slice(before.length, two.length).map(({ value }) => value)
    assert.deepEqual(bytes, (await printed(data, '--raw')).map(({ value }) => value)) // prettier-ignore
    assert.deepEqual(after.slice(two.length).map(({ key, file_identifier: id }) => [key, id]), [['k', 'json'], ['gone', null]]) // prettier-ignore
    const wrong = await nexstream(['produce', copy, '--config', config], { input: '{"message": 1}' })
    assert.deepEqual([wrong.code, wrong.stdout], [2, ''])
    assert.match(wrong.stderr, /^FILE_READ: -: line 1: write \{"file_identifier": "f144", "message"/)
    const bad = await nexstream(['produce', copy, '--config', config], {
      input: '{"file_identifier": "f145", "message": {}}'
    })
    assert.match(bad.stderr, /^FILE_READ: -: line 1: .*f145/)
  })

  it('say what is wrong before anything is sent', async () => {
    const structure = join(folder, 'wrong.json')
    writeFileSync(structure, '{"children": []}')
    const cases: [string[], RegExp][] = [
      [['forward', 'A'], /^CLI_USAGE: no topic for the values; give --topic TOPIC/],
      [['forward', 'A B', '--topic', 'x'], /^CLI_USAGE: 'A B' is no PV/],
      [['write', structure], /^CLI_USAGE: required option '--name <file>' not specified/],
      [['write', structure, '--name', 'x', '--wait'], /^CLI_USAGE: --wait would wait for ever; give --for or --to/],
      [['write', structure, '--name', 'x', '--for', '1s', '--to', 'now'], /^CLI_USAGE: give --for or --to, not both/],
      [['write', structure, '--name', 'x', '--to', '-5min', '--from', 'now'], /^CLI_USAGE: the end is not after the begin/],
      [['write', structure, '--name', 'x', '--to', '-5min'], /^CLI_USAGE: the end is not after the begin/],
      [['write', config, '--name', 'x'], /^COMMAND_JSON: nexstream\.toml is no valid JSON/]
    ] // prettier-ignore
    for (const [given, said] of cases) {
      const { code, stderr } = await nexstream([...given, '--config', config])
      assert.match(stderr, said)
      assert.equal(code, 2, stderr)
    }
  })

  it('topics --groups tells who reads a topic, and how far behind he is', async () => {
    const commands = (await good('topics')).match(/^commands-\S+/m)?.[0] ?? ''
    const rows = await jsonLines(['topics', '--groups', '--json', '-b', brokers])
    const ours = rows.filter(({ topic }) => String(topic).startsWith('commands-'))
    const [row] = ours.filter(({ group }) => group === `${String(ours[0]?.['topic'])}-group`)
    assert.ok(row !== undefined && Number(row['committed']) > 0 && row['lag'] === 0, JSON.stringify(rows))
    assert.match(await good('topics', String(row['topic']), '--groups'), /^group +topic +partition +lag +committed\n/)
    assert.ok(commands !== '')
    const none = await nexstream(['topics', data, '--groups', '--config', config])
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'no group has offsets of these topics\n'])
  })

  it('status --watch shows on 80 columns how far a job is', async () => {
    await good('forward', 'SIM:FAR', '--topic', copy)
    const structure = join(folder, 'far.json')
    writeFileSync(structure, JSON.stringify(entry(group('far', 'f144', copy, 'SIM:FAR'))))
    await good('write', structure, '--name', 'far.nxs', '--job', 'a-job-of-today-with-a-long-name')
    const terminal = await OnTerminal.run([process.execPath, program, 'status', '--watch', '--config', config])
    try {
      const row = /^a-job-of-today-… +filewriter +running +\S+ +messages=(\d+) file_bytes=\d/m
      const messages = (): number => Number(row.exec(terminal.lines().join('\n'))?.[1] ?? NaN)
      await terminal.shows(row)
      const before = messages()
      await until(() => messages() > before)
      for (const line of terminal.lines()) assert.ok(line.length <= 80, line)
      await terminal.interrupt()
    } finally {
      await terminal.close()
    }
    await good('stop', 'filewriter', 'job_id=a-job-of-today-with-a-long-name')
    await good('forward', 'SIM:FAR', '--stop')
  })
})
