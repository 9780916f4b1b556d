import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request as ask } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CodedError,
  type Command,
  type DaemonSnapshot,
  type Kafka,
  type Registry,
  type Reporter,
  type ReporterPart
} from '../../core/api/plugin.js'
import { check } from '../../core/check.js'
import { serviceContext } from '../../test/support/service-context.js'
import plugin from './index.js'

const token = 'a-token-of-more-than-thirty-two-characters'
const snapshot = {
  ...{ type: 'nexstream_status', service_id: 'test', version: '1.2.3', host: 'h', pid: 1, time: '', state: 'running' },
  ...{ kafka: { connected: true }, uptime_s: 7, update_interval_ms: 1000, jobs: [], services: {} }
} as unknown as DaemonSnapshot

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

let part: ReporterPart | undefined
const reporterPart = async (): Promise<ReporterPart> => {
  await plugin.apply({ reporter: (given: ReporterPart) => (part = given) } as unknown as Registry, {})
  return part!
}

/** The page as the daemon would open it, and a client that sends any header. */
class Page {
  readonly done: Command[] = []
  readonly logs: string[] = []
  readonly context = {
    ...serviceContext({} as Kafka),
    log: (_level: string, text: string, fields?: object) =>
      void this.logs.push(`${text} ${JSON.stringify(fields ?? {})}`),
    carryOut: (command: Command) => {
      this.done.push(command)
      return Promise.resolve({ response: 'ACK', status: 200, message: 'done' } as const)
    }
  }
  #reporter: Reporter | undefined
  #port = 0

  static async open(options: Readonly<Record<string, unknown>> = {}): Promise<Page> {
    const page = new Page()
    const part = await reporterPart()
    const filled = { port: 0, ...options }
    assert.deepEqual(check(part.config, filled), [])
    page.#reporter = part.open(filled, page.context)
    await page.#reporter?.report(snapshot)
    page.#port = Number(/:(\d+)\/ /.exec(page.logs.join('\n'))?.[1])
    return page
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const method = body === undefined ? 'GET' : 'POST'
      const sent = ask({ port: this.#port, host: '127.0.0.1', path, method, headers, agent: false }, (answer) => {
        let text = ''
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** A command as the page sends it, but for what is given. */
  post(headers: Readonly<Record<string, string>> = {}, body = '{"cmd":"status"}'): Promise<Answer> {
    const usual = {
      origin: `http://${this.host}`,
      'content-type': 'application/json',
      authorization: `Bearer ${token}`
    }
    return this.get('/api/commands', { ...usual, ...headers }, body)
  }

  async status(...request: Parameters<Page['get']>): Promise<number> {
    return (await this.get(...request)).status
  }

  close(): unknown {
    return this.#reporter?.close?.()
  }
}

describe('security of the page', () => {
  let page: Page
  let guarded: Page
  let folder: string

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-web-'))
    writeFileSync(join(folder, 'token'), `${token}\n`)
    page = await Page.open()
    guarded = await Page.open({ commands: true, token_file: join(folder, 'token'), commands_per_minute: 30 })
  })
  after(async () => {
    await page.close()
    await guarded.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('1: is on loopback, and elsewhere with a token or by the word only', async () => {
    const part = await reporterPart()
    const opening = (options: Readonly<Record<string, unknown>>) => () => {
      const filled = { ...options }
      check(part.config, filled)
      return part.open(filled, page.context)
    }
    const refused = (error: unknown): boolean => error instanceof CodedError && error.code === 'CONFIG_INVALID'
    assert.throws(opening({ host: '0.0.0.0' }), refused)
    assert.throws(opening({ host: 'data.example.org', port: 0 }), refused)
    const read = await Page.open({ host: '0.0.0.0', anonymous_read: true })
    const closed = await Page.open({ host: '0.0.0.0', token_file: join(folder, 'token') })
    try {
      assert.equal(await read.status('/api/status'), 200)
      assert.equal(await closed.status('/'), 200)
      assert.equal(await closed.status('/api/status'), 401)
      assert.equal(await closed.status('/api/events'), 401)
      assert.equal(await closed.status('/api/status', { authorization: `Bearer ${token}` }), 200)
    } finally {
      await read.close()
      await closed.close()
    }
  })

  it('2: is read-only but for who has the token, which is in no address and no cookie', async () => {
    assert.equal((await page.post()).status, 403)
    assert.throws(() => part?.open({ commands: true, hosts: [] }, page.context), /token/)
    writeFileSync(join(folder, 'short'), 'short')
    assert.throws(() => part?.open({ commands: true, token_file: join(folder, 'short') }, page.context), /32 characters/) // prettier-ignore
    assert.equal((await guarded.post({ authorization: '' })).status, 401)
    assert.equal((await guarded.post({ authorization: `Bearer ${token}x` })).status, 401)
    const origin = { origin: `http://${guarded.host}`, 'content-type': 'application/json' }
    assert.equal(await guarded.status(`/api/commands?token=${token}`, origin, '{"cmd":"status"}'), 401)
    assert.equal(
      await guarded.status('/api/commands', { ...origin, cookie: `token=${token}` }, '{"cmd":"status"}'),
      401
    )
    assert.deepEqual(guarded.done, [])
    const answer = await guarded.post()
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.headers['set-cookie'], undefined)
    assert.deepEqual(guarded.done, [{ cmd: 'status' }])
  })

  it('3: knows its names, and hears no other site', async () => {
    assert.equal(await page.status('/', { host: 'evil.example' }), 421)
    assert.equal(await page.status('/api/status', { host: 'localhost.evil.example:80' }), 421)
    assert.equal(await page.status('/api/status', { host: 'localhost:1234' }), 200)
    assert.equal(await page.status('/api/status', { host: '[::1]:9465' }), 200)
    assert.equal((await guarded.post({ origin: 'http://evil.example' })).status, 403)
    assert.equal((await guarded.post({ origin: 'null' })).status, 403)
    const { status } = await guarded.get('/api/commands', { authorization: `Bearer ${token}` }, '{"cmd":"status"}')
    assert.equal(status, 403)
    assert.equal(await page.status('/api/status', { 'sec-fetch-site': 'cross-site' }), 403)
    assert.equal(await page.status('/', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }), 200)
    for (const path of ['/', '/api/status']) {
      const { headers } = await page.get(path, { origin: 'http://evil.example' })
      assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith('access-control')), []) // prettier-ignore
    }
  })

