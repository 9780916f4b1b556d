import assert from 'node:assert/strict'
import { AddressList, broadcastAddresses, parseHostPort, parseList } from './addrlist.js'
import { caOptions, pvaOptions } from '../options.js'
import { Warner } from './warner.js'

describe('address lists', () => {
  it('take hosts, ports, names and IPv6, separated by blanks or commas', () => {
    const { good, bad } = parseList('10.0.0.1 10.0.0.255:5070,ioc.example  [fe80::1]:5064 ', 5064)
    assert.deepEqual(good, [
      { host: '10.0.0.1', port: 5064 },
      { host: '10.0.0.255', port: 5070 },
      { host: 'ioc.example', port: 5064 },
      { host: 'fe80::1', port: 5064 }
    ])
    assert.deepEqual(bad, [])
  })
  it('keep the good entries beside a bad one', () => {
    const { good, bad } = parseList(['a:1', 'b:99999', 'c:x', ':5'], 5)
    assert.deepEqual(good, [{ host: 'a', port: 1 }])
    assert.deepEqual(bad, ['b:99999', 'c:x', ':5'])
    assert.equal(parseHostPort('h:0', 1), undefined)
  })
  it('know the broadcast addresses of the interfaces', () => {
    const at = (address: string, netmask: string, internal = false) =>
      ({ address, netmask, family: 'IPv4', internal, mac: '', cidr: null }) as const
    assert.deepEqual(
      broadcastAddresses({ eth: [at('10.1.2.3', '255.255.252.0')], lo: [at('127.0.0.1', '255.0.0.0', true)] }),
      ['10.1.3.255']
    )
    assert.deepEqual(broadcastAddresses({ lo: [at('127.0.0.1', '255.0.0.0', true)] }), ['127.255.255.255'])
  })
  it('resolve names, and warn about those that are none', async () => {
    const warnings: string[] = []
    const entries = [
      { host: 'localhost', port: 1 },
      { host: 'no-such-host.invalid', port: 1 },
      { host: '239.1.2.3', port: 2 }
    ]
    const list = new AddressList(entries, false, 3, new Warner((message) => warnings.push(message)))
    await list.refresh()
    assert.deepEqual(list.targets(), [
      { host: '127.0.0.1', port: 1, broadcast: false, unicast: true },
      { host: '239.1.2.3', port: 2, broadcast: false, unicast: false }
    ])
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /no-such-host/)
  })
})

describe('options of source-epics', () => {
  const none = () => assert.fail('no warning expected')
  it('come from the environment', () => {
    const env = {
      EPICS_CA_ADDR_LIST: 'a:1 b',
      EPICS_CA_AUTO_ADDR_LIST: 'no',
      EPICS_CA_SERVER_PORT: '6064',
      EPICS_CA_REPEATER_PORT: '6065',
      EPICS_CA_NAME_SERVERS: 'n',
      EPICS_CA_CONN_TMO: '15',
      EPICS_PVA_ADDR_LIST: 'c',
      EPICS_PVA_BROADCAST_PORT: '6076',
      EPICS_PVA_NAME_SERVERS: 'm',
      EPICS_PVA_SERVER_PORT: '6075'
    }
    const ca = caOptions({}, env, none)
    assert.deepEqual(ca.addresses, [
      { host: 'a', port: 1 },
      { host: 'b', port: 6064 }
    ])
    assert.deepEqual([ca.autoAddresses, ca.repeaterPort, ca.connectionTimeoutMs], [false, 6065, 15_000])
    assert.deepEqual(ca.nameServers, [{ host: 'n', port: 6064 }])
    const pva = pvaOptions({}, env, none)
    assert.deepEqual(pva.addresses, [{ host: 'c', port: 6076 }])
    assert.deepEqual(pva.nameServers, [{ host: 'm', port: 6075 }])
    assert.equal(pva.autoAddresses, true)
  })
  it('win over the environment', () => {
    const ca = caOptions({ ca: { addr_list: ['x'], server_port: 7 } }, { EPICS_CA_ADDR_LIST: 'y' }, none)
    assert.deepEqual(ca.addresses, [{ host: 'x', port: 7 }])
  })
  it('are refused when wrong; a wrong variable is left out with a warning', () => {
    assert.throws(
      () => pvaOptions({ pva: { name_servers: ['a:b'] } }, {}, none),
      (error: { code?: string; path?: string }) => error.code === 'PLUGIN_OPTIONS' && error.path === '/pva/name_servers'
    )
    const warnings: string[] = []
    const ca = caOptions({}, { EPICS_CA_ADDR_LIST: 'good a:b:c', EPICS_CA_CONN_TMO: 'soon' }, (message) =>
      warnings.push(message)
    )
    assert.deepEqual(ca.addresses, [{ host: 'good', port: 5064 }])
    assert.equal(ca.connectionTimeoutMs, 30_000)
    assert.equal(warnings.length, 2)
  })
})
