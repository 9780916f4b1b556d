// What EPICS servers tell beside values: beacons, access rights, merged updates; and what the clients count.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CaClient } from '../../plugins/source-epics/ca/client.js'
import { PvaClient } from '../../plugins/source-epics/pva/client.js'
import { connecting, only, states } from '../support/epics.js'
import { startIoc } from '../support/ioc.js'
import { python } from '../support/python.js'

/** Resolves when somebody searches at this port, where no server is just now. */
async function searched(port: number, host: string): Promise<void> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  socket.bind(port, host)
  await once(socket, 'message')
  socket.close()
  await once(socket, 'close')
}

/** Registers at a repeater as a client of EPICS base does, resolves when it is confirmed; `beacon` with the first one. */
async function registeredAt(port: number): Promise<{ readonly beacon: Promise<void> }> {
  const socket = createSocket('udp4')
  const heard = (command: number): Promise<void> =>
    new Promise((resolve) => socket.on('message', (bytes) => bytes.readUInt16BE(0) === command && resolve()))
  const [confirmed, beacon] = [heard(17), heard(13)]
  const ask = Buffer.alloc(16)
  ask.writeUInt16BE(24)
  socket.send(ask, port, '127.0.0.1')
  await confirmed
  return { beacon: beacon.then(() => void socket.close()) }
}

