// Texts and alarms of records, over both protocols from one server: the same, whatever bytes and words the database has.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connecting, only, type Recorder } from '../support/epics.js'
import { type Ioc, startIoc } from '../support/ioc.js'
import { python } from '../support/python.js'
import { ALARM_STATUSES, type Update } from '../../schemas/index.js'

const db = `
record(ao, "X:ao") { field(VAL, "1") field(PINI, "YES") field(EGU, "µA") }
record(ao, "X:degree") { field(VAL, "1") field(PINI, "YES") field(EGU, "°C") }
record(ao, "X:last") { field(VAL, "1") field(PINI, "YES") field(EGU, "grü") }
record(stringout, "X:text") { field(VAL, "früh ü") field(PINI, "YES") }
record(bo, "X:choice") { field(ZNAM, "ausä") field(ONAM, "än") field(PINI, "YES") }
record(ai, "X:hihi") { field(VAL, "10") field(PINI, "YES") field(HIHI, "5") field(HHSV, "MAJOR") }
record(ai, "X:broken") { field(INP, "X:nothing.Z NPP MS") field(SCAN, "1 second") }
record(ai, "X:mss") { field(INP, "X:hihi NPP MSS") field(SCAN, "1 second") }
record(ai, "X:mssca") { field(INP, "X:hihi CA MSS") field(SCAN, "1 second") }
record(ai, "X:ms") { field(INP, "X:hihi CA MS") field(SCAN, "1 second") }
record(ai, "X:simm") { field(SIMM, "YES") field(SIOL, "X:hihi") field(SIMS, "MINOR") field(SCAN, "1 second") }
record(sub, "X:sub") { field(SNAM, "nobody") field(SCAN, "1 second") }
record(ai, "X:udf") { field(VAL, "0") }
`

for (const kind of ['qsrv1', 'qsrv2'] as const)
  describe(`EPICS texts of ${kind}`, function () {
    this.timeout(120_000)
    let ioc: Ioc
    let folder: string
    const connect = connecting()

    before(async function () {
      this.timeout(600_000)
      await python()
      folder = await mkdtemp(join(tmpdir(), 'nexstream-texts-'))
      const file = join(folder, 'latin1.db')
      await writeFile(file, Buffer.from(db, 'latin1'))
      ioc = await startIoc({ kind, db: file })
    })
    after(async () => {
      await ioc?.stop()
      await rm(folder, { recursive: true, force: true })
    })

    /** Resolves when what `read` makes of the updates is what is wanted, over both protocols. */
    async function both(name: string, read: (update: Update) => unknown, wanted: unknown): Promise<void> {
      const epics = await connect(only([ioc.caAddress], [ioc.pvaAddress]))
      const isWanted = (update: Update): boolean => JSON.stringify(read(update)) === JSON.stringify(wanted)
      const seen = (channel: Recorder): Promise<Update> => channel.value(isWanted)
      await Promise.all([seen(epics.open('ca', name)), seen(epics.open('pva', name))])
    }

    it('Latin-1 is read over pvAccess as over Channel Access: units, values, labels', async () => {
      const epics = await connect(only([ioc.caAddress], [ioc.pvaAddress]))
      for (const protocol of ['ca', 'pva'] as const) {
        const of = (name: string): Promise<Update> => epics.open(protocol, name).value()
        assert.deepEqual((await Promise.all(['X:ao', 'X:degree', 'X:last'].map(of))).map(({ units }) => units), ['µA', '°C', 'grü']) // prettier-ignore
        assert.equal((await of('X:text')).value, 'früh ü')
        assert.deepEqual((await of('X:choice')).enumStrings, ['ausä', 'än'])
      }
    })

    const alarms = { hihi: 'HIHI', broken: 'LINK', mss: 'HIHI', mssca: 'HIHI', ms: 'LINK', simm: 'SIMM', sub: 'BAD_SUB', udf: 'UDF' } // prettier-ignore
    for (const [name, status] of Object.entries(alarms))
      it(`the alarm ${status} (${name}) is the same over both protocols`, () =>
        both(`X:${name}`, ({ alarm }) => ALARM_STATUSES[alarm.status], status))

    it('the words of a server are kept', async () => {
      const epics = await connect(only([ioc.caAddress], [ioc.pvaAddress]))
      await epics.open('pva', 'X:broken').value(({ alarm }) => alarm.message === 'field INP')
    })
  })
