import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Dispatcher } from './dispatcher.js'
import { check } from './check.js'
import { CodedError } from './api/errors.js'
import { type Command, type DaemonView, type Origin, type Reply, type Service } from './api/plugin.js'
import { commandSchema, loadCommands, loadDialects, type RunnableCommand } from './commands.js'
import { type Loaded, loadPlugins } from './loader.js'
import { packageRoot } from './root.js'

const origin: Origin = { dialect: 'json', topic: 'c', replyTopic: 's', timestampMs: 0 }
const ack = (message = 'ok'): Reply => ({ response: 'ACK', status: 200, message })

type Handlers = Readonly<Record<string, (command: Command) => Reply | Promise<Reply>>>

const commandsOf = (handlers: Handlers): RunnableCommand[] => {
  const run = (command: Command): Reply | Promise<Reply> => handlers[command.cmd]!(command)
  return [
    {
      cmd: 'start',
      service: 'a',
      summary: '',
      schema: {
        type: 'object',
        required: ['topic'],
        properties: { topic: { type: 'string' }, n: { type: 'integer', default: 2 } }
      },
      examples: [],
      run
    },
    { cmd: 'start', service: 'b', summary: '', schema: { type: 'object' }, examples: [], run },
    { cmd: 'stop', service: 'a', summary: '', schema: { type: 'object' }, examples: [], run },
    { cmd: 'ping', summary: '', schema: { type: 'object' }, examples: [], run: () => ack('pong') }
  ]
}

const dispatcher = (handlers: Handlers, timeoutMs = 5000): Dispatcher => {
  const service: Service = {
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    snapshot: () => ({ state: 'idle' })
  }
  return new Dispatcher({
    commands: commandsOf(handlers),
    services: new Map([['a', service]]),
    serviceId: 'me',
    daemon: {} as DaemonView,
    timeoutMs
  })
}

describe('dispatcher', () => {
  it('checks, fills in defaults and calls the service', async () => {
    let got: Command | undefined
    const d = dispatcher({ start: (command) => Promise.resolve(ack(String((got = command)['n']))) })
    assert.deepEqual(await d.dispatch({ cmd: 'start', topic: 't' }, origin), ack('2'))
    assert.equal(got?.['topic'], 't')
    assert.equal((await d.dispatch({ cmd: 'ping' }, origin)).message, 'pong')
  })

  it('holds nothing of a command that has its reply', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const d = dispatcher({ start: (command) => ack(String(command['topic'])) })
    const replyOf = async (topic: string): Promise<WeakRef<Reply>> =>
      new WeakRef(await d.dispatch({ cmd: 'start', service: 'a', topic }, origin))
    const first = await replyOf('first')
    await replyOf('second')
    // A weak reference holds until the turn of the event loop is over
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    assert.equal(first.deref(), undefined)
  })

  it('answers unknown commands, services and keys with ERR, the path and a hint', async () => {
    const d = dispatcher({})
    const errorOf = async (command: Command): Promise<[string | undefined, string | undefined]> => {
      const reply = await d.dispatch(command, origin)
      assert.equal(reply.response, 'ERR')
      return [reply.errors?.[0]?.code, reply.errors?.[0]?.path]
    }
    assert.deepEqual(await errorOf({ cmd: 'strat' }), ['COMMAND_UNKNOWN', '/cmd'])
    assert.deepEqual(await errorOf({ cmd: '__proto__' }), ['COMMAND_UNKNOWN', '/cmd'])
    assert.deepEqual(await errorOf({ cmd: 'start', service: 'c' }), ['COMMAND_UNKNOWN', '/service'])
    assert.deepEqual(await errorOf({ cmd: 'start', service: 'b' }), ['COMMAND_UNKNOWN', '/service'])
    assert.deepEqual(await errorOf({ cmd: 'start', service: 'a', topik: 't' }), ['COMMAND_INVALID', '/topic'])
    assert.deepEqual(await errorOf({ cmd: 'start', service: 'a', topic: 7 }), ['COMMAND_INVALID', '/topic'])
    assert.match((await d.dispatch({ cmd: 'strat' }, origin)).message, /did you mean 'start'/)
    assert.match((await d.dispatch({ cmd: 'start', service: 'A' }, origin)).message, /"A" \(did you mean 'a'\?\)/)
  })

  it('turns whatever a handler throws into one ERR reply', async () => {
    const d = dispatcher({
      start: () => Promise.reject(new CodedError('JOB_EXISTS', 'twice')),
      stop: () => Promise.reject(new Error('boom'))
    })
    assert.deepEqual((await d.dispatch({ cmd: 'start', service: 'a', topic: 't' }, origin)).status, 409)
    const reply = await d.dispatch({ cmd: 'stop' }, origin)
    assert.deepEqual([reply.response, reply.status, reply.errors?.[0]?.code], ['ERR', 500, 'COMMAND_FAILED'])
  })

  it('answers when a handler never does', async () => {
    const reply = await dispatcher({ stop: () => new Promise(() => undefined) }, 5).dispatch({ cmd: 'stop' }, origin)
    assert.equal(reply.errors?.[0]?.code, 'COMMAND_FAILED')
  })

  it('runs the commands of a service in their order', async () => {
    const seen: string[] = []
    let release: (() => void) | undefined
    const d = dispatcher({
      start: () => new Promise((resolve) => (release = () => resolve((seen.push('start'), ack())))),
      stop: () => Promise.resolve((seen.push('stop'), ack()))
    })
    const both = [d.dispatch({ cmd: 'start', service: 'a', topic: 't' }, origin), d.dispatch({ cmd: 'stop' }, origin)]
    await new Promise(setImmediate)
    release?.()
    await Promise.all(both)
    assert.deepEqual(seen, ['start', 'stop'])
  })

  it('stays silent for another daemon', async () => {
    assert.equal((await dispatcher({}).dispatch({ cmd: 'ping', service_id: 'you' }, origin)).silent, true)
    assert.equal((await dispatcher({}).dispatch({ cmd: 'ping', service_id: 'me' }, origin)).silent, undefined)
  })
})

describe('commands', () => {
  let loaded: Loaded
  before(async () => (loaded = await loadPlugins({ plugins: [], baseFolder: packageRoot })))
  after(() => loaded.close())

  it('has only examples that fit their schema, and described keys', async () => {
    const all = await loadCommands(loaded.host)
    assert.ok(all.length >= 4)
    for (const definition of all) {
      assert.equal(commandSchema(definition), commandSchema(definition), 'a schema of its own for each command leaks')
      assert.ok(definition.examples.length > 0, `${definition.cmd} has no example`)
      for (const example of definition.examples) {
        assert.deepEqual(
          check(commandSchema(definition), structuredClone(example)),
          [],
          `${definition.cmd} ${definition.service}: ${JSON.stringify(example)}`
        )
        assert.equal(example.cmd, definition.cmd)
        assert.equal(example.service, definition.service)
      }
      const properties =
        (definition.schema as { properties?: Record<string, { description?: string }> }).properties ?? {}
      for (const [key, property] of Object.entries(properties))
        assert.ok(property.description, `${definition.cmd}: ${key} has no description`)
    }
  })

  it('names each cmd and service once', async () => {
    const names = (await loadCommands(loaded.host)).map(({ cmd, service }) => `${cmd} ${service}`)
    assert.equal(new Set(names).size, names.length)
    assert.ok((await loadDialects(loaded.host)).has('json'))
  })
})
