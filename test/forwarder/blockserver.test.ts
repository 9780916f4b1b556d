// The block server of an instrument, simulated by an IOC, to the forwarder in one daemon: values of blocks reach Kafka, in every dialect.
import assert from 'node:assert/strict'
import { deflateSync } from 'node:zlib'
import { accounts } from '../support/forwarder/accounts.js'
import { until } from '../support/forwarder/live.js'
import { type DaemonRunning, startDaemonProcess } from '../support/forwarder/process.js'
import { type Ioc, startIoc } from '../support/ioc.js'
import { kafka, testTopics } from '../support/kafka.js'

const blocks = ['temp', 'field', 'motor']
const names = 'IN:DEMO:CS:BLOCKSERVER:BLOCKNAMES'
const db = [
  `record(waveform, "${names}") { field(FTVL, "CHAR") field(NELM, "16000") }`,
  ...blocks.map((block, i) => `record(ao, "IN:DEMO:CS:SB:${block}") { field(PINI, "YES") field(VAL, "${i + 1}") }`),
  'record(longout, "IN:DEMO:DAE:PERIOD") { field(PINI, "YES") field(VAL, "7") }'
].join('\n')
const hex = (content: unknown): string => deflateSync(JSON.stringify(content)).toString('hex')

describe('block server bridge on a real IOC and a real Kafka', function () {
  this.timeout(240_000)
  let daemon: DaemonRunning | undefined
  let ioc: Ioc | undefined

  afterEach(async () => {
    await daemon?.stop()
    await ioc?.stop()
    daemon = ioc = undefined
  })

  for (const [dialect, whole] of [
    ['fc00', false],
    ['rf5k', false],
    ['json', true]
  ] as const)
    // prettier-ignore
    it(`keeps the forwarder in line by ${dialect}${whole ? ', with whole lists' : ''}, whatever the value`, async () => {
      const { brokers } = await kafka()
      const topics = await testTopics(['commands', 'status', 'env', 'log'])
      ioc = await startIoc({ kind: 'ca', db })
      const blockserver = {
        ...{ prefix: 'IN:DEMO:', dialect, whole, schema: 'f144', config_topic: topics.commands },
        ...{ data_topic: topics.env, run_log_topic: topics.log, run_log_channels: ['PERIOD'] }
      }
      daemon = await startDaemonProcess(brokers, [ioc], { topics, config: { services: { forwarder: {}, blockserver } } })
      const { control } = daemon
      const bridge = async (): Promise<Readonly<Record<string, unknown>>> => {
        const { result } = await control.send({ cmd: 'status' })
        control.said.length = 0
        return (result as { services: Record<string, Record<string, unknown>> }).services['blockserver']!
      }
      const channels = async (): Promise<string[]> => {
        const { result } = await control.send({ cmd: 'status', service: 'forwarder' })
        control.said.length = 0
        const list = (result as { channels: { channel: string; state: string }[] }).channels
        return list.filter(({ state }) => state === 'CONNECTED').map(({ channel }) => channel.split(':').at(-1)!)
      }
      const forwarded = (...wanted: string[]): Promise<void> =>
        until(async () => (await channels()).toSorted().join() === [...wanted, 'PERIOD'].toSorted().join(), 90_000)

      const set = (text: string): Promise<void> => ioc!.put(names, [...Buffer.from(text)])

      // An IOC that has just started has no list yet: that is broken, and changes nothing
      await until(async () => (await bridge())['broken'] === 1)
      await set(hex(['temp', 'field']))
      await forwarded('temp', 'field')
      for (const [i, broken] of ['no hexadecimal', hex(['temp', 5]), hex({}), '00'.repeat(500)].entries()) {
        await set(broken)
        // An IOC joins changes of an array that it has not sent yet
        await until(async () => (await bridge())['broken'] === i + 2)
      }
      assert.match(String((await bridge())['last_error']), /cannot be decompressed/)
      await forwarded('temp', 'field')
      await set(hex(['motor', 'temp']))
      await forwarded('motor', 'temp')
      await ioc.put('IN:DEMO:CS:SB:temp', 21.5)
      await until(async () => (await accounts(brokers, topics.env)).get('IN:DEMO:CS:SB:temp')?.values.at(-1) === 21.5)
      const [env, log] = [await accounts(brokers, topics.env), await accounts(brokers, topics.log)]
      assert.deepEqual(
        blocks.map((block) => env.get(`IN:DEMO:CS:SB:${block}`)?.values),
        [[1, 21.5], [2], [3]],
        'blocks that stay go on without being told again'
      )
      assert.deepEqual(log.get('IN:DEMO:DAE:PERIOD')?.values, [7])
      assert.deepEqual([(await bridge())['changes'], (await bridge())['lost']], [2, 0])
    })
})