  it('4: tells the browser to run nothing but its own', async () => {
    for (const path of ['/', '/main.js', '/api/status', '/nothing']) {
      const { headers } = await page.get(path)
      const policy = String(headers['content-security-policy'])
      for (const rule of [
        "default-src 'self'",
        "script-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'"
      ])
        // prettier-ignore
        assert.ok(policy.split('; ').includes(rule), `${path}: ${rule}`)
      assert.ok(!policy.includes('unsafe-inline') && !policy.includes("'unsafe-eval'"))
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['referrer-policy'], 'no-referrer')
    }
    assert.doesNotMatch((await page.get('/')).text, /<script(?![^>]*src=)|\son\w+=|https?:\/\//)
  })

  it('5: bounds clients, streams, bodies and commands', async () => {
    const small = await Page.open({
      commands: true,
      token_file: join(folder, 'token'),
      commands_per_minute: 3,
      clients: 1
    })
    try {
      assert.equal((await small.post({}, `{"cmd":"${'x'.repeat(1_100_000)}"}`)).status, 413)
      assert.equal((await small.post({}, '{"cmd":')).status, 400)
      const codes = []
      for (let i = 0; i < 4; i++) codes.push((await small.post({ authorization: 'Bearer wrong' })).status)
      assert.equal(codes.at(-1), 429)
      const open = ask({ port: Number(small.host.split(':')[1]), path: '/api/events', agent: false })
      await new Promise((resolve) => open.on('response', resolve).end())
      assert.equal(await small.status('/api/events'), 503)
      open.destroy()
    } finally {
      await small.close()
    }
  })

  it('5: shows messages of topics that it may, and no more of them than it should', async () => {
    const looked = await Page.open({ message_topics: ['SHOWN'] })
    const { text } = await looked.get('/api/topics')
    assert.deepEqual(JSON.parse(text), { topics: ['SHOWN'] })
    for (const path of ['/api/topics/OTHER', '/api/topics/OTHER/messages', '/api/topics/OTHER/messages/0/0'])
      assert.equal(await looked.status(path), 404, path)
    const many = Array.from({ length: 1001 }, (_, i) => `${i}:0`).join(',')
    for (const query of ['n=x', 'n=-1', 'from=0', 'from=0:1e3', 'from=0:99999999999999999', `from=${many}`])
      assert.equal(await looked.status(`/api/topics/SHOWN/messages?${query}`), 400, query)
    for (const path of ['0/x', 'x/0', '0/-1', '0/1.5'])
      assert.equal(await looked.status(`/api/topics/SHOWN/messages/${path}`), 400, path)
    await looked.close()
    const closed = await Page.open({ host: '0.0.0.0', token_file: join(folder, 'token'), message_topics: ['SHOWN'] })
    assert.equal(await closed.status('/api/topics'), 401)
    assert.equal(await closed.status('/api/topics/SHOWN/messages'), 401)
    await closed.close()
  })

