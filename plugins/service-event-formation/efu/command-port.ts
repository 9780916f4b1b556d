// The TCP command port of a detector, as the field's program has it: a request a line, answers without line ends.
import { createServer, type Server, type Socket } from 'node:net'
import { CodedError, errorText } from '../../../core/api/plugin.js'
import { answerOf, type AskedDetector } from './requests.js'

const MOST_CLIENTS = 16
/** Requests of one client that may wait. */
const MOST_WAITING = 64

export class CommandPort {
  readonly #sockets = new Set<Socket>()

  private constructor(readonly server: Server) {}

  /** Throws PORT_FAILED. */
  static async open(host: string, port: number, detector: AskedDetector): Promise<CommandPort> {
    const server = createServer()
    const opened = new CommandPort(server)
    server.maxConnections = MOST_CLIENTS
    server.on('connection', (socket) => opened.#serve(socket, detector))
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host, port, exclusive: true }, resolve)
      })
    } catch (cause) {
      throw new CodedError('PORT_FAILED', `TCP ${host}:${port}: ${errorText(cause)}`, { path: '/command_port', cause })
    }
    server.removeAllListeners('error')
    server.on('error', () => undefined)
    return opened
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve))
    for (const socket of this.#sockets) socket.destroySoon()
    await closed
  }

  /** What comes without a line end is a request, too, as there. */
  #serve(socket: Socket, detector: AskedDetector): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let last = Promise.resolve()
    let waiting = 0
    socket.on('data', (data) => {
      const lines = data.toString('latin1').split('\n')
      if (lines.length > 1 && /^[\s\0]*$/.test(lines.at(-1) ?? '')) lines.pop()
      waiting += lines.length
      if (waiting > MOST_WAITING) return void socket.destroy()
      for (const line of lines)
        last = last.then(async () => {
          const answer = await answerOf(line, detector)
          waiting--
          if (!socket.destroyed) socket.write(answer)
        })
    })
  }
}
