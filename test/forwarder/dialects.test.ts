// The forwarder's commands in every dialect of the field, as its own Python package builds them, to a daemon on a real Kafka.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accounts } from '../support/forwarder/accounts.js'
import { until } from '../support/forwarder/live.js'
import { type DaemonRunning, startDaemonProcess } from '../support/forwarder/process.js'
import { type Ioc, startIoc } from '../support/ioc.js'
import { kafka, testTopics } from '../support/kafka.js'
import { runPython } from '../support/python.js'

const db = `
record(calc, "D:COUNT") { field(CALC, "VAL+1") field(SCAN, ".1 second") }
record(ao, "D:A1") { field(PINI, "YES") field(VAL, "1") }
record(ao, "D:A2") { field(PINI, "YES") field(VAL, "2") }
record(ao, "D:B") { field(PINI, "YES") field(VAL, "3") }
`

/** Builds one command per line of JSON: [form, change, [[channel, schema, topic, protocol, periodic], …]]. */
const buildScript = `
import sys, json, base64
from streaming_data_types.forwarder_config_update_fc00 import serialise_fc00, StreamInfo as Stream00
from streaming_data_types.fbschemas.forwarder_config_update_fc00.Protocol import Protocol as Protocol00
from streaming_data_types.fbschemas.forwarder_config_update_fc00.UpdateType import UpdateType as Type00
from streaming_data_types.forwarder_config_update_rf5k import serialise_rf5k, StreamInfo as Stream5k
from streaming_data_types.fbschemas.forwarder_config_update_rf5k.Protocol import Protocol as Protocol5k
from streaming_data_types.fbschemas.forwarder_config_update_rf5k.UpdateType import UpdateType as Type5k
for line in sys.stdin:
    form, change, streams = json.loads(line)
    if form == "fc00":
        made = serialise_fc00(getattr(Type00, change), [Stream00(c, s, t, getattr(Protocol00, p), n) for c, s, t, p, n in streams])
    else:
        made = serialise_rf5k(getattr(Type5k, change), [Stream5k(c, s, t, getattr(Protocol5k, p)) for c, s, t, p, n in streams])
    print(base64.b64encode(bytes(made)).decode())
`

type WireStream = readonly [channel: string, schema: string, topic: string, protocol: string, periodic: number]
type Built = readonly [form: 'fc00' | 'rf5k', change: string, streams: readonly WireStream[]]

interface Answer {
  readonly response: string
  readonly errors?: readonly { readonly code: string; readonly path: string }[]
  readonly result?: Readonly<Record<string, unknown>>
}

