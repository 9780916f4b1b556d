// What Node alone needs: a program that receives packets and only counts them. `bare.js PORT PACKETS dgram|recvmmsg`, prints as recv.c does.
import { createSocket } from 'node:dgram'
import { SystemCalls } from '../../../plugins/service-event-formation/thread/system-calls.js'

const PATIENCE_MS = 2000
const ROOM = 4 << 20
const PLACES = 64
const PLACE_BYTES = 9216

const [, , port = '', wanted = '', by = ''] = process.argv
const packets = Number(wanted)
let came = 0
let before: NodeJS.CpuUsage | undefined

function count(more: number): void {
  before ??= process.cpuUsage()
  came += more
}

function tell(): void {
  const { user, system } = process.cpuUsage(before)
  console.log(`${came} ${user + system}`)
  process.exit(0)
}

async function byDgram(): Promise<void> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(Number(port), '127.0.0.1', resolve))
  socket.setRecvBufferSize(ROOM)
  let last = Infinity
  socket.on('message', () => {
    count(1)
    if (came === packets) tell()
  })
  setInterval(() => {
    if (came === last) tell()
    if (came > 0) last = came
  }, PATIENCE_MS)
  console.log('ready')
}

async function byRecvmmsg(): Promise<void> {
  const calls = await SystemCalls.open()
  if (typeof calls === 'string') throw new Error(calls)
  const fd = await calls.bind('127.0.0.1', Number(port), false)
  // Its loop never turns: it only sets the room
  const socket = createSocket('udp4').bind({ fd, exclusive: true })
  socket.setRecvBufferSize(ROOM)
  const offsets = Array.from({ length: PLACES }, (_, n) => n * PLACE_BYTES)
  const places = calls.places(new Uint8Array(PLACES * PLACE_BYTES), offsets, PLACE_BYTES)
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  console.log('ready')
  for (let quietSince = performance.now(); came < packets;) {
    const got = calls.receive(fd, places, 0, PLACES)
    if (got > 0) count(got)
    if (got < PLACES) Atomics.wait(sleeper, 0, 0, 1)
    if (got > 0 || came === 0) quietSince = performance.now()
    else if (performance.now() - quietSince > PATIENCE_MS) break
  }
  tell()
}

await (by === 'dgram' ? byDgram() : byRecvmmsg())
