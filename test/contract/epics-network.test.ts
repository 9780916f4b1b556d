// Servers on another host: broadcast searches, answers that name no address, and a cable that is pulled.
import assert from 'node:assert/strict'
import { only, openEpics } from '../support/epics.js'
import { startIoc } from '../support/ioc.js'
import { python } from '../support/python.js'
import { twoHosts, type Hosts } from '../support/two-hosts.js'

describe('EPICS across two hosts', function () {
  this.timeout(120_000)
  let hosts: Hosts
  before(async function () {
    this.timeout(600_000)
    await python()
    hosts = await twoHosts()
  })
  after(() => hosts?.close())

  it('finds servers there and notices a network that is gone', async () => {
    const db = 'record(ao, "H:a") { field(VAL, "1") field(PINI, "YES") }'
    const { address, searchAddress, wrap } = hosts
    const ioc = await startIoc({ kind: 'qsrv2', db, address, searchAddress, wrap })
    const epics = await openEpics(only([ioc.caAddress], [ioc.pvaAddress], { connection_timeout_s: 1, max_search_period_s: 1 })) // prettier-ignore
    try {
      const channels = (['ca', 'pva'] as const).map((protocol) => epics.open(protocol, 'H:a'))
      for (const channel of channels) assert.equal((await channel.value()).value, 1)
      const from = channels.map(({ updates }) => updates.length)
      if (hosts.kind === 'namespace') await hosts.cable('down')
      else ioc.freeze()
      await Promise.all(channels.map((channel, i) => channel.connection(3, from[i])))
      if (hosts.kind === 'namespace') await hosts.cable('up')
      else ioc.thaw()
      await ioc.put('H:a', 3)
      await Promise.all(channels.map((channel, i) => channel.until(({ value, connection }) => value === 3 && connection === 2, from[i]))) // prettier-ignore
    } finally {
      await epics.close()
      await ioc.stop()
    }
  })
})
