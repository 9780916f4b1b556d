// The log of a real daemon where the field looks for it: syslog's priorities on standard output, GELF over TCP, TLS and UDP.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions, TLSSocket } from 'node:tls'
import { start, type Child } from '../cli/child.js'
import { Control } from '../support/control.js'
import { until } from '../support/forwarder/live.js'
import { kafka, testTopics } from '../support/kafka.js'
import { makeCertificate } from '../../plugins/tools-dev/broker/kafka-config.js'

type Frame = Readonly<Record<string, unknown>>

/** Frames as a TCP input of Graylog cuts them; `tls`: and one that takes only TLS. */
async function graylog(
  tls?: TlsOptions
): Promise<{ port: number; frames: () => Frame[]; clients: string[]; close: () => Promise<unknown> }> {
  const heard: string[] = []
  /** Of the certificates that they showed. */
  const clients: string[] = []
  const take = (socket: Socket): void => {
    const at = heard.push('') - 1
    if (socket instanceof TLSSocket) clients.push(`${socket.authorized} ${String(socket.getPeerCertificate().subject?.CN)}`)
    socket.on('error', () => undefined)
    socket.on('data', (data) => (heard[at] += data.toString()))
  } // prettier-ignore
  const server = (tls === undefined ? createServer(take) : createTlsServer(tls, take)).listen(0, '127.0.0.1')
  server.on('tlsClientError', () => undefined)
  await once(server, 'listening')
  const frames = (): Frame[] =>
    heard.flatMap((text) =>
      text
        .split('\0')
        .slice(0, -1)
        .map((frame) => JSON.parse(frame) as Frame)
    )
  const close = (): Promise<unknown> => new Promise((resolve) => server.close(resolve))
  return { port: (server.address() as AddressInfo).port, frames, clients, close }
}

