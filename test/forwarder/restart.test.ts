// Many PVs of which some are missing, an IOC that is killed in the middle of its work and comes back: every put is accounted for.
import assert from 'node:assert/strict'
import { accounts } from '../support/forwarder/accounts.js'
import { type Live, liveForwarder, settled, until } from '../support/forwarder/live.js'
import { type Ioc, startIoc } from '../support/ioc.js'
import { kafka, testTopics } from '../support/kafka.js'

const COUNT = 120
const names = Array.from({ length: COUNT }, (_, i) => `R:${i}`)
const missing = names.filter((_, i) => i % 10 === 0)
const present = names.filter((name) => !missing.includes(name))
const db = present.map((name) => `record(longout, "${name}") { field(PINI, "YES") }`).join('\n')
const upTo = (n: number): number[] => Array.from({ length: n + 1 }, (_, i) => i)
const [connected, disconnected] = [2, 3]

describe('forwarder of an IOC that dies', function () {
  this.timeout(180_000)
  let ioc: Ioc | undefined
  let live: Live | undefined

  afterEach(async () => {
    await live?.close()
    await ioc?.stop()
  })

  for (const protocol of ['ca', 'pva'])
    it(`accounts for every put over ${protocol} and tells the gap`, async () => {
      const { brokers } = await kafka()
      const { values } = await testTopics(['values'])
      ioc = await startIoc({ kind: 'qsrv2', db })
      live = await liveForwarder(brokers, [ioc], { default_protocol: protocol })
      const { figure, run } = live
      const streams = names.map((channel) => ({ channel, converter: 'f144', topic: values }))
      assert.equal((await run('start', { streams })).response, 'ACK')
      await until(() => figure('connected') === present.length && figure('updates') >= present.length)
      await ioc.ramp(present, 20, 20)
      // Killed amid further puts: of these each PV has so many, without a hole
      const cut = ioc.ramp(present, 2000, 20, 21).catch(() => 'killed')
      await until(() => figure('updates') >= present.length * 25)
      await ioc.kill9()
      assert.equal(await cut, 'killed')
      await until(() => figure('connected') === 0)
      const before = figure('updates')
      await ioc.restart()
      await until(() => figure('connected') === present.length && figure('updates') >= before + present.length)
      await ioc.ramp(present, 20, 20)
      await until(() => figure('updates') >= before + present.length * 21)
      await settled(brokers, values, live)

      const found = await accounts(brokers, values)
      let all = 0
      for (const name of present) {
        const { values: got, connections } = found.get(name)!
        const cutAt = got.lastIndexOf(0)
        assert.ok(cutAt > 21, `${name}: ${cutAt}`)
        assert.deepEqual(got.slice(0, cutAt), upTo(cutAt - 1), name)
        assert.deepEqual(got.slice(cutAt), upTo(20), name)
        assert.deepEqual(connections.slice(-3), [connected, disconnected, connected], name)
        all += got.length
      }
      assert.equal(all, figure('updates'))
      for (const name of missing) assert.deepEqual([found.get(name)?.values, found.get(name)?.connections], [[], [1]])
      assert.equal(figure('disconnects'), present.length)
    })
})
