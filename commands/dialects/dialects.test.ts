import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { check } from '../../core/check.js'
import { commandSchema, loadCommands } from '../../core/commands.js'
import { type Command } from '../../core/api/plugin.js'
import { type Loaded, loadPlugins } from '../../core/loader.js'
import { packageRoot } from '../../core/root.js'
import { decodeJson, encodeMessage } from '../../schemas/index.js'
import ess from './ess.js'
import fc00 from './fc00.js'
import filewriter2018 from './filewriter-2018.js'
import forwarder2018 from './forwarder-2018.js'

const golden = (name: string): Buffer => readFileSync(join(packageRoot, 'test/samples/golden', `${name}.bin`))
const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

let loaded: Loaded
before(async () => (loaded = await loadPlugins({ plugins: [], baseFolder: packageRoot })))
after(() => loaded.close())

/** The command is one that the canonical schema takes. */
async function fits(command: Command | undefined): Promise<Command> {
  assert.ok(command)
  const definition = (await loadCommands(loaded.host)).find(
    ({ cmd, service }) => cmd === command.cmd && service === command.service
  )
  assert.ok(definition, `${command.cmd} ${command.service}`)
  assert.deepEqual(check(commandSchema(definition), structuredClone(command)), [])
  return command
}

describe('dialect fc00', () => {
  it('reads ADD, REMOVE, REMOVEALL and REPLACE of fc00 and rf5k', async () => {
    const add = await fits(fc00.decode(golden('fc00-1')))
    assert.deepEqual(add['streams'], [
      { channel: 'SIM:PV1', protocol: 'pva', converter: 'f144', topic: 'topic_1', periodic_ms: 0 }
    ])
    const streams = [{ channel: 'A*', schema: 'nttable_se00', topic: '', protocol: { value: 1 }, periodic: 1 }]
    const message = (config_change: number, id = 'fc00'): Buffer =>
      encodeMessage(id, {
        config_change: { value: config_change },
        streams: id === 'rf5k' ? streams.map(({ periodic: _, ...rest }) => rest) : streams
      })
    assert.deepEqual((await fits(fc00.decode(message(1))))['streams'], [{ channel: 'A*', schema: 'se00' }])
    assert.deepEqual((await fits(fc00.decode(message(1, 'rf5k'))))['streams'], [{ channel: 'A*', schema: 'se00' }])
    assert.equal((await fits(fc00.decode(message(2))))['all'], true)
    assert.equal(fc00.decode(message(3))?.cmd, 'config')
    assert.equal(fc00.decode(golden('f142-1')), undefined)
    assert.equal(fc00.decode(text({ cmd: 'add' })), undefined)
  })

  it('refuses damaged messages', () => {
    assert.throws(() => fc00.decode(golden('fc00-1').subarray(0, 40)), { code: 'MESSAGE_BAD' })
  })
})