describe('log of a daemon', function () {
  this.timeout(120_000)
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-logs-'))
  let daemon: Child | undefined
  afterEach(() => daemon?.close())
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** A daemon whose plugin logs a secret and an error with a trace, and what the log goes to. */
  async function run(gelf: string): Promise<{ child: Child; control: Control }> {
    const { brokers } = await kafka()
    const topics = await testTopics(['commands', 'status'])
    writeFileSync(join(folder, 'talk.mjs'), `export default { name: 'talk', version: '1.0.0', api: 2, summary: 'test', apply: (registry) =>
      registry.service({ id: 'talk', summary: 'test', config: { type: 'object' }, open: (_options, context) => ({
        async start() {
          context.log('error', 'two\\nlines', { stack: 'Error: x\\n  at y', topic: 't', password: 'hunter2', sasl: { token: 'hunter2' } })
          context.log('warn', 'x'.repeat(5000))
        }, async stop() {}, snapshot: () => ({ state: 'talking' }) }) }) }`) // prettier-ignore
    const config = join(folder, 'nexstream.toml')
    writeFileSync(config, `
[daemon]
service_id = "talker"
builtin_plugins = ["log-syslog", "log-gelf"]
[kafka]
brokers = ${JSON.stringify(brokers)}
[commands]
topic = "${topics.commands}"
[status]
topic = "${topics.status}"
[services.talk]
[[plugins]]
use = "log-syslog"
options = { when = "no_terminal" }
[[plugins]]
use = "log-gelf"
options = ${gelf}
[[plugins]]
use = "./talk.mjs"
`) // prettier-ignore
    daemon = start(['run', config])
    const control = await Control.open(brokers, topics.commands, [topics.status])
    await daemon.says(/is up as talker/, 'stdout')
    return { child: daemon, control }
  }

  it('is on standard output with priorities, one line an event, and in Graylog over TCP, without secrets', async () => {
    const server = await graylog()
    const { child, control } = await run(`{ host = "127.0.0.1", port = ${server.port} }`)
    try {
      await until(() => server.frames().some(({ short_message: text }) => String(text).includes('is up as')))
      const { result } = (await control.send({ cmd: 'status' })) as { result: { outlets: Record<string, Frame> } }
      assert.equal(result.outlets['gelf']?.['state'], 'connected')
      assert.equal(result.outlets['gelf']['dropped'], 0)
      child.kill('SIGTERM')
      const { code, stdout, stderr } = await child.ended
      assert.deepEqual([code, stderr], [0, ''])
      const lines = stdout.split('\n').slice(0, -1)
      for (const line of lines) assert.match(line, /^<[3467]>nexstream: (ERROR|WARNING|INFO|DEBUG) /)
      const trace = '"stack":"Error: x\\n  at y","topic":"t","password":"***","sasl":{"token":"***"}}'
      assert.ok(lines.includes(`<3>nexstream: ERROR two\\x0alines {"part":"service talk",${trace}`), stdout)
      assert.match(lines.at(-1) ?? '', /^<6>nexstream: INFO stopped$/)
      const frames = server.frames()
      const [bad] = frames.filter(({ level }) => level === 3)
      assert.deepEqual(
        [bad?.['short_message'], bad?.['full_message'], bad?.['_process_name'], bad?.['_topic'], bad?.['_password']],
        ['two\nlines', 'Error: x\n  at y', 'talk', 't', '***']
      )
      assert.ok(frames.some(({ short_message: text }) => text === 'stopping: SIGTERM'))
      assert.ok(!`${stdout}${JSON.stringify(frames)}`.includes('hunter2'))
    } finally {
      await control.close()
      await server.close()
    }
  })

  it('is in Graylog over TLS, to a server whose certificate is good and that asks for ours', async () => {
    await makeCertificate(folder)
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name)) as [string, string]
    const pems = { cert: readFileSync(cert), key: readFileSync(key) }
    const server = await graylog({ ...pems, ca: pems.cert, requestCert: true, rejectUnauthorized: true })
    const files = `ca = ${JSON.stringify(cert)}, cert = ${JSON.stringify(cert)}, key = ${JSON.stringify(key)}`
    const { child, control } = await run(`{ host = "localhost", port = ${server.port}, protocol = "tls", ${files} }`)
    try {
      await until(() => server.frames().some(({ short_message: text }) => String(text).includes('is up as')))
      assert.deepEqual(server.clients, ['true localhost'])
      const long = server.frames().find(({ level }) => level === 4)
      assert.equal(long?.['short_message'], 'x'.repeat(5000))
      const { result } = (await control.send({ cmd: 'status' })) as { result: { outlets: Record<string, Frame> } }
      const { state, dropped } = result.outlets['gelf'] as { state: string; dropped: number }
      assert.deepEqual([state, dropped], ['connected', 0])
      child.kill('SIGTERM')
      assert.equal((await child.ended).code, 0)
      assert.ok(server.frames().some(({ short_message: text }) => text === 'stopping: SIGTERM'))
    } finally {
      await control.close()
      await server.close()
    }
  })

  it('tells nothing to a server whose certificate is not good', async () => {
    await makeCertificate(folder)
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name))) as [Buffer, Buffer]
    const server = await graylog({ cert, key })
    const { control } = await run(`{ host = "localhost", port = ${server.port}, protocol = "tls" }`)
    try {
      let gelf: Frame | undefined
      do {
        const { result } = (await control.send({ cmd: 'status' })) as { result: { outlets: Record<string, Frame> } }
        gelf = result.outlets['gelf']
      } while (gelf?.['state'] !== 'away')
      assert.equal(gelf['sent'], 0)
      assert.deepEqual(server.frames(), [])
    } finally {
      await control.close()
      await daemon?.close()
      await server.close()
    }
  })

  it('is in Graylog over UDP, long lines in chunks', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const whole: Frame[] = []
    const chunks = new Map<string, Buffer[]>()
    socket.on('message', (data) => {
      if (data[0] !== 0x1e) return void whole.push(JSON.parse(data.toString()) as Frame)
      const id = data.subarray(2, 10).toString('hex')
      const parts = [...(chunks.get(id) ?? []), data]
      chunks.set(id, parts)
      if (parts.length < (data[11] ?? 0)) return
      parts.sort((a, b) => (a[10] ?? 0) - (b[10] ?? 0))
      whole.push(JSON.parse(Buffer.concat(parts.map((part) => part.subarray(12))).toString()) as Frame)
    })
    const { control } = await run(`{ host = "127.0.0.1", port = ${socket.address().port}, protocol = "udp" }`)
    try {
      await until(() => whole.some(({ short_message: text }) => text === 'x'.repeat(5000)))
      assert.ok(chunks.size > 0)
    } finally {
      await control.close()
      socket.close()
    }
  })

  it('goes on without a server, which costs a count', async () => {
    const server = await graylog()
    await server.close()
    const { child, control } = await run(`{ host = "127.0.0.1", port = ${server.port}, queue = 10 }`)
    try {
      for (let i = 0; i < 12; i++) await control.send({ cmd: 'status' })
      const { result } = (await control.send({ cmd: 'status' })) as { result: { outlets: Record<string, Frame> } }
      const { state, sent, dropped } = result.outlets['gelf'] as { state: string; sent: number; dropped: number }
      assert.deepEqual([state, sent, dropped > 0], ['away', 0, true])
      child.kill('SIGTERM')
      assert.equal((await child.ended).code, 0)
    } finally {
      await control.close()
    }
  })
})
