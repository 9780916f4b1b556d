// Records what real servers send, for the tests without servers: node dist/test/support/record-epics.js [kind …]
import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { startProxy } from './epics-proxy.js'
import { only, openEpics, type Recorder } from './epics.js'
import { startIoc, type Ioc, type IocKind } from './ioc.js'

const db = `record(ao, "double") { field(VAL, "3.25") field(PINI, "YES") field(EGU, "mm") field(PREC, "3") field(HIHI, "9") field(HHSV, "MAJOR") field(HOPR, "100") field(LOPR, "-100") field(DRVH, "80") field(DRVL, "-80") field(HIGH, "8") field(LOW, "-8") field(LOLO, "-9") }
record(mbbo, "enum") { field(ZRST, "off") field(ONST, "on") field(TWST, "broken") field(VAL, "1") field(PINI, "YES") }
record(stringout, "string") { field(VAL, "été €") field(PINI, "YES") }
record(waveform, "shorts") { field(FTVL, "SHORT") field(NELM, "8") field(INP, {const:[-32768, 0, 32767]}) field(PINI, "YES") field(EGU, "V") }
record(waveform, "doubles") { field(FTVL, "DOUBLE") field(NELM, "4000") field(PINI, "YES") }
record(ai, "never") { }`
const folder = new URL('../../../plugins/source-epics/', import.meta.url)

/** Puts, and waits until channel 5 has seen it. */
type Change = (ioc: Ioc, channel: Recorder) => Promise<void>

/** Opens the channels in this order (so that their numbers are 1…n), then puts, and writes what the server said. */
async function record(
  kind: IocKind,
  protocol: 'ca' | 'pva',
  names: readonly string[],
  file: string,
  change?: Change
): Promise<void> {
  const wanted = process.argv.slice(2)
  if (wanted.length > 0 && !wanted.includes(kind)) return
  const ioc = await startIoc({ kind, db, macros: { P: '' } })
  const proxy = await startProxy(protocol, protocol === 'ca' ? ioc.caAddress : ioc.pvaServer)
  const chunks: Buffer[] = []
  proxy.onServer = (chunk) => {
    chunks.push(chunk)
    return chunk
  }
  const address = [`127.0.0.1:${proxy.udpPort}`]
  const epics = await openEpics(only(address, address))
  const channels = names.map((name) => epics.open(protocol, name))
  await Promise.all(channels.map((channel) => channel.value()))
  await change?.(ioc, channels[4] as Recorder)
  await delay(200)
  await epics.close()
  await proxy.stop()
  await ioc.stop()
  await writeFile(new URL(file, folder), Buffer.concat(chunks))
}

const untilLength = async (channel: Recorder, length: number): Promise<void> => {
  await channel.value(({ value }) => (value as { length: number }).length === length)
}
const putRecords: Change = async (ioc, channel) => {
  await ioc.put('double', 9.5)
  await ioc.put(
    'doubles',
    Array.from({ length: 1000 }, (_, i) => i / 2)
  )
  await untilLength(channel, 1000)
}
const records = ['double', 'enum', 'string', 'shorts', 'doubles', 'never']
await record('ca', 'ca', records, 'ca/samples/rsrv.bin', putRecords)
await record('qsrv1', 'pva', records, 'pva/samples/qsrv1.bin', putRecords)
await record('qsrv2', 'pva', records, 'pva/samples/qsrv2.bin', putRecords)
await record(
  'p4p',
  'pva',
  ['scalar:int64', 'array:string', 'enum', 'image', 'table', 'struct', 'full'],
  'pva/samples/p4p.bin'
)
await record(
  'java',
  'pva',
  ['full', 'enum', 'struct', 'array:int64', 'large:float64', 'scalar:string'],
  'pva/samples/java.bin',
  async (ioc, channel) => {
    await ioc.call('delta', { name: 'full', fields: { value: -6.5, 'alarm.message': 'too warm' } })
    await ioc.put('array:int64', [-9007199254740993n, 3n])
    await ioc.put('scalar:string', 'a text')
    await ioc.call('count', { name: 'large:float64', n: 3000, first: -1 })
    await untilLength(channel, 3000)
  }
)
