// `nexstream pv` on real servers of both protocols: values, units, alarms, types, what is not there, and what comes and goes.
import assert from 'node:assert/strict'
import { type Ioc, joinEnv, startIoc } from '../support/ioc.js'
import { jsonLines, nexstream, start } from './child.js'

const db = `
record(ao, "$(P)TEMP") { field(EGU, "K") field(PREC, "2") field(HIGH, "40") field(HSV, "MINOR") field(VAL, "4.25") field(PINI, "YES") }
record(mbbo, "$(P)MODE") { field(ZRST, "off") field(ONST, "on") field(VAL, "1") field(PINI, "YES") }
record(stringout, "$(P)NAME") { field(VAL, "first sample") field(PINI, "YES") }
record(waveform, "$(P)WAVE") { field(FTVL, "LONG") field(NELM, "20") }
record(ao, "$(P)NEVER") { }
`

describe('nexstream pv', function () {
  this.timeout(180_000)
  let ioc: Ioc
  let env: Record<string, string>
  before(async () => {
    ioc = await startIoc({ kind: 'qsrv2', db, macros: { P: 'PV:' } })
    env = joinEnv([ioc])
    await ioc.put('PV:WAVE', [...Array(12).keys()])
  })
  after(() => ioc.stop())

  const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z'

  it('get prints time, value with the digits of the record, units and alarm, over both protocols', async () => {
    await ioc.put('PV:TEMP', 41.5)
    const names = ['PV:TEMP', 'pva://PV:TEMP', 'PV:MODE', 'pva://PV:MODE', 'PV:NAME', 'PV:WAVE', 'pva://PV:WAVE', 'PV:NEVER'] // prettier-ignore
    const { code, stdout, stderr } = await nexstream(['pv', 'get', ...names, '--timeout', '60s'], { env })
    assert.equal(code, 0, stderr)
    const wave = '\\[12: 0 1 2 3 4 5 6 7 8 9 …\\]'
    for (const [i, line] of stdout.trim().split('\n').entries())
      assert.match(line, new RegExp([
        `^${time} PV:TEMP 41\\.50 K HIGH MINOR$`, `^${time} PV:TEMP 41\\.50 K HIGH MINOR$`, `^${time} PV:MODE on$`, `^${time} PV:MODE on$`,
        `^${time} PV:NAME first sample$`, `^${time} PV:WAVE ${wave}$`, `^${time} PV:WAVE ${wave}$`, `^<no time> +PV:NEVER 0 UDF INVALID$`
      ][i] ?? 'no more')) // prettier-ignore
    const [json] = await jsonLines(['pv', 'get', 'pva://PV:WAVE', '--json', '--timeout', '60s'], { env })
    assert.deepEqual([json?.['pv'], json?.['protocol'], json?.['value'], json?.['severity']], ['PV:WAVE', 'pva', [...Array(12).keys()], 'NO_ALARM']) // prettier-ignore
  })

  it('get says which are not there, and prints the others', async () => {
    const { code, stdout, stderr } = await nexstream(['pv', 'get', 'PV:NAME', 'PV:NONE', '--timeout', '3s'], { env })
    assert.equal(code, 3)
    assert.match(stdout, /PV:NAME first sample\n$/)
    assert.match(stderr, /^COMMAND_TIMEOUT: ca:\/\/PV:NONE: no server has it, within 3000 ms\. Is EPICS_CA_ADDR_LIST right\?.*write pva:\/\/NAME/) // prettier-ignore
  })

  it('monitor prints every value, and that a server goes and comes back', async () => {
    await ioc.put('PV:TEMP', 1)
    const child = start(['pv', 'monitor', 'PV:TEMP', 'PV:LATER', '--timeout', '2s'], { env })
    try {
      await child.says(/ PV:TEMP 1 K\n/, 'stdout')
      for (let value = 2; value <= 5; value++) {
        await ioc.put('PV:TEMP', value)
        await child.says(new RegExp(` PV:TEMP ${value} K\\n`), 'stdout')
      }
      await child.says(/ca:\/\/PV:LATER: no server has it.*; waiting for it\n/)
      await ioc.restart()
      await child.says(/PV:TEMP DISCONNECTED\n[\s\S]*PV:TEMP 4\.25 K\n/, 'stdout')
      child.kill('SIGINT')
      assert.deepEqual((await child.ended).code, 0)
    } finally {
      await child.close()
    }
    const counted = await nexstream(['pv', 'monitor', 'sim://A', '-n', '2'])
    assert.deepEqual([counted.code, counted.stdout.trim().split('\n').length], [0, 2])
    const none = await nexstream(['pv', 'monitor', 'sim://A', '-n', '0'])
    assert.deepEqual([none.code, none.stdout], [0, ''])
  })

  it('says what is no PV and no protocol', async () => {
    for (const [args, said] of [
      [['get', 'ftp://A'], /^CLI_USAGE: nobody speaks 'ftp'; there are .*\bca\b.*\bpva\b/],
      [['get', 'A B'], /^CLI_USAGE: 'A B' is no PV; write NAME, ca:\/\/NAME or pva:\/\/NAME/],
      [['monitor', 'A', '-n', 'x'], /^CLI_USAGE: --count: 'x' is no whole number/],
      [['get'], /^CLI_USAGE: missing required argument 'pvs'/]
    ] as const) {
      const { code, stderr } = await nexstream(['pv', ...args])
      assert.match(stderr, said)
      assert.equal(code, 2)
    }
  })
})
