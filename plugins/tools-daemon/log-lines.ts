// Lines of the daemon's log as they are written: text, JSON, or behind the name that syslog wants.

/** The worst first. */
export const levels = ['error', 'warn', 'info', 'debug'] as const
export type LineLevel = (typeof levels)[number]

const shown = /^(?:<\d>)?(?:[\w.-]+: |\S+T\S+Z )(ERROR|WARN|INFO|DEBUG)\b/

/** Undefined for what is no beginning of an event. */
export function lineLevel(line: string): LineLevel | undefined {
  const word = (shown.exec(line)?.[1] ?? fieldOf(line, 'level'))?.toLowerCase()
  return levels.find((level) => level === word)
}

/** Undefined for a line without a time. */
export function lineTimeMs(line: string): number | undefined {
  const time = Date.parse(/^\S+T\S+Z(?= )/.exec(line)?.[0] ?? fieldOf(line, 'timestamp') ?? '')
  return Number.isNaN(time) ? undefined : time
}

function fieldOf(line: string, key: string): string | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = (JSON.parse(line) as Record<string, unknown>)[key]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined // Not ours
  }
}
