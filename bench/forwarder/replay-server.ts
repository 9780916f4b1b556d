// A pvAccess server that costs little: counters whose updates are encoded beforehand and leave in large writes, so that the machine is
// left to the forwarder. It speaks the protocol of real servers. replay-server.js PVS HZ; "stop" on stdin ends the counting.
import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { searchResponse } from '../../test/support/epics-proxy.js'
import { PvaEncoder } from '../../test/support/pva-encoder.js'
import { type PvType } from '../../plugins/source-epics/pva/types.js'

const [count = 0, hz = 10] = process.argv.slice(2).map(Number)
const TICK_MS = 10
/** Every PV is in one of these; one slice is sent per tick. */
const slices = Math.round(1000 / hz / TICK_MS)
const [double, int32, int64, text] = [0x43, 0x22, 0x23, 0x60].map((code) => ({ kind: 'scalar', code }) as PvType)
const structure = (id: string, fields: Readonly<Record<string, PvType | undefined>>): PvType =>
  ({
    kind: 'structure',
    id,
    fields: Object.entries(fields).map(([name, type]) => ({ name, type }))
  }) as unknown as PvType
const type = structure('epics:nt/NTScalar:1.0', {
  value: double,
  alarm: structure('alarm_t', { severity: int32, status: int32, message: text }),
  timeStamp: structure('time_t', { secondsPastEpoch: int64, nanoseconds: int32, userTag: int32 })
})
const [CREATE, MONITOR] = [7, 13]
/** Where an update has its number, seconds and nanoseconds. */
const [valueAt, secondsAt, nanosecondsAt] = [16, 24, 32]

/** The bytes of an update of value and time, the numbers still to be filled in. */
const updateOf = (ioid: number): Buffer =>
  new PvaEncoder(false).u32(ioid).u8(0).mask([1, 7, 8]).raw(Buffer.alloc(20)).mask([]).message(MONITOR)

interface Slice {
  bytes: Buffer
  readonly starts: number[]
  value: number
}

const served: Slice[] = Array.from({ length: slices }, () => ({ bytes: Buffer.alloc(0), starts: [], value: 0 }))
let client: Socket | undefined
let isCounting = true
let maxQueued = 0
let maxLateMs = 0

function subscribe(ioid: number, socket: Socket): void {
  client = socket
  const slice = served[ioid % slices]!
  const now = Date.now()
  const timeStamp = { secondsPastEpoch: Math.floor(now / 1000), nanoseconds: (now % 1000) * 1e6, userTag: 0 }
  const first = { value: slice.value, alarm: { severity: 0, status: 0, message: '' }, timeStamp }
  socket.write(new PvaEncoder(false).u32(ioid).u8(0).mask([0]).value(type, first).mask([]).message(MONITOR))
  slice.starts.push(slice.bytes.length)
  slice.bytes = Buffer.concat([slice.bytes, updateOf(ioid)])
}

function count1(slice: Slice): void {
  slice.value++
  const now = performance.timeOrigin + performance.now()
  const seconds = BigInt(Math.floor(now / 1000))
  const nanoseconds = Math.floor((now % 1000) * 1e6)
  const bytes = Buffer.from(slice.bytes) // The last one may still be on its way
  for (const at of slice.starts) {
    bytes.writeDoubleLE(slice.value, at + valueAt)
    bytes.writeBigInt64LE(seconds, at + secondsAt)
    bytes.writeInt32LE(nanoseconds, at + nanosecondsAt)
  }
  client?.write(bytes)
  maxQueued = Math.max(maxQueued, client?.writableLength ?? 0)
}

function answer(socket: Socket, command: number, body: Buffer): void {
  if (command === 1) socket.write(new PvaEncoder(false).u8(0xff).message(9))
  else if (command === 2) socket.write(new PvaEncoder(false).raw(body).message(2))
  else if (command === CREATE) {
    const cid = body.readUInt32LE(2)
    socket.write(new PvaEncoder(false).u32(cid).u32(cid).u8(0xff).message(CREATE))
  } else if (command === MONITOR) {
    const ioid = body.readUInt32LE(4)
    if (body[8] === 0x08) socket.write(new PvaEncoder(false).u32(ioid).u8(0x08).u8(0xff).type(type).message(MONITOR))
    else if (body[8] === 0x44) subscribe(ioid, socket)
  }
}

const tcp = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => undefined) // The client that goes is told by 'close'
  socket.on('close', () => (client = undefined))
  socket.write(Buffer.from([0xca, 2, 0x41, 2, 0, 0, 0, 0]))
  socket.write(new PvaEncoder(false).u32(0x10000).u16(0x7fff).size(1).text('anonymous').message(1))
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32LE(4)) {
      const end = 8 + rest.readUInt32LE(4)
      answer(socket, rest[3]!, rest.subarray(8, end))
      rest = rest.subarray(end)
    }
  })
})
const udp = createSocket('udp4')
udp.on('message', (bytes, from) => {
  if (bytes[3] !== 3) return
  const { port } = tcp.address() as AddressInfo
  let at = 35 + 4 // One protocol: tcp
  const cids: number[] = []
  for (let names = bytes.readUInt16LE(at), i = ((at += 2), 0); i < names; i++) {
    const length = bytes[at + 4]!
    if (/^B:\d+$/.test(bytes.toString('latin1', at + 5, at + 5 + length))) cids.push(bytes.readUInt32LE(at))
    at += 5 + length
  }
  if (cids.length > 0) udp.send(searchResponse(bytes.readUInt32LE(8), port, cids), from.port, from.address)
})

tcp.listen(0, '127.0.0.1', () =>
  udp.bind(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: udp.address().port })}\n`))
)
let tick = 0
let dueMs = performance.now()
const timer = setInterval(() => {
  const all = served.reduce((sum, { starts }) => sum + starts.length, 0)
  maxLateMs = Math.max(maxLateMs, all < count ? 0 : performance.now() - dueMs)
  for (; dueMs <= performance.now(); dueMs += TICK_MS) if (isCounting && all >= count) count1(served[tick++ % slices]!)
}, TICK_MS)
createInterface({ input: process.stdin }).on('line', () => {
  isCounting = false
  const { user, system } = process.cpuUsage()
  const puts = served.reduce((sum, { starts, value }) => sum + starts.length * (value + 1), 0)
  process.stdout.write(`${JSON.stringify({ puts, cpuS: (user + system) / 1e6, maxQueued, maxLateMs })}\n`)
})
process.stdin.on('end', () => {
  clearInterval(timer)
  process.exit(0)
})