describe('forwarder: commands of the field', function () {
  this.timeout(240_000)
  let ioc: Ioc
  let brokers: string[]
  let daemon: DaemonRunning
  let topics: Record<'commands' | 'status' | 'keep' | 'values' | 'other', string>

  before(async () => {
    ;[ioc, { brokers }] = await Promise.all([startIoc({ kind: 'qsrv2', db }), kafka()])
    const plain = await testTopics(['commands', 'status', 'values', 'other'])
    // What keeps the list may be compacted
    topics = { ...plain, ...(await testTopics(['keep'], { config: { 'cleanup.policy': 'compact' } })) }
    daemon = await startDaemonProcess(brokers, [ioc], {
      forwarder: { storage_topic: topics.keep, periodic_ms: 500 },
      topics
    })
  })
  after(async () => {
    await daemon?.stop()
    await ioc?.stop()
  })

  /** Sends raw commands one by one; each has exactly one answer. */
  async function send(values: readonly (Buffer | string)[]): Promise<Answer[]> {
    const { control } = daemon
    const answers = () => control.said.flatMap(({ json }) => (json?.['response'] === undefined ? [] : [json]))
    const before = answers().length
    for (const [i, value] of values.entries()) {
      await control.sendRaw(value)
      await until(() => answers().length > before + i)
    }
    assert.equal(answers().length, before + values.length)
    return answers().slice(before) as unknown as Answer[]
  }

  async function build(...commands: readonly Built[]): Promise<Buffer[]> {
    const lines = commands.map((command) => JSON.stringify(command)).join('\n')
    const printed = (await runPython(buildScript, [], lines)).trim().split('\n')
    return printed.map((line) => Buffer.from(line, 'base64'))
  }

  /** Schema, topic and protocol of the streams on the list. */
  async function list(): Promise<string[]> {
    const { result } = await daemon.control.send({ cmd: 'status', service: 'forwarder' })
    const { channels } = result as {
      channels: { channel: string; protocol: string; streams: { schema: string; topic: string }[] }[]
    }
    return channels
      .flatMap(({ channel, protocol, streams }) =>
        streams.map(
          ({ schema, topic }) => `${channel} ${protocol} ${schema} ${topic === topics.values ? 'values' : 'other'}`
        )
      )
      .toSorted()
  }

  it('fc00 and rf5k of the reference package: add, remove by pattern, replace as a diff, remove all', async () => {
    const { values, other } = topics
    const count: WireStream = ['D:COUNT', 'f142', values, 'CA', 0]
    const first: Built = [
      'fc00',
      'ADD',
      [count, ['D:A1', 'f144', other, 'PVA', 1], ['D:FAKE', 'f142', other, 'FAKE', 0]]
    ]
    const second: Built = ['rf5k', 'ADD', [['D:A2', 'f142', other, 'CA', 0], ['D:B', 'f142', values, 'PVA', 0]]] // prettier-ignore
    const replies = await send(await build(first, second))
    assert.deepEqual(
      replies.map(({ response, result }) => [response, result?.['added']]),
      [
        ['ACK', 3],
        ['ACK', 2]
      ]
    )
    const full = ['D:A1 pva f144 other', 'D:A2 ca f142 other', 'D:B pva f142 values', 'D:COUNT ca f142 values', 'D:FAKE sim f142 other'] // prettier-ignore
    assert.deepEqual(await list(), full)
    await until(async () => ((await accounts(brokers, values)).get('D:COUNT')?.values.length ?? 0) > 3)
    await until(async () => ((await accounts(brokers, other)).get('D:A1')?.values.length ?? 0) > 2)

    // Sent for every device change, as one control program does: what stays goes on without a gap
    const same: WireStream[] = [count, ['D:A1', 'f144', other, 'PVA', 1]]
    const replaced = await send(
      await build(
        ...Array.from({ length: 10 }, (_, i): Built => ['fc00', 'REPLACE', [...same, [`D:A${1 + (i % 2)}`, 'f142', other, 'CA', 0]]]) // prettier-ignore
      )
    )
    assert.deepEqual(replaced.at(-1)?.result?.['unchanged'], 2)
    assert.deepEqual(await list(), ['D:A1 pva f144 other', 'D:A2 ca f142 other', 'D:COUNT ca f142 values'])
    const there = (await accounts(brokers, values)).get('D:COUNT')!.values.length
    await until(async () => (await accounts(brokers, values)).get('D:COUNT')!.values.length > there + 3)
    const counted = (await accounts(brokers, values)).get('D:COUNT')!.values.map(Number)
    assert.deepEqual(
      counted,
      Array.from(counted, (_, i) => counted[0]! + i)
    )

    const removed = await send(await build(['fc00', 'REMOVE', [['D:?1', '', '*', 'PVA', 0]]], ['rf5k', 'REMOVE', [['*', 'f142', `${other.slice(0, -3)}???`, 'CA', 0]]])) // prettier-ignore
    assert.deepEqual(
      removed.map(({ result }) => result?.['removed']),
      [1, 1]
    )
    assert.deepEqual(await list(), ['D:COUNT ca f142 values'])
    assert.equal((await send(await build(['rf5k', 'REMOVEALL', []])))[0]?.result?.['removed'], 1)
    assert.deepEqual(await list(), [])
  })

  it('refuses what it does not know, with the reason, and does the rest', async () => {
    const { values } = topics
    const [add, nothing, everything, broken] = await send([
      ...(await build(
        ['fc00', 'ADD', [['D:A1', 'zz99', values, 'CA', 0], ['D:A2', 'f142', 'no-such-topic', 'CA', 0], ['', 'f142', values, 'CA', 0], ['D:B', 'f142', values, 'CA', 0]]], // prettier-ignore
        ['fc00', 'REMOVE', [['D:NONE', '', '', 'CA', 0]]],
        ['fc00', 'REMOVE', [['', '', '', 'CA', 0]]]
      )),
      Buffer.from('\x10\0\0\0fc00 and nothing more')
    ])
    assert.deepEqual([add?.response, add?.result?.['added'], add?.result?.['refused']], ['ACK', 1, 3])
    // The package writes the list from its end
    assert.deepEqual(add?.errors?.map(({ code, path }) => `${code} ${path}`).toSorted(), [
      'CONFIG_INVALID /streams/1/channel',
      'CONVERTER_UNKNOWN /streams/3/converter',
      'TOPIC_MISSING /streams/2/topic'
    ])
    assert.equal(nothing?.response, 'ERR')
    assert.equal(everything?.response, 'ERR', 'a pattern without anything in it must not stop everything')
    assert.equal(broken?.response, 'ERR')
    assert.deepEqual(await list(), ['D:B ca f142 values'])
    await send(await build(['fc00', 'REMOVEALL', []]))
  })

  it('the JSON of 2018', async () => {
    const { values, other } = topics
    const add = {
      cmd: 'add',
      streams: [
        {
          channel: 'D:A1',
          channel_provider_type: 'ca',
          converter: { schema: 'f142', topic: `//broker:9092/${values}` }
        },
        { channel: 'D:B', converter: [{ schema: 'f142', topic: values }, { schema: 'f144', topic: other, name: 'mine' }] } // prettier-ignore
      ]
    }
    const [added, stopped] = await send(
      [add, { cmd: 'stop_channel', channel: 'D:A1' }].map((one) => JSON.stringify(one))
    )
    assert.equal(added?.result?.['added'], 3)
    assert.equal(stopped?.result?.['removed'], 1)
    assert.deepEqual(await list(), ['D:B pva f142 values', 'D:B pva f144 other'])
    const [unknown] = await send([JSON.stringify({ cmd: 'stop_channel', channel: 'D:A1' })])
    assert.equal(unknown?.response, 'ERR')
  })

  it('the file of streams of 2018, at start-up', async () => {
    const { values, other } = topics
    const folder = await mkdtemp(join(tmpdir(), 'nexstream-2018-'))
    const file = join(folder, 'streams.json')
    const streams = [
      { channel: 'D:A1', channel_provider_type: 'ca', converter: { schema: 'f142', topic: `//broker:9092/${values}` } },
      { channel: 'D:A2', channel_provider_type: 'ca', converter: { schema: 'zz99', topic: values } },
      { channel: 'D:B', converter: [{ schema: 'f142', topic: values }, { schema: 'f144', topic: other, name: 'mine' }] } // prettier-ignore
    ]
    await writeFile(file, JSON.stringify({ broker: 'broker:9092', 'status-uri': '//broker:9092/status', streams }))
    const own = await testTopics(['commands', 'status'])
    const commands = { file, listen: [{ topic: own.commands, dialects: ['forwarder-2018', 'json'] }] }
    const second = await startDaemonProcess(brokers, [ioc], { topics: own, config: { commands } })
    try {
      const { result } = await second.control.send({ cmd: 'status', service: 'forwarder' })
      const { channels } = result as { channels: { channel: string; protocol: string; streams: unknown[] }[] }
      assert.deepEqual(
        channels.map(({ channel, protocol, streams: list }) => [channel, protocol, list.length]),
        [
          ['D:A1', 'ca', 1],
          ['D:B', 'pva', 2]
        ]
      )
    } finally {
      await second.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('keeps the list on a compacted topic and restores it; exit ends the daemon', async () => {
    const { forwarder, topics: known } = { forwarder: { storage_topic: topics.keep, periodic_ms: 500 }, topics }
    await daemon.stop()
    daemon = await startDaemonProcess(brokers, [ioc], { forwarder, topics: known })
    assert.deepEqual(await list(), ['D:B pva f142 values', 'D:B pva f144 other'])
    const [all] = await send([JSON.stringify({ cmd: 'stop_all' })])
    assert.equal(all?.result?.['removed'], 2)
    await send([JSON.stringify({ cmd: 'exit' })])
    assert.equal(await daemon.exited, 0)
  })
})