describe('EPICS servers', function () {
  this.timeout(120_000)
  const connect = connecting()

  before(async function () {
    this.timeout(600_000)
    await python()
  })

  it('counts what is connected, received and merged by servers', async () => {
    const own = await startIoc({ kind: 'qsrv1', db: 'record(ao, "O:a") { field(VAL, "1") field(PINI, "YES") }' })
    const epics = await connect(only([own.caAddress], [own.pvaAddress]))
    const channel = epics.open('pva', 'O:a')
    const channels = [channel, epics.open('pva', 'O:nobody'), epics.open('ca', 'O:a')]
    await Promise.all([channels[0]?.value(), channels[2]?.value()])
    await own.ramp(['O:a'], 20_000, 0)
    await channel.value(({ value }) => value === 20_000)
    const { ca, pva } = epics.sources()
    const [received, overruns] = [channel.updates.filter(({ kind }) => kind === 'value').length, pva?.['overruns']]
    assert.deepEqual([pva?.['channels'], pva?.['connected'], pva?.['searching'], pva?.['connections']], [2, 1, 1, 1])
    assert.deepEqual([ca?.['channels'], ca?.['connected'], ca?.['connections']], [1, 1, 1])
    // Some updates change nothing but what is not of interest.
    assert.ok((pva?.['updates'] as number) >= received)
    // pvAccessCPP says when it merges; it does when puts come faster than it sends.
    assert.ok(received < 20_001 && (overruns as number) > 0 && (overruns as number) <= received, String(overruns))
    assert.ok((pva?.['received_bytes'] as number) > received * 20)
    await own.stop()
  })

  it('asks for what was not found when a beacon tells of a new server', async () => {
    const own = await startIoc({ kind: 'ca', db: 'record(ao, "N:a") { field(VAL, "4") field(PINI, "YES") }' })
    await own.kill9()
    // As caRepeater does: passes beacons on to everyone who registered.
    const repeaterPort = Number(own.env['EPICS_CA_REPEATER_PORT'])
    const repeater = createSocket('udp4')
    const clients = new Set<number>()
    repeater.bind(repeaterPort, '127.0.0.1')
    await once(repeater, 'listening')
    const registered = new Promise<void>((resolve) => {
      repeater.on('message', (bytes, { port }) => {
        const isRegistration = bytes.length === 0 || bytes.readUInt16BE(0) === 24
        if (!isRegistration) for (const client of clients) repeater.send(bytes, client, '127.0.0.1')
        else {
          clients.add(port)
          repeater.send(Buffer.from([0, 17, ...new Array<number>(14).fill(0)]), port, '127.0.0.1')
          resolve()
        }
      })
    })
    const [host = '', port = ''] = own.caAddress.split(':')
    const client = new CaClient(
      {
        addresses: [{ host, port: Number(port) }],
        autoAddresses: false,
        nameServers: [],
        port: 9,
        repeaterPort,
        isRepeater: true,
        connectionTimeoutMs: 30_000,
        maxSearchPeriodMs: 3_600_000,
        // The first search finds nobody, the next one would come after an hour.
        firstSearchMs: 3_600_000,
        maxBytes: 1 << 20
      },
      () => undefined
    )
    try {
      const value = new Promise((resolve) => {
        const nothing = (): void => undefined
        const onValue = (one: { readonly value: unknown }): void => resolve(one.value)
        client.monitor(
          { name: 'N:a', isText: false, isAlwaysArray: false },
          { onConnect: nothing, onValue, onAccess: nothing, onDisconnect: nothing }
        )
      })
      await registered
      await own.restart()
      assert.equal(await value, 4)
    } finally {
      await client.close()
      repeater.close()
      await own.stop()
    }
  })

  it('is the repeater of its host where there is none, for other clients, too', async () => {
    const own = await startIoc({ kind: 'ca', db: 'record(ao, "N:a") { field(VAL, "4") field(PINI, "YES") }' })
    await own.kill9()
    const [host = '', port = ''] = own.caAddress.split(':')
    const repeaterPort = Number(own.env['EPICS_CA_REPEATER_PORT'])
    const options = (more: object) => ({
      ...{ ca: { addr_list: [`${host}:${port}`], auto_addr_list: false, repeater_port: repeaterPort, ...more } },
      pva: { auto_addr_list: false }
    })
    const first = await connect(options({}))
    const one = first.open('ca', 'N:a')
    await searched(Number(port), host) // The first client is there, and the repeater with it
    const registered = await registeredAt(repeaterPort)
    const second = await connect(options({ repeater: false }))
    const other = second.open('ca', 'N:a')
    await own.restart()
    const [a, b] = await Promise.all([one.value(), other.value(), registered.beacon])
    assert.deepEqual([a.value, b.value, first.warnings, second.warnings], [4, 4, [], []])
    await own.stop()
  })

  for (const protocol of ['ca', 'pva'] as const)
    it(`that come late are searched for all that waits as soon as one channel is found: ${protocol}`, async () => {
      const own = await startIoc({ kind: 'qsrv2', db: 'record(ao, "N:a") { field(VAL, "4") } record(ao, "N:b") { }' })
      await own.kill9()
      const [host = '', port = ''] = (protocol === 'ca' ? own.caAddress : own.pvaAddress).split(':')
      const addresses = [{ host, port: Number(port) }]
      // The first search finds nobody, the next one would come after an hour.
      const hour = 3_600_000
      const options = {
        ...{ addresses, autoAddresses: false, nameServers: [], port: 9, connectionTimeoutMs: 30_000 },
        ...{ maxSearchPeriodMs: hour, firstSearchMs: hour, maxBytes: 1 << 20 }
      }
      const nothing = (): void => undefined
      const connected = (open: (listener: { onConnect: () => void }) => unknown): Promise<void> =>
        new Promise((resolve) => open({ onConnect: resolve }))
      const rest = { onValue: nothing, onUpdate: nothing, onAccess: nothing, onDisconnect: nothing }
      const ca =
        protocol === 'ca' ? new CaClient({ ...options, repeaterPort: 9, isRepeater: false }, nothing) : undefined
      const pva = protocol === 'pva' ? new PvaClient({ ...options, serverQueue: 0 }, nothing) : undefined
      const monitor = (name: string): Promise<void> =>
        connected(({ onConnect }) =>
          ca === undefined
            ? pva?.monitor({ name, fields: [], queueSize: 0 }, { ...rest, onConnect })
            : ca.monitor({ name, isText: false, isAlwaysArray: false }, { ...rest, onConnect })
        )
      try {
        const early = monitor('N:a')
        await searched(Number(port), host)
        await own.restart()
        await monitor('N:b')
        await early
      } finally {
        await Promise.all([ca?.close(), pva?.close()])
        await own.stop()
      }
    })

  for (const kind of ['qsrv2', 'p4p'] as const)
    it(`hears the pvAccess beacons of ${kind} beside servers of the host, and takes no search away from them`, async () => {
      const own = await startIoc({
        kind,
        db: kind === 'p4p' ? [] : 'record(longout, "N:counter") { field(VAL, "0") field(PINI, "YES") }',
        macros: { P: 'N:' },
        env: { EPICS_PVAS_BEACON_ADDR_LIST: '127.255.255.255' }
      })
      await own.kill9()
      const [host = '', port = ''] = own.pvaAddress.split(':')
      const warnings: string[] = []
      const client = new PvaClient(
        {
          // Searches go to the server, beacons come by broadcast.
          addresses: [host, '127.255.255.255'].map((one) => ({ host: one, port: Number(port) })),
          autoAddresses: false,
          nameServers: [],
          port: 9,
          connectionTimeoutMs: 30_000,
          maxSearchPeriodMs: 3_600_000,
          // The first search finds nobody, the next one would come after an hour.
          firstSearchMs: 3_600_000,
          maxBytes: 1 << 20,
          serverQueue: 0
        },
        (message) => warnings.push(message)
      )
      try {
        const first = new Promise((resolve) => {
          const nothing = (): void => undefined
          const channel = client.monitor(
            { name: 'N:counter', fields: [], queueSize: 0 },
            {
              onConnect: nothing,
              onUpdate: () => resolve(channel.state?.get(channel.state.indexOf('value'))),
              onDisconnect: nothing
            }
          )
        })
        await searched(Number(port), host)
        await own.restart()
        assert.equal(await first, 0)
        // Another client finds the server by unicast while ours listens on the same port.
        const epics = await connect(only([], [own.pvaAddress]))
        assert.equal((await epics.open('pva', 'N:counter').value()).value, 0)
        assert.deepEqual([warnings, epics.warnings], [[], []])
      } finally {
        await client.close()
        await own.stop()
      }
    })

  it('tells when a server forbids reading and allows it again', async () => {
    const rules = (read: string) => `ASG(DEFAULT) { RULE(1, READ) RULE(1, WRITE) }\nASG(SECRET) { RULE(1, ${read}) }\n`
    const folder = await mkdtemp(join(tmpdir(), 'nexstream-access-'))
    const file = join(folder, 'access.acf')
    await writeFile(file, rules('NONE'))
    const own = await startIoc({
      kind: 'ca',
      env: { IOC_ACCESS_FILE: file },
      db: `record(ao, "S:a") { field(VAL, "1") field(PINI, "YES") field(ASG, "SECRET") }
record(ao, "S:b") { field(VAL, "1") field(PINI, "YES") }`
    })
    const set = async (read: string): Promise<void> => {
      await writeFile(file, rules(read))
      await own.iocsh('asInit')
    }
    try {
      const epics = await connect(only([own.caAddress], []))
      const [secret, plain] = [epics.open('ca', 'S:a'), epics.open('ca', 'S:b')]
      await plain.value()
      await secret.connection(7)
      assert.deepEqual(states(secret), [1, 7])
      await set('READ')
      assert.deepEqual([(await secret.value()).value, (await secret.value()).first], [1, true])
      const readable = secret.updates.length
      await set('NONE')
      await secret.connection(7, readable)
      const from = secret.updates.length
      await own.put('S:a', 3)
      await own.put('S:b', 3)
      await plain.value(({ value }) => value === 3)
      await set('READ')
      const back = await secret.until(({ kind }) => kind === 'value', from)
      assert.deepEqual([back.value, back.first], [3, true])
      assert.deepEqual(states(secret), [1, 7, 2, 7, 2])
      assert.deepEqual(states(plain), [1, 2])
      assert.deepEqual(epics.warnings, [])
    } finally {
      await own.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
