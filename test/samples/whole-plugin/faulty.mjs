// The plugin of index.mjs whose methods do what the file `faults.json` beside it says: { "service.snapshot": "throw" }. Read at each
// call, also in threads, so that one daemon can meet every fault.
import { readFileSync } from 'node:fs'
import { definePlugin } from 'nexstream/plugin'
import plugin from './index.mjs'

const file = new URL('./faults.json', import.meta.url)
const how = (method) => JSON.parse(readFileSync(file, 'utf8'))[method]

const wrong = {
  throw: (method) => {
    throw new Error(`boom in ${method}`)
  },
  nothing: () => undefined,
  text: () => 'a text',
  never: () => new Promise(() => undefined),
  rejected: (method) => Promise.reject(new Error(`late boom in ${method}`))
}

/** `target` with these methods, each of which may do something else. */
function faulty(kind, target, methods) {
  if (typeof target !== 'object' || target === null) return target
  const made = {}
  for (const method of methods) {
    const name = `${kind}.${method}`
    made[method] = (...args) => (wrong[how(name)] ?? (() => target[method]?.(...args)))(name)
  }
  return Object.assign(Object.create(target), made)
}

/** A part whose `open` may go wrong, and the methods of what it opens. */
const part = (kind, original, methods, change = (args) => args) => ({
  ...original,
  open: (...args) =>
    (wrong[how(`${kind}.open`)] ?? (() => faulty(kind, original.open(...change(args)), methods)))(`${kind}.open`)
})

/** Commands get the real service: it has private members. */
const commands = (list) =>
  list.map((command) => ({
    ...command,
    run: (given, origin, service) =>
      (wrong[how('service.command')] ?? (() => command.run(given, origin, Object.getPrototypeOf(service))))(
        'service.command'
      )
  }))

const updates = {
  alarm: ({ alarm: _, ...update }) => update,
  nothing: () => undefined,
  text: () => 'a text',
  never: () => new Promise(() => undefined)
}
const badUpdates = ([config, context, emit]) => [
  config,
  context,
  (update) => emit((updates[how('source.update')] ?? ((same) => same))(update))
]

export default definePlugin({
  ...plugin,
  apply(registry) {
    registry.hooks.snapshot.tap('lamps', (snapshot) => (wrong[how('hook.snapshot')] ?? (() => snapshot))('hook.snapshot'))
    registry.hooks.jobStopped.tapPromise('lamps', async () => wrong[how('hook.jobStopped')]?.('hook.jobStopped'))
    plugin.apply({
      ...registry,
      source: (source) => registry.source(part('source', source, ['close'], badUpdates)),
      converter: (converter) => registry.converter(part('converter', converter, ['peek', 'decode', 'encode', 'convert'])),
      writer: (writer) => registry.writer(part('writer', writer, ['write', 'flush', 'close'])),
      service: (service) =>
        registry.service(
          part('service', { ...service, commands: commands(service.commands) }, ['start', 'retire', 'stop', 'snapshot'])
        ),
      reporter: (reporter) => registry.reporter(part('reporter', reporter, ['report', 'close'])),
      dialect: (dialect) => registry.dialect(faulty('dialect', dialect, ['decode', 'reply'])),
      tool: (tool) => registry.tool(tool)
    })
    // A timer of its own: nobody calls it
    setInterval(() => {
      const fault = how('plugin.later')
      if (fault !== undefined) return wrong[fault]('plugin.later')
    }, 50).unref()
  },
  close: () => wrong[how('plugin.close')]?.('plugin.close')
})
