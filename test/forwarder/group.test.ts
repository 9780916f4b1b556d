// Three daemons share one list on a real Kafka and a real IOC; one of them is killed.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { accounts } from '../support/forwarder/accounts.js'
import { until } from '../support/forwarder/live.js'
import { type DaemonRunning, startDaemonProcess } from '../support/forwarder/process.js'
import { type Ioc, startIoc } from '../support/ioc.js'
import { kafka, testTopics } from '../support/kafka.js'

const names = Array.from({ length: 24 }, (_, i) => `G:${i}`)
const db = names.map((name) => `record(calc, "${name}") { field(CALC, "VAL+1") field(SCAN, ".1 second") }`).join('\n')

interface State {
  readonly connected: number
  readonly channels: readonly { readonly channel: string }[]
  readonly group: { readonly members: readonly string[]; readonly self: string; readonly leader: boolean }
}

describe('forwarders that share a list', function () {
  this.timeout(240_000)
  let ioc: Ioc
  const daemons = new Map<string, DaemonRunning>()

  afterEach(async () => {
    await Promise.all([...daemons.values()].map((daemon) => daemon.stop()))
    daemons.clear()
    await ioc?.stop()
  })

  it('forward each PV once, take over from one that was killed, and give back without a gap', async () => {
    const { brokers } = await kafka()
    ioc = await startIoc({ kind: 'ca', db })
    const topics = await testTopics(['commands', 'status', 'keep', 'values'])
    const forwarder = {
      group: `group-${randomBytes(4).toString('hex')}`,
      group_session_ms: 6000,
      handover_ms: 5000,
      storage_topic: topics.keep,
      default_protocol: 'ca'
    }
    const begin = async (serviceId: string): Promise<void> => {
      daemons.set(serviceId, await startDaemonProcess(brokers, [ioc], { forwarder, topics, serviceId }))
    }
    const state = async (id: string): Promise<State> => {
      const { control } = daemons.get(id)!
      const { result } = await control.send({ cmd: 'status', service: 'forwarder', service_id: id })
      return result as State
    }
    const states = (): Promise<State[]> => Promise.all([...daemons.keys()].map(state))
    /** All know of each other, and each PV is connected in one of them only. */
    const settled = async (): Promise<boolean> => {
      const all = await states()
      const sum = all.reduce((total, { connected }) => total + connected, 0)
      return sum === names.length && all.every(({ group }) => group.members.length === daemons.size)
    }
    await Promise.all(['x', 'y', 'z'].map(begin))
    await until(async () => (await states()).every(({ group }) => group.members.length === 3), 120_000)
    const { control } = daemons.get('x')!
    const streams = names.map((channel) => ({ channel, converter: 'f142', topic: topics.values }))
    const answer = await control.send({ cmd: 'start', service: 'forwarder', msg_id: 'all', streams })
    assert.equal((answer['result'] as { added: number }).added, names.length)
    await until(settled, 120_000)
    assert.equal(control.said.filter(({ json }) => json?.['msg_id'] === 'all').length, 1, 'one answer')

    // The leader is killed, and asked something before the others know
    const leader = (await states()).find(({ group }) => group.leader)!.group.self
    const dead = (await state(leader)).channels.map(({ channel }) => channel)
    assert.ok(dead.length > 0 && dead.length < names.length)
    await daemons.get(leader)!.kill9()
    daemons.delete(leader)
    const [survivor] = daemons.values()
    const late = { channel: 'G:nobody', converter: 'f142', topic: topics.values }
    const left = await survivor!.control.send({ cmd: 'start', service: 'forwarder', msg_id: 'left', streams: [late] }, 90_000) // prettier-ignore
    assert.equal((left['result'] as { added: number }).added, 1)
    await survivor!.control.send({ cmd: 'stop', service: 'forwarder', channels: [late.channel] })
    assert.equal(survivor!.control.said.filter(({ json }) => json?.['msg_id'] === 'left').length, 1, 'one answer')
    await until(settled, 120_000)
    const there = (await accounts(brokers, topics.values)).get(dead[0]!)!.values.length
    await until(async () => (await accounts(brokers, topics.values)).get(dead[0]!)!.values.length > there)
    for (const [name, { values }] of await accounts(brokers, topics.values)) {
      if (name === late.channel) continue
      const steps = values.slice(1).map((value, i) => Number(value) - Number(values[i]))
      assert.equal(steps.filter((step) => step < 1).length, 0, `${name}: nothing twice`)
      const gaps = steps.filter((step) => step > 1).length
      assert.ok(gaps === 0 || (gaps === 1 && dead.includes(name)), `${name}: ${gaps} gaps`)
    }

    const before = await accounts(brokers, topics.values)
    await begin(leader)
    await until(settled, 120_000)
    assert.deepEqual((await state(leader)).channels.map(({ channel }) => channel).toSorted(), dead.toSorted())
    const after = await accounts(brokers, topics.values)
    for (const [name, { values }] of after) {
      if (name === late.channel) continue
      const since = new Set(values.slice(before.get(name)!.values.length - 1).map(Number))
      const [first, last] = [Math.min(...since), Math.max(...since)]
      assert.equal(since.size, last - first + 1, `${name}: no gap when a member joins`)
    }
  })
})