describe('dialect forwarder-2018', () => {
  it('reads add, stop_channel, stop_all and exit', async () => {
    const add = {
      cmd: 'add',
      streams: [
        {
          channel: 'PV',
          channel_provider_type: 'ca',
          converter: [
            { schema: 'f142', topic: 'host:9092/topic', name: 'n' },
            { schema: 'TdcTime', topic: '//host/t2' }
          ]
        }
      ]
    }
    assert.deepEqual((await fits(forwarder2018.decode(text(add))))['streams'], [
      {
        channel: 'PV',
        protocol: 'ca',
        converters: [
          { schema: 'f142', alarm: 'on_change', topic: 'topic', name: 'n' },
          { schema: 'tdct', values: 'seconds_and_ns', topic: 't2' }
        ]
      }
    ])
    assert.deepEqual((await fits(forwarder2018.decode(text({ cmd: 'stop_channel', channel: 'PV' }))))['channels'], [
      'PV'
    ])
    await fits(forwarder2018.decode(text({ cmd: 'stop_all' })))
    await fits(forwarder2018.decode(text({ cmd: 'exit' })))
    assert.equal(forwarder2018.decode(text({ cmd: 'start' })), undefined)
    assert.equal(forwarder2018.decode(golden('fc00-1')), undefined)
  })

  it('leaves what is wrong in a stream to the service, which does the others', async () => {
    const converter = { schema: 'f142', topic: 'h/t' }
    const wrong = [{ channel: 'PV' }, 'PV', { channel: 'PV', converter: { schema: 'f142' } }, { converter }]
    const streams = [...wrong, { channel: 'PV', converter }]
    const command = await fits(forwarder2018.decode(text({ cmd: 'add', streams })))
    assert.deepEqual(command['streams'], [
      { channel: 'PV', protocol: 'pva', converters: [{}] },
      { protocol: 'pva', converters: [{}] },
      { channel: 'PV', protocol: 'pva', converters: [{ schema: 'f142', alarm: 'on_change' }] },
      { protocol: 'pva', converters: [{ schema: 'f142', alarm: 'on_change', topic: 't' }] },
      { channel: 'PV', protocol: 'pva', converters: [{ schema: 'f142', alarm: 'on_change', topic: 't' }] }
    ])
  })

  it('reads commands that begin with white space', () => {
    assert.equal(forwarder2018.decode(Buffer.from('\r\n\t {"cmd": "stop_all"}'))?.['all'], true)
    assert.equal(forwarder2018.decode(Buffer.from(' \n')), undefined)
    assert.ok(filewriter2018.decode(Buffer.from('\n{"cmd": "FileWriter_exit"}')))
  })
})

describe('dialect ess', () => {
  const start = {
    start_time: 1000,
    stop_time: 0,
    job_id: 'd3f5ae0e-0000-4000-8000-000000000001',
    filename: 'a.nxs',
    nexus_structure: '{"children":[]}',
    control_topic: 'ctrl',
    metadata: '{"a":1}'
  }
  const pl72 = (fields: object): Buffer => encodeMessage('pl72', { ...start, ...fields })

  it('reads pl72; a far or largest stop time is none', async () => {
    const command = ess.decode(pl72({}))
    await fits(command)
    assert.deepEqual(command, {
      cmd: 'start', service: 'filewriter', msg_id: start.job_id, job_id: start.job_id, file_name: 'a.nxs',
      nexus_structure: start.nexus_structure, start_time: 1000, metadata: '{"a":1}', control_topic: 'ctrl'
    }) // prettier-ignore
    assert.equal(ess.decode(pl72({ stop_time: 5000 }))?.['stop_time'], 5000)
    for (const far of [1000 + 10 * 365.25 * 86_400_000, 9223372036854n])
      assert.equal(ess.decode(pl72({ stop_time: far }))?.['stop_time'], undefined)
    assert.equal(ess.decode(golden('answ-1')), undefined)
    assert.equal(ess.decode(text({ cmd: 'status' })), undefined)
  })

  it('answers a start without UUID, file name or structure with answ Failure 400 that names the job', () => {
    for (const bad of [{ job_id: 'nope' }, { filename: '' }, { nexus_structure: null }]) {
      assert.throws(
        () => ess.decode(pl72(bad)),
        (error: { code: string; fields: { command: Command } }) => {
          assert.equal(error.code, 'COMMAND_INVALID')
          const [answer] = ess.reply(error.fields.command, { response: 'ERR', status: 400, message: 'no' }, 'me')
          const { message } = decodeJson(Buffer.from(answer?.value ?? [])) as { message: Record<string, unknown> }
          assert.deepEqual(
            [message['outcome'], message['status_code'], message['service_id']],
            [{ name: 'Failure', value: 1 }, 400, 'me']
          )
          return true
        }
      )
    }
  })

  it('repeats an accepted start on the control topic, then answers', () => {
    const command = ess.decode(pl72({}))
    assert.ok(command)
    const sent = ess.reply(command, { response: 'ACK', status: 201, message: 'ok', reply_topic: 'ctrl' }, 'me')
    assert.deepEqual(
      sent.map(({ value }) => decodeJson(Buffer.from(value)).file_identifier),
      ['pl72', 'answ']
    )
    assert.equal(ess.reply(command, { response: 'ERR', status: 400, message: 'no' }, 'me').length, 1)
  })

  it('reads 6s4t, and tells the end as wrdn with valid JSON', async () => {
    const stop = ess.decode(
      encodeMessage('6s4t', { stop_time: 7000, job_id: start.job_id, command_id: 'c', service_id: 's' })
    )
    await fits(stop)
    assert.deepEqual(stop, {
      cmd: 'stop',
      service: 'filewriter',
      msg_id: 'c',
      job_id: start.job_id,
      stop_time: 7000,
      service_id: 's'
    })
    const [answer] = ess.reply(stop, { response: 'ACK', status: 200, message: '' }, 'me')
    const { message } = decodeJson(Buffer.from(answer?.value ?? [])) as { message: Record<string, unknown> }
    assert.deepEqual(
      [message['action'], message['status_code'], message['stop_time'], message['command_id']],
      [{ name: 'SetStopTime', value: 1 }, 201, '7000', 'c']
    )
    const [done] = ess.event(
      { event: 'writing_done', job_id: 'j', file_name: '/f.nxs', error_encountered: true, message: 'disk full' },
      'me'
    )
    const end = decodeJson(Buffer.from(done?.value ?? [])) as { message: Record<string, unknown> }
    assert.deepEqual(
      [end.message['error_encountered'], end.message['message'], end.message['file_name']],
      [true, 'disk full', '/f.nxs']
    )
    assert.deepEqual(JSON.parse(end.message['metadata'] as string), { nexstream_report: {} })
    assert.deepEqual(ess.event({ event: 'other' }, 'me'), [])
  })
})

