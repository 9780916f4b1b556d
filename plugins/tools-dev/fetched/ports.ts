// Ports for servers that may be stopped and started again on them while others run beside.
import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer } from 'node:net'

/** `count` ports that nobody has, neither TCP nor UDP; below the range from which clients get theirs. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = []
  while (found.length < count) {
    const port = 16_384 + Math.floor(Math.random() * 16_000)
    if (!found.includes(port) && (await isFree(port))) found.push(port)
  }
  return found
}

/** On loopback. */
async function isFree(port: number): Promise<boolean> {
  const tcp = await new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
  if (!tcp) return false
  return new Promise<boolean>((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', () => resolve(false))
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => socket.close(() => resolve(true)))
  })
}

/** The usual one, or any that is free. */
export async function usualPort(usual: number): Promise<number> {
  if (await isFree(usual)) return usual
  const server = createServer()
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  await new Promise((resolve) => server.close(resolve))
  return port
}
