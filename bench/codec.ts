// How long do the hot converters take for one message? Yardstick: the calls that flatc's classes make of the flatbuffers package.
import { Builder, ByteBuffer } from 'flatbuffers'
import { logF142, logF144 } from '../plugins/converter-logs/codec.js'

const ROUNDS = 7
const source = 'IN:DEMO:CS:SB:temperature'
const log = { source, timestampNs: 1_700_000_000_123_456_789n, dtype: 'float64', value: 21.375 } as const
const alarmed = { ...log, alarm: { severity: 1, status: 4 } }
const f142 = logF142.encode(alarmed)
const f144 = logF144.encode(log)
const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
let sink = 0

function classesEncode(): number {
  const builder = new Builder(128)
  const name = builder.createString(log.source)
  builder.startObject(1)
  builder.addFieldFloat64(0, log.value, 0)
  const value = builder.endObject()
  builder.startObject(4)
  builder.addFieldOffset(0, name, 0)
  builder.addFieldInt64(1, log.timestampNs, 0n)
  builder.addFieldInt8(2, 10, 0)
  builder.addFieldOffset(3, value, 0)
  builder.finish(builder.endObject(), 'f144')
  return builder.asUint8Array().length
}

function classesDecode(message: Uint8Array): number {
  const bb = new ByteBuffer(message)
  const root = bb.readInt32(0)
  const field = (table: number, slot: number): number => table + bb.__offset(table, 4 + 2 * slot)
  const name = bb.__string(field(root, 0)) as string
  const value = bb.__indirect(field(root, 3))
  return bb.readFloat64(field(value, 0)) + Number(bb.readInt64(field(root, 1)) & 1n) + name.length
}

const cases: Record<string, () => void> = {
  'f144 encode': () => (sink += logF144.encode(log).length),
  'f144 encode, flatbuffers': () => (sink += classesEncode()),
  'f144 peek + decode': () => {
    logF144.peek(f144, peek)
    sink += logF144.decode(f144).value as number
  },
  'f144 decode, flatbuffers': () => (sink += classesDecode(f144)),
  'f142 encode': () => (sink += logF142.encode(alarmed).length),
  'f142 peek': () => {
    logF142.peek(f142, peek)
    sink += peek.sourceEnd
  },
  'f142 peek + decode': () => {
    logF142.peek(f142, peek)
    sink += logF142.decode(f142).value as number
  }
}

// Interleaved rounds, the best of each: other work on the machine only ever adds time.
const best = new Map<string, number>()
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const count = 200_000
    const start = process.hrtime.bigint()
    for (let i = 0; i < count; i++) run()
    const ns = Number(process.hrtime.bigint() - start) / count
    best.set(name, Math.min(ns, best.get(name) ?? Number.POSITIVE_INFINITY))
  }
}
console.table(Object.fromEntries([...best].map(([name, ns]) => [name, { 'ns per message': Math.round(ns) }])))
if (Number.isNaN(sink)) process.exitCode = 1
