// The TCP server of the live stream: any number of clients, each greeted with the state as it is, then told everything.
import { createServer, type Server, type Socket } from 'node:net'
import { type LogLevel } from '../../../core/api/plugin.js'
import { AdaraClient } from './client.js'

export interface AdaraServerOptions {
  readonly host: string
  readonly port: number
  readonly maxClients: number
  readonly clientBufferBytes: number
  readonly helloMs: number
}

export class AdaraServer {
  cutClients = 0
  #sentBefore = 0
  readonly #clients = new Set<AdaraClient>()
  readonly #server: Server

  readonly #options: AdaraServerOptions
  readonly #greeting: () => readonly Buffer[]
  readonly #log: (level: LogLevel, message: string) => void

  /** @param greeting - what tells a new client how things are */
  constructor(
    options: AdaraServerOptions,
    greeting: () => readonly Buffer[],
    log: (level: LogLevel, message: string) => void
  ) {
    this.#options = options
    this.#greeting = greeting
    this.#log = log
    this.#server = createServer((socket) => this.#take(socket))
  }

  /** Gives the port. Rejects when it is taken. */
  async listen(): Promise<number> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** Clients that have said hello. */
  get clients(): readonly AdaraClient[] {
    return [...this.#clients].filter(({ joined }) => joined)
  }

  get sentBytes(): number {
    return [...this.#clients].reduce((sum, { sentBytes }) => sum + sentBytes, this.#sentBefore)
  }

  /** All clients share these bytes: however many wait for them, they are there once. */
  broadcast(packets: readonly Buffer[]): void {
    if (packets.length === 0 || this.#clients.size === 0) return
    const bytes = packets.length === 1 ? packets[0]! : Buffer.concat(packets)
    for (const client of [...this.#clients]) client.send(bytes)
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const client of this.#clients) client.end()
    // Who does not read never gets to the end
    const timer = setTimeout(() => {
      for (const client of [...this.#clients]) client.cut('did not read to the end')
    }, 1000)
    await closed
    clearTimeout(timer)
  }

  #take(socket: Socket): void {
    const { clientBufferBytes: mostBytes, helloMs, maxClients } = this.#options
    if (this.#clients.size >= maxClients) {
      this.#log('warn', `client ${socket.remoteAddress} is turned away: ${maxClients} are there (max_clients)`)
      socket.destroy()
      return
    }
    this.#clients.add(
      new AdaraClient(
        socket,
        { mostBytes, helloMs },
        {
          joined: (client, startS) => {
            const asked = startS === 0 ? '' : '; it asked for the past, which this server does not have'
            this.#log('info', `client ${client.name} joins${asked}`)
            client.greet(this.#greeting())
          },
          left: (client, why) => {
            this.#clients.delete(client)
            this.#sentBefore += client.sentBytes
            if (why !== undefined) {
              this.cutClients++
              this.#log('warn', `client ${client.name} is cut off: it ${why}`)
            } else if (client.joined) this.#log('info', `client ${client.name} leaves`)
          }
        }
      )
    )
  }
}
