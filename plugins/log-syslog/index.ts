// Log: lines for the journal and other readers of syslog's priorities, on standard output in place of standard error.
import { API, definePlugin, type LogLine, visible, visibleJson } from '../../core/api/plugin.js'

const priorities = { error: [3, 'ERROR'], warn: [4, 'WARNING'], info: [6, 'INFO'], debug: [7, 'DEBUG'] } as const

/** `<priority>name: LEVEL message {fields}`: one line, whatever is in it. */
export function syslogLine({ level, message, fields }: LogLine, name: string): string {
  const [priority, word] = priorities[level]
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
  const rest = given.length === 0 ? '' : ` ${visibleJson(JSON.stringify(Object.fromEntries(given), plain))}`
  return `<${priority}>${name}: ${word} ${visible(message)}${rest}\n`
}

export default definePlugin({
  name: 'log-syslog',
  version: '1.0.0',
  api: API,
  summary: 'Log lines with the priority of syslog, on standard output.',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      when: {
        enum: ['never', 'no_terminal', 'always'],
        default: 'never',
        description: '`no_terminal`: when standard output is none, as under systemd and in containers.'
      },
      name: {
        type: 'string',
        pattern: '^[A-Za-z0-9._-]{1,48}$',
        default: 'nexstream',
        description: 'The name in front of each line.'
      }
    }
  },
  apply(registry, { when, name }) {
    if (when === 'never' || (when === 'no_terminal' && process.stdout.isTTY)) return
    let gone = false
    // Who read it has ended: standard error has the lines again
    process.stdout.on('error', () => (gone = true))
    registry.hooks.logged.tap('log-syslog', (line) => {
      if (gone) return line
      process.stdout.write(syslogLine(line, name))
      return { ...line, written: true }
    })
  }
})
