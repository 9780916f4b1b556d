// How the EPICS clients behave towards real servers that come, go, fall silent or talk nonsense.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { type Update, type Vector } from '../../schemas/index.js'
import { connecting, only, states } from '../support/epics.js'
import { startProxy } from '../support/epics-proxy.js'
import { startIoc, type Ioc } from '../support/ioc.js'
import { python } from '../support/python.js'
import { random } from '../support/random.js'

const MANY = 1000
const db = `record(ao, "T:a") { field(VAL, "1") field(PINI, "YES") }
record(ao, "T:b") { field(VAL, "2") field(PINI, "YES") }
record(waveform, "T:large") { field(FTVL, "DOUBLE") field(NELM, "20000") field(PINI, "YES") }
${Array.from({ length: MANY }, (_, i) => `record(longout, "T:n${i}") { field(VAL, "${i}") field(PINI, "YES") }`).join('\n')}`

const lengthOf = ({ value }: Update): number => (value as Vector).length

describe('EPICS connections', function () {
  this.timeout(120_000)
  let ioc: Ioc
  const connect = connecting()

  before(async function () {
    this.timeout(600_000)
    await python()
    ioc = await startIoc({ kind: 'qsrv2', db })
  })
  after(() => ioc?.stop())

  for (const protocol of ['ca', 'pva'] as const) {
    describe(protocol === 'ca' ? 'Channel Access' : 'pvAccess', () => {
      /** Options with which a client finds one address by UDP searches. */
      const at = (address: string, more: Readonly<Record<string, unknown>> = {}) => only([address], [address], more)
      const proxied = async () => {
        const proxy = await startProxy(protocol, protocol === 'ca' ? ioc.caAddress : ioc.pvaServer)
        return { proxy, address: `127.0.0.1:${proxy.udpPort}` }
      }

      it('finds servers by the EPICS variables alone', async () => {
        const before = { ...process.env }
        try {
          Object.assign(process.env, ioc.env)
          const epics = await connect({})
          assert.equal((await epics.open(protocol, 'T:n7').value()).value, 7)
        } finally {
          for (const name of Object.keys(ioc.env)) {
            delete process.env[name]
            if (before[name] !== undefined) process.env[name] = before[name]
          }
        }
      })

      it('finds servers by a name server alone', async () => {
        const server = protocol === 'ca' ? ioc.caAddress : ioc.pvaServer
        const epics = await connect(only([], [], { name_servers: [server] }))
        const [there, missing] = [epics.open(protocol, 'T:n8'), epics.open(protocol, 'T:nobody')]
        assert.equal((await there.value()).value, 8)
        assert.deepEqual(states(missing), [1])
      })

      it(`serves ${MANY} channels over one connection, beside names that nobody has`, async () => {
        const { proxy, address } = await proxied()
        const epics = await connect(at(address))
        const missing = Array.from({ length: 200 }, (_, i) => epics.open(protocol, `T:missing${i}`))
        const channels = Array.from({ length: MANY }, (_, i) => epics.open(protocol, `T:n${i}`))
        const values = await Promise.all(channels.map((channel) => channel.value()))
        assert.deepEqual(values.map(({ value }) => value), Array.from({ length: MANY }, (_, i) => i)) // prettier-ignore
        assert.equal(proxy.connections, 1)
        assert.ok(missing.every((channel) => states(channel).join() === '1'))
        for (const { subscription } of channels) await subscription.close()
        // The last channel takes its connection with it, and a new one makes a new one.
        assert.equal((await epics.open(protocol, 'T:a').value()).first, true)
        await epics.close()
        await proxy.stop()
      })

      it('comes back when its server is killed and started again', async () => {
        const own = await startIoc({ kind: 'qsrv2', db: 'record(ao, "K:a") { field(VAL, "1") field(PINI, "YES") }' })
        const epics = await connect(only([own.caAddress], [own.pvaAddress]))
        const channel = epics.open(protocol, 'K:a')
        await channel.value()
        await own.put('K:a', 5)
        await channel.value(({ value }) => value === 5)
        const from = channel.updates.length
        await own.kill9()
        await channel.connection(3, from)
        const late = epics.open(protocol, 'K:a')
        await own.restart()
        const again = await channel.until(({ kind }) => kind === 'value', from)
        assert.deepEqual([again.value, again.first, again.connection], [1, true, 2])
        assert.deepEqual(states(channel), [1, 2, 3, 2])
        assert.equal((await late.value()).value, 1)
        await own.put('K:a', 6)
        assert.equal((await channel.value(({ value }) => value === 6)).first, false)
        await own.stop()
      })

      it('gives up a server that falls silent, and goes on when it answers again', async () => {
        const { proxy, address } = await proxied()
        const epics = await connect(at(address, { connection_timeout_s: 1 }))
        const channel = epics.open(protocol, 'T:b')
        await channel.value()
        const from = channel.updates.length
        proxy.stall()
        await channel.connection(3, from)
        const again = await channel.until(({ kind }) => kind === 'value', from)
        assert.equal(again.first, true)
        assert.equal(proxy.connections, 2)
        await ioc.put('T:b', 77)
        await channel.value(({ value }) => value === 77)
        await ioc.put('T:b', 2)
        await epics.close()
        await proxy.stop()
      })

      it('outlives damaged bytes on TCP and UDP', async () => {
        const { proxy, address } = await proxied()
        const pick = random(7)
        const epics = await connect(at(address, { max_search_period_s: 1, connection_timeout_s: 1 }))
        // Often in the first header, where it hurts.
        proxy.onServer = (chunk) => {
          for (let n = pick(3); n > 0; n--) chunk[pick(pick(2) === 0 ? 8 : chunk.length)] = pick(256)
          return chunk
        }
        const channels = Array.from({ length: 20 }, (_, i) => epics.open(protocol, `T:n${i}`))
        const udp = createSocket('udp4')
        const garbage = setInterval(() => {
          if (proxy.clientPort === 0) return
          for (let n = 0; n < 20; n++) {
            const bytes = Buffer.from(Array.from({ length: pick(80) }, () => pick(256)))
            // Half of them begin as real answers do.
            if (pick(2) === 0) Buffer.from(protocol === 'ca' ? [0, 6] : [0xca, 2, 0x40, 4]).copy(bytes)
            udp.send(bytes, proxy.clientPort, '127.0.0.1')
          }
        }, 5)
        try {
          // Until damage was found at least three times.
          for (let round = 1; proxy.connections <= 3; round++) {
            await ioc.put('T:n0', 1000 + round)
            await new Promise((resolve) => setTimeout(resolve, 10))
            // What damage there is may hide in values and names: then a new connection brings more.
            if (round % 100 === 0) proxy.cut()
          }
          proxy.onServer = (chunk) => chunk
          const from = channels.map(({ updates }) => updates.length)
          proxy.cut()
          await Promise.all(channels.map((channel, i) => channel.until(({ first }) => first, from[i])))
          for (const i of [0, 19]) {
            await ioc.put(`T:n${i}`, -1 - i)
            await channels[i]?.value(({ value }) => value === -1 - i)
          }
        } finally {
          clearInterval(garbage)
          udp.close()
          await ioc.put('T:n0', 0)
          await ioc.put('T:n19', 19)
        }
        await epics.close()
        await proxy.stop()
      })

      it('passes over an update that is too large, and the others of its server go on', async () => {
        const { proxy, address } = await proxied()
        const epics = await connect(at(address, { max_message_bytes: 65_536 }))
        const [large, small] = [epics.open(protocol, 'T:large'), epics.open(protocol, 'T:a')]
        await ioc.put('T:large', [1, 2])
        await Promise.all([small.value(), large.value(({ value }) => (value as Vector).length === 2)])
        await ioc.put('T:large', Array.from({ length: 20_000 }, (_, i) => i)) // prettier-ignore
        await large.connection(7)
        await ioc.put('T:a', 12)
        await small.value(({ value }) => value === 12)
        await ioc.put('T:a', 1)
        assert.deepEqual(states(small), [1, 2])
        assert.equal(proxy.connections, 1)
        assert.ok(large.updates.every((update) => update.kind === 'connection' || lengthOf(update) <= 2))
        assert.match(epics.warnings.join(), /T:large: an update of 160\d\d\d bytes is over the limit of 65536/)
        await epics.close()
        await proxy.stop()
      })

      it('does not wait for ever for the rest of a message', async () => {
        const { proxy, address } = await proxied()
        const epics = await connect(at(address, { connection_timeout_s: 1 }))
        const channel = epics.open(protocol, 'T:b')
        await channel.value()
        const from = channel.updates.length
        // The header of a message of 1 MB of which the server's next updates seem to be the content.
        const header = protocol === 'ca' ? [0, 1, 0xff, 0xff, 0, 20, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 16, 0, 0, 0, 0, 0, 1] : [0xca, 2, 0x40, 13, 0, 0, 16, 0] // prettier-ignore
        proxy.onServer = (chunk) => {
          proxy.onServer = (next) => next
          return Buffer.concat([Buffer.from(header), chunk])
        }
        const puts = setInterval(() => void ioc.put('T:b', Math.random()), 50)
        await channel.connection(3, from).finally(() => clearInterval(puts))
        await ioc.put('T:b', 2)
        await channel.until(({ value }) => value === 2, channel.updates.length)
        await epics.close()
        await proxy.stop()
      })

      it('has the newest value after a pause', async () => {
        const epics = await connect(only([ioc.caAddress], [ioc.pvaAddress]))
        const channel = epics.open(protocol, 'T:a')
        await channel.value()
        channel.subscription.pause!()
        assert.equal(await ioc.ramp(['T:a'], 20_000, 0), 20_000)
        const held = channel.updates.length
        channel.subscription.resume!()
        await channel.value(({ value }) => value === 20_000)
        assert.ok(held < 20_000)
        await ioc.put('T:a', 1)
      })
    })
  }
})
