// The HTTP server of the page: what may be asked, guarded, and the files of the page.
import { type AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { CodedError, type Command, type DaemonSnapshot, type ServiceContext } from '../../core/api/plugin.js'
import { assets } from './assets.js'
import { type DetectorGrid } from './detectors/description.js'
import { JobFiles } from './files.js'
import { Guard, Refusal } from './guard.js'
import { KafkaView } from './kafka-view.js'
import { Layouts } from './detectors/layouts.js'
import { messageRoutes } from './messages.js'
import { type Access, type WebOptions } from './options.js'
import { overviewOf } from './overview.js'
import { type EventFeed, feedOf, Streams } from './streams.js'
import { type OverviewView } from './wire.js'

const MOST_BODY = 1_048_576
const TIMEOUT_MS = 30_000
/** Open connections for each allowed event stream: a browser has six. */
const CONNECTIONS = 6

type Query = Readonly<Record<string, string | undefined>>

export class WebServer {
  readonly #guard: Guard
  readonly #app: FastifyInstance
  readonly #streams: Streams
  #overview: OverviewView | undefined
  #version = 0
  readonly #kafka: KafkaView

  private constructor(
    readonly options: WebOptions,
    readonly access: Access,
    readonly context: ServiceContext,
    detectors: readonly DetectorGrid[]
  ) {
    this.#guard = new Guard(options, access)
    this.#app = this.#makeApp(this.#guard)
    const status = feedOf(() => this.#version, () => this.#overview) // prettier-ignore
    this.#kafka = new KafkaView(options, context, new Layouts(detectors), () => this.#streams.tell())
    const feeds = new Map<string, EventFeed>([['status', status], ...this.#kafka.feeds])
    this.#streams = new Streams(feeds, { clients: options.clients, perClient: options.streams_per_client })
    this.#routes()
  }

  /** Rejects with CONFIG_INVALID when the address cannot be had. */
  static async open(
    options: WebOptions,
    access: Access,
    context: ServiceContext,
    detectors: readonly DetectorGrid[]
  ): Promise<WebServer> {
    const server = new WebServer(options, access, context, detectors)
    const { host, port } = options
    try {
      await server.#app.listen({ host, port })
    } catch (cause) {
      throw new CodedError(
        'CONFIG_INVALID',
        `the page cannot be served on ${host}:${port}: ${(cause as Error).message}`,
        {
          path: '/reporters/web',
          cause
        }
      )
    }
    const { port: taken } = server.#app.server.address() as AddressInfo
    const name = host.includes(':') ? `[${host}]` : host
    context.log('info', `page at ${access.tls === undefined ? 'http' : 'https'}://${name}:${taken}/`)
    return server
  }

  show(snapshot: DaemonSnapshot): void {
    this.#overview = overviewOf(snapshot)
    this.#kafka.learn(snapshot)
    this.#version++
    this.#streams.tell()
  }

  async close(): Promise<void> {
    this.#streams.close()
    this.#app.server.closeAllConnections()
    await this.#app.close()
    await this.#kafka.close()
  }

  #makeApp(guard: Guard): FastifyInstance {
    const { proxies, clients } = this.options
    const { tls } = this.access
    const common = {
      logger: false,
      bodyLimit: MOST_BODY,
      requestTimeout: TIMEOUT_MS,
      keepAliveTimeout: TIMEOUT_MS,
      connectionTimeout: 0,
      forceCloseConnections: true,
      trustProxy: proxies.length === 0 ? false : [...proxies]
    }
    const app = (tls === undefined ? Fastify(common) : Fastify({ ...common, https: tls })) as unknown as FastifyInstance
    app.server.maxConnections = clients * CONNECTIONS
    app.server.headersTimeout = TIMEOUT_MS
    app.addHook('onRequest', (request, reply, done) => {
      guard.admit(request, reply)
      done()
    })
    app.setErrorHandler((error, _request, reply) => this.#failed(error, reply))
    app.setNotFoundHandler((_request, reply) => void reply.code(404).send({ error: 'there is nothing here' }))
    return app
  }

  #routes(): void {
    const app = this.#app
    for (const asset of assets()) {
      app.get(asset.path, async (request, reply) => {
        const { bytes, etag } = await asset.load()
        reply.header('etag', etag).header('cache-control', 'no-cache')
        if (asset.isCompiling) reply.header('content-security-policy', this.#guard.workerPolicy)
        if (request.headers['if-none-match'] === etag) return reply.code(304).send()
        return reply.type(asset.type).send(bytes)
      })
    }
    app.get('/api/status', () => this.#current())
    app.get('/api/jobs', () => ({ jobs: this.#current().jobs }))
    app.get('/api/jobs/:id', ({ params }) => {
      const { id } = params as { id: string }
      return this.context.jobs.show(id) ?? refuse(404, 'no job of this name')
    })
    app.get('/api/histograms', () => ({ histograms: this.#kafka.histograms }))
    app.get('/api/histograms/:key', async ({ params, query }, reply) => {
      const { key } = params as { key: string }
      const { bin = 1, layout = '' } = query as Query
      const body = await this.#kafka.askHistogram(key, Number(bin) || 1, layout)
      return reply.type('application/octet-stream').send(Buffer.from(body as Uint8Array))
    })
    app.get('/api/pvs', ({ query }) => {
      const { filter = '' } = query as Query
      return { pvs: this.#kafka.values.filter(({ name }) => name.includes(filter)) }
    })
    messageRoutes(app, this.#kafka)
    new JobFiles(this.context.jobs).routes(app)
    app.get('/api/commands', () => ({ enabled: this.options.commands, commands: this.#commands() }))
    app.post('/api/commands', (request) => this.#carryOut(request))
    app.get('/api/events', (request, reply) => this.#events(request, reply))
  }

  #current(): OverviewView {
    return this.#overview ?? refuse(503, 'the daemon has not reported yet')
  }

  #commands(): unknown[] {
    return this.context
      .commands()
      .map(({ cmd, service, summary, schema, examples }) => ({ cmd, service, summary, schema, examples }))
  }

  /** The guard has seen the token. */
  async #carryOut({ body, ip }: FastifyRequest): Promise<unknown> {
    if (typeof body !== 'object' || body === null || typeof (body as Partial<Command>).cmd !== 'string')
      return refuse(400, "a command is a JSON object with a string 'cmd'")
    const command = body as Command
    this.context.log('info', `command ${command.cmd} ${command.service ?? ''} from the page`, { peer: ip })
    const { response, status, message, job_id, errors, result } = await this.context.carryOut(command)
    return { response, status, message, job_id, errors, result }
  }

  #events(request: FastifyRequest, reply: FastifyReply): void {
    const { topics = 'status' } = request.query as Query
    this.#streams.add(request, reply, topics.split(','))
  }

  /** What is wrong with a request is told; what went wrong here is told to the log. */
  #failed(error: unknown, reply: FastifyReply): void {
    if (error instanceof Refusal) return void reply.code(error.statusCode).send({ error: error.message })
    if (error instanceof CodedError) return void reply.code(400).send({ error: `${error.code}: ${error.message}` })
    const { statusCode = 500, message } = error as { statusCode?: number; message?: string }
    if (statusCode >= 500) this.context.log('error', `the page: ${message}`)
    void reply.code(statusCode).send({ error: statusCode >= 500 ? 'this failed here; see the log' : message })
  }
}

const refuse = (status: number, message: string): never => {
  throw new Refusal(status, message)
}
