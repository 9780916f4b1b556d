// How long do the hot converters take for one message? Yardstick: flatc's generated code with the flatbuffers runtime.
import { Builder, ByteBuffer } from 'flatbuffers'
import { Double } from '../schemas/generated/f144/double.js'
import { f144_LogData as LogData } from '../schemas/generated/f144/f144-log-data.js'
import { Value } from '../schemas/generated/f144/value.js'
import { logF142, logF144 } from '../plugins/converter-logs/codec.js'

const rounds = 7
const source = 'IN:DEMO:CS:SB:temperature'
const log = { source, timestampNs: 1_700_000_000_123_456_789n, dtype: 'float64', value: 21.375 } as const
const alarmed = { ...log, alarm: { severity: 1, status: 4 } }
const f142 = logF142.encode(alarmed)
const f144 = logF144.encode(log)
const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
let sink = 0

function generatedEncode(): number {
  const builder = new Builder(128)
  const name = builder.createString(log.source)
  const value = Double.createDouble(builder, log.value)
  const root = LogData.createf144_LogData(builder, name, log.timestampNs, Value.Double, value)
  LogData.finishf144_LogDataBuffer(builder, root)
  return builder.asUint8Array().length
}

function generatedDecode(message: Uint8Array): number {
  const data = LogData.getRootAsf144_LogData(new ByteBuffer(message))
  const name = data.sourceName()
  const value = data.value(new Double()) as Double
  return value.value() + Number(data.timestamp() & 1n) + (name?.length ?? 0)
}

const cases: Record<string, () => void> = {
  'f144 encode': () => (sink += logF144.encode(log).length),
  'f144 encode, generated': () => (sink += generatedEncode()),
  'f144 peek + decode': () => {
    logF144.peek(f144, peek)
    sink += logF144.decode(f144).value as number
  },
  'f144 decode, generated': () => (sink += generatedDecode(f144)),
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
for (let round = 0; round < rounds; round++) {
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