  it('6: gives no file but those of the page', async () => {
    for (const path of ['/..%2f..%2fetc%2fpasswd', '/%2fetc%2fpasswd', '/..%2findex.js', '/../index.js'])
      assert.equal(await page.status(path), 404, path)
  })

  it('6: gives files of ended jobs by the id of the job, HDF5 only, and no path', async () => {
    const bytes = Buffer.concat([Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), Buffer.from('0123456789')])
    const file = (name: string): string => join(folder, name)
    writeFileSync(file('good.nxs'), bytes)
    writeFileSync(file('other.txt'), 'no HDF5 file, whoever names it')
    symlinkSync(file('good.nxs'), file('link.nxs'))
    const { jobs } = page.context
    const names = { good: 'good.nxs', running: 'good.nxs', link: 'link.nxs', other: 'other.txt', gone: 'gone.nxs' }
    for (const [id, name] of Object.entries(names)) {
      const job = await jobs.open(id, 'filewriter', () => ({ file_name: file(name) }))
      for (const state of ['starting', 'running', ...(id === 'running' ? [] : (['done'] as const))] as const)
        job.to(state)
    }
    const strange = await jobs.open('strange', 'histogram', () => ({ file_name: file('good.nxs') }))
    for (const state of ['starting', 'running', 'done'] as const) strange.to(state)
    const list = await page.get('/api/files')
    assert.ok(!list.text.includes(folder), list.text)
    const { files } = JSON.parse(list.text) as { files: { id: string; name: string }[] }
    assert.deepEqual(files.map(({ id }) => id).toSorted(), Object.keys(names).toSorted())
    const codes = { good: 200, running: 409, link: 404, other: 404, gone: 404, strange: 404, 'x%2f..%2fgood.nxs': 404 }
    for (const [id, code] of Object.entries(codes)) assert.equal(await page.status(`/api/files/${id}`), code, id)
    assert.equal((await page.get('/api/files/good')).headers['content-length'], '18')
    const part = await page.get('/api/files/good', { range: 'bytes=8-11' })
    assert.deepEqual([part.status, part.text, part.headers['content-range']], [206, '0123', 'bytes 8-11/18'])
    for (const range of ['bytes=18-', 'bytes=5-2', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=-'])
      assert.equal(await page.status('/api/files/good', { range }), 416, range)
    const closed = await Page.open({ host: '0.0.0.0', token_file: join(folder, 'token') })
    assert.equal(await closed.status('/api/files'), 401)
    assert.equal(await closed.status('/api/files/good'), 401)
    await closed.close()
  })

  it('4: lets one worker compile WebAssembly, and nothing else', async () => {
    const { headers } = await page.get('/file-worker.js')
    const policy = String(headers['content-security-policy']).split('; ')
    assert.ok(policy.includes("script-src 'self' 'wasm-unsafe-eval'"))
    assert.ok(policy.includes("default-src 'self'"))
    for (const path of ['/', '/main.js', '/h5wasm/hdf5_hl.js'])
      assert.doesNotMatch(String((await page.get(path)).headers['content-security-policy']), /wasm/)
  })

  it('7: keeps secrets, and says who sent what', async () => {
    for (const path of ['/', '/api/status', '/api/jobs', '/nothing']) {
      const { text, headers } = await guarded.get(path)
      assert.ok(!(text + JSON.stringify(headers)).includes(token), path)
    }
    assert.equal((await guarded.post({ 'x-forwarded-for': '203.0.113.9' }, '{"cmd":"jobs"}')).status, 200)
    const line = guarded.logs.find((text) => text.includes('jobs'))
    assert.match(line ?? '', /127\.0\.0\.1/)
    assert.ok(!guarded.logs.join('\n').includes(token))
    const proxied = await Page.open({ commands: true, token_file: join(folder, 'token'), proxies: ['127.0.0.1'] })
    assert.equal((await proxied.post({ 'x-forwarded-for': '203.0.113.9' }, '{"cmd":"jobs"}')).status, 200)
    assert.match(proxied.logs.join('\n'), /203\.0\.113\.9/)
    await proxied.close()
  })

  it('8: may be shown within pages that the config names', async () => {
    const embedded = await Page.open({ frame_ancestors: ['https://nicos.example.org'] })
    const { headers } = await embedded.get('/')
    assert.match(String(headers['content-security-policy']), /frame-ancestors https:\/\/nicos\.example\.org$/)
    await embedded.close()
    await assert.rejects(Page.open({ frame_ancestors: ["x; script-src 'unsafe-inline'"] }), /origin/)
  })
})
