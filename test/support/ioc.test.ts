import assert from 'node:assert/strict'
import { until } from './forwarder/live.js'
import { startIoc, type IocKind } from './ioc.js'
import { python } from './python.js'

const db = `record(ao, "$(P)ao") { field(VAL, "1.5") field(PINI, "YES") field(PREC, "2") }
record(waveform, "$(P)wf") { field(FTVL, "DOUBLE") field(NELM, "8") }
record(lso, "$(P)lso") { field(SIZV, "200") }
record(calc, "$(P)cnt") { field(CALC, "VAL+1") field(INPA, "$(P)ao CP") }`

describe('ioc (real EPICS servers)', function () {
  this.timeout(600_000)
  before(() => python())

  for (const kind of ['ca', 'qsrv1', 'qsrv2'] satisfies IocKind[]) {
    it(`${kind}: put, get, ramp, kill and restart`, async () => {
      const ioc = await startIoc({ kind, db, macros: { P: 'T:' } })
      try {
        assert.equal(await ioc.get('T:ao'), '1.50')
        await ioc.put('T:ao', 2.25)
        assert.equal(await ioc.get('T:ao'), '2.25')
        await ioc.put('T:wf', [3, 4, 5])
        assert.equal(await ioc.get('T:wf.NORD'), '3')
        await ioc.put('T:lso.VAL$', 'x'.repeat(60))
        assert.equal(await ioc.get('T:lso.LEN'), '61')
        const before = await ioc.count('T:cnt')
        assert.equal(await ioc.ramp(['T:ao'], 50, 0), 50)
        assert.equal(await ioc.get('T:ao'), '50.00')
        await ioc.iocsh('dbpf T:ao 7')
        // It follows in a thread of its own
        await until(async () => (await ioc.count('T:cnt')) > before)
        await assert.rejects(ioc.put('T:nothing', 1), /no record field/)
        const pid = ioc.pid
        await ioc.kill9()
        await ioc.restart()
        assert.notEqual(ioc.pid, pid)
        assert.equal(await ioc.get('T:ao'), '1.50')
      } finally {
        await ioc.stop()
      }
    })
  }

  for (const [kind, name] of [
    ['p4p', 'T:scalar:float64'],
    ['caproto', 'T:f']
  ] as const) {
    it(`${kind}: put and ramp`, async () => {
      const ioc = await startIoc({ kind, macros: { P: 'T:' } })
      try {
        await ioc.put(name, 2)
        assert.equal(await ioc.ramp([name], 10, 0), 10)
        await assert.rejects(ioc.put('T:nothing', 1), /T:nothing/)
      } finally {
        await ioc.stop()
      }
    })
  }

  it('says why a server did not start', async () => {
    await assert.rejects(startIoc({ kind: 'ca', db: 'record(nosuchtype, "x") {}' }), /nosuchtype|Error loading/)
  })
})