describe('dialect filewriter-2018', () => {
  const start = {
    cmd: 'FileWriter_new',
    job_id: 'j',
    broker: 'b:9092',
    file_attributes: { file_name: 'f.nxs' },
    nexus_structure: { children: [] },
    start_time: 0,
    stop_time: 5,
    use_hdf_swmr: true
  }
  const said = (messages: readonly { value: Uint8Array }[]): unknown[] =>
    messages.map(({ value }) => (JSON.parse(Buffer.from(value).toString()) as { code: string }).code)

  it('reads its four commands, whatever the case', async () => {
    const command = await fits(filewriter2018.decode(text({ ...start, cmd: 'filewriter_NEW' })))
    assert.deepEqual(
      [command['file_name'], command['start_time'], command['stop_time'], command['on_missing_topic']],
      ['f.nxs', undefined, 5, 'skip']
    )
    assert.deepEqual(await fits(filewriter2018.decode(text({ cmd: 'FileWriter_stop', job_id: 'j' }))), {
      cmd: 'stop',
      service: 'filewriter',
      job_id: 'j'
    })
    assert.equal(
      (await fits(filewriter2018.decode(text({ cmd: 'file_writer_tasks_clear_all', recv_type: 'FileWriter' }))))['all'],
      true
    )
    await fits(filewriter2018.decode(text({ cmd: 'FileWriter_exit' })))
    assert.equal(filewriter2018.decode(text({ cmd: 'start' })), undefined)
  })

  it('names what is missing, and tells START, FAIL, ERROR and CLOSE', () => {
    assert.throws(() => filewriter2018.decode(text({ ...start, file_attributes: {} })), {
      code: 'COMMAND_INVALID',
      path: '/file_attributes/file_name'
    })
    const command = filewriter2018.decode(text(start)) as Command
    assert.deepEqual(said(filewriter2018.reply(command, { response: 'ACK', status: 201, message: '' }, 'me')), [
      'START'
    ])
    assert.deepEqual(said(filewriter2018.reply(command, { response: 'ERR', status: 400, message: '' }, 'me')), ['FAIL'])
    assert.deepEqual(
      said(filewriter2018.event({ event: 'writing_done', job_id: 'j', error_encountered: true }, 'me')),
      ['ERROR', 'CLOSE']
    )
    assert.deepEqual(said(filewriter2018.event({ event: 'writing_done', job_id: 'j' }, 'me')), ['CLOSE'])
  })
})
