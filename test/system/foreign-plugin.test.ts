// A folder outside the repository with one of everything that a plugin can bring, loaded by config alone and used over real Kafka.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, jsonLines, nexstream, start } from '../cli/child.js'
import { entry, group } from '../filewriter/harness.js'
import { type Control } from '../support/control.js'
import { readNexus } from '../support/nexus.js'
import { WholePlugin } from '../support/whole-plugin.js'

type Json = Readonly<Record<string, unknown>>

describe('a plugin with one of everything', function () {
  this.timeout(180_000)
  let folder: string
  let config: string
  let topics: WholePlugin['topics']
  let whole: WholePlugin | undefined
  let daemon: Child | undefined
  let control: Control

  const cli = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await nexstream([...args, '--config', config, '--timeout', '60s'])
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }
  const cliJson = (...args: string[]): Promise<Json[]> =>
    jsonLines([...args, '--json', '--config', config, '--timeout', '60s'])

  before(async () => {
    whole = await WholePlugin.open({ use: './plugin' })
    ;({ folder, config, topics, control } = whole)
    daemon = start(['run', config])
    await daemon.says(/is up as/)
  })

  after(async () => {
    await daemon?.close()
    await whole?.close()
  })

  it('is listed with all its parts', async () => {
    const [mine] = (await cliJson('plugins', 'list')).filter(({ name }) => name === 'lamps')
    const parts = ['source lamp', 'converter lm00', 'writer lamps', 'service lamp', 'reporter lamp-report', 'dialect lamp', 'tool lamp-names'] // prettier-ignore
    assert.deepEqual(mine?.['parts'], parts)
  })

  it('brings a tool and the commands of its service to the command line', async () => {
    const help = await cli('--help')
    assert.match(help, /^ {2}lamp-names .* names of the lamps in a file of readings$/m)
    assert.match(help, /^ {2}light +send 'light' to a service$/m)
    const keys = await cli('light', 'lamp', '--help')
    assert.match(keys, /^ {2}name +string, required\n +Name of the lamp\.$/m)
    assert.match(keys, /^ {2}steps +integer ≥ 1, default 4\n +Steps to full brightness\.$/m)
    assert.match(keys, /\{"cmd":"light","service":"lamp","name":"hall","topic":"lamps"\}/)
    assert.match(await cli('completion', 'bash'), /'light lamp'\)/)
    const file = join(folder, 'readings.txt')
    writeFileSync(file, 'hall\t1\nhall\t2\ndesk\t1\n')
    assert.equal(await cli('lamp-names', file, '--upper'), 'HALL\nDESK\n')
    assert.deepEqual(await cliJson('lamp-names', file), [{ names: ['hall', 'desk'], converter: 'lm00' }])
    writeFileSync(file, '')
    assert.equal((await nexstream(['lamp-names', file, '--config', config])).code, 5)
  })

  it('is checked: its options, its commands, and what it says of them itself', async () => {
    const findings = async (content: object, ...args: string[]): Promise<string[]> => {
      const file = join(folder, 'checked.json')
      writeFileSync(file, JSON.stringify(content))
      const { stdout, stderr } = await nexstream(['check', file, '--json', '--config', config, ...args])
      assert.equal(stderr.includes('INTERNAL'), false, stderr)
      const lines = stdout.split('\n').filter(Boolean)
      return lines.map((line) => JSON.parse(line) as Json).map(({ code, path }) => `${String(code)} ${String(path)}`)
    }
    const light = { cmd: 'light', service: 'lamp', name: 'hall', topic: 'lamps' }
    assert.deepEqual(await findings(light), [])
    assert.deepEqual(await findings({ ...light, steps: 0, colour: 'red' }), ['COMMAND_INVALID /colour', 'COMMAND_INVALID /steps']) // prettier-ignore
    assert.deepEqual(await findings({ ...light, name: 'moon' }), ['COMMAND_INVALID /name'])
    assert.deepEqual(await findings({ cmd: 'ligth' }), ['COMMAND_UNKNOWN /cmd'])
    const options = { services: { lamp: { forbiden: 'sun' } }, plugins: [{ use: './plugin' }] }
    assert.deepEqual(await findings(options), ['CONFIG_INVALID /services/lamp/forbiden'])
    assert.deepEqual((await nexstream(['check', config])).code, 0)
  })

  it('is commanded, answers, and what it sends can be read', async () => {
    const help = (await control.send({ cmd: 'help' }))['result'] as { commands: Json[] }
    const mine = help.commands.filter(({ service }) => service === 'lamp').map(({ cmd }) => cmd)
    assert.deepEqual(mine, ['dim', 'light'])
    const dark = await control.send({ cmd: 'dim', service: 'lamp', name: 'hall', topic: topics.data })
    assert.deepEqual([dark['response'], dark['status'], dark['message']], ['ERR', 500, 'COMMAND_FAILED: /name: no lamp is lit']) // prettier-ignore
    const wrong = await control.send({ cmd: 'light', service: 'lamp', topic: topics.data })
    assert.deepEqual((wrong['errors'] as Json[])[0]?.['path'], '/name')
    // Without its service, which only one has; from the command line, with the default of its schema
    const [lit] = await cliJson('light', 'lamp', 'name=hall', `topic=${topics.data}`)
    assert.equal(lit?.['message'], 'lamp hall is lit in 4 steps')
    await control.wait(({ topic, value }) => topic === topics.data && value.toString().endsWith('\t1'), 'full brightness') // prettier-ignore
    await control.json((json) => json['lamp_report'] === 1, 'the report of the lamp')
    const state = (await control.send({ cmd: 'status' }))['result'] as { services: Json }
    assert.deepEqual(state.services['lamp'], { state: 'lit', lit: 1 })
    const out = await control.send({ cmd: 'dim', name: 'hall', topic: topics.data })
    assert.deepEqual([out['response'], out['result']], ['ACK', { offset: 4 }], JSON.stringify(out))
    const tail = await cliJson('tail', topics.data)
    assert.deepEqual(
      tail.map(({ file_identifier, message }) => [file_identifier, (message as Json)['source'], (message as Json)['value']]), // prettier-ignore
      [0.25, 0.5, 0.75, 1, 0].map((value) => ['lm00', 'hall', value])
    )
    const [source] = await cliJson('sources', topics.data)
    assert.deepEqual([source?.['schema'], source?.['source'], source?.['count']], ['lm00', 'hall', 5])
    const [shown] = await cliJson('status')
    assert.deepEqual((shown?.['services'] as Json)['lamp'], { state: 'dark', lit: 0 })
  })

  it('is commanded in its own dialect', async () => {
    const { producer } = control
    producer.send({ topic: topics.words, value: `LAMP light desk ${topics.data}` })
    producer.send({ topic: topics.words, value: 'LAMP light' })
    const said = (text: RegExp): Promise<unknown> =>
      control.wait(({ topic, value }) => topic === topics.answers && text.test(value.toString()), String(text))
    await said(/^LAMP ok lamp desk is lit in 4 steps$/)
    await said(/^LAMP no .*name/)
  })

  it('writes what it sent into a file', async () => {
    const structure = entry(group('hall', 'lamps', topics.data, 'hall'))
    const times = { start_time: Date.now() - 600_000, stop_time: Date.now() }
    const job = { cmd: 'start', service: 'filewriter', job_id: 'lamps', file_name: 'lamps.nxs', ...times }
    const started = await control.send({ ...job, nexus_structure: structure })
    assert.equal(started['response'], 'ACK', JSON.stringify(started))
    const done = await control.json((json) => json['event'] === 'writing_done', 'the end of the job')
    assert.equal(done['error_encountered'], false, JSON.stringify(done))
    const content = await readNexus(join(folder, 'lamps.nxs'), ['/entry/hall/value', '/entry/hall/time@units'])
    assert.deepEqual(Object.values(content), [[0.25, 0.5, 0.75, 1, 0], 'ns'])
  })
})
