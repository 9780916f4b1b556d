// Log: each line to a Graylog server as GELF, over TCP, TLS or UDP. A server that is away costs nothing but a count.
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { API, CodedError, definePlugin, type OutletState } from '../../core/api/plugin.js'
import { NetworkSender } from '../reporter-graphite/sender.js'
import { datagrams, gelf } from './frame.js'

const severity = { error: 0, warn: 1, info: 2, debug: 3 } as const
const CLOSE_MS = 2000
const END = Buffer.from([0])

/** Where frames go. */
interface GelfOutlet {
  push(frame: Buffer): void
  readonly state: OutletState
  close(): Promise<void>
}

/** Datagrams: nobody says whether they arrive. */
function overUdp(host: string, port: number): GelfOutlet {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').unref()
  socket.on('error', () => undefined)
  let sent = 0
  let dropped = 0
  let closed = false
  return {
    push(frame) {
      const parts = closed ? undefined : datagrams(frame)
      if (parts === undefined) return void dropped++
      let left = parts.length
      let lost = false
      for (const part of parts)
        socket.send(part, port, host, (error) => {
          lost ||= error !== null
          if (--left > 0) return
          if (lost) dropped++
          else sent++
        })
    },
    get state() {
      return { state: 'udp', sent, dropped }
    },
    close: () => {
      closed = true
      return new Promise((resolve) => socket.close(resolve))
    }
  }
}

function overTcp(options: ConstructorParameters<typeof NetworkSender>[0]): GelfOutlet {
  const sender = new NetworkSender(options)
  return {
    push: (frame) => sender.push(Buffer.concat([frame, END])),
    get state() {
      return sender.outlet
    },
    close: () => sender.close(CLOSE_MS)
  }
}

function readPem(file: string | undefined, what: string): Buffer | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new CodedError('CONFIG_INVALID', `log-gelf: ${what}: ${(cause as Error).message}`, { cause })
  }
}

let outlet: GelfOutlet | undefined

export default definePlugin({
  name: 'log-gelf',
  version: '1.0.0',
  api: API,
  summary: 'Log lines to Graylog (GELF over TCP, TLS or UDP).',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      host: { type: 'string', minLength: 1, description: 'Where Graylog is; without it nothing is sent.' },
      port: { type: 'integer', minimum: 1, maximum: 65535, default: 12201, description: 'Its GELF input.' },
      protocol: { enum: ['tcp', 'tls', 'udp'], default: 'tcp', description: 'That of the input.' },
      ca: { type: 'string', description: 'PEM file of who signed its certificate, for `tls`; default those of Node.' },
      cert: { type: 'string', description: 'PEM file of our certificate, for `tls`.' },
      key: { type: 'string', description: 'PEM file of its key.' },
      verify: { type: 'boolean', default: true, description: 'Refuse a certificate that is not good.' },
      level: {
        enum: ['error', 'warn', 'info', 'debug'],
        default: 'info',
        description: 'Least severe level that is sent, of what `log.level` lets through.'
      },
      facility: { type: 'string', default: 'ESS', description: '`_facility` of each message.' },
      process_name: { type: 'string', description: '`_process_name`; default the role, such as `filewriter`.' },
      queue: {
        type: 'integer',
        minimum: 10,
        default: 10_000,
        description: 'Messages that may wait for a server that is away; of more the oldest are dropped.'
      }
    }
  },
  apply(registry, options) {
    const { host, port, protocol, level: least, queue: most } = options
    if (host === undefined) return
    // The log itself cannot tell of this trouble: the status does (`outlets`)
    const told = (): void => undefined
    const [ca, cert, key] = [readPem(options.ca, 'ca'), readPem(options.cert, 'cert'), readPem(options.key, 'key')]
    const pems = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
    const tls = { ...pems, ...(isIP(host) === 0 && { servername: host }), rejectUnauthorized: options.verify }
    const way = protocol === 'udp' ? overUdp(host, port) : overTcp({ host, port, most, told, ...(protocol === 'tls' && { tls }) }) // prettier-ignore
    outlet = way
    const { facility, process_name: processName } = options
    const origin = { host: hostname(), facility, processName, pid: process.pid }
    registry.hooks.logged.tap('log-gelf', (line) => {
      if (severity[line.level] <= severity[least]) way.push(gelf(line, origin))
      return line
    })
    registry.hooks.snapshot.tap('log-gelf', (snapshot) => ({
      ...snapshot,
      outlets: { ...snapshot.outlets, gelf: way.state }
    }))
  },
  close: () => outlet?.close()
})
