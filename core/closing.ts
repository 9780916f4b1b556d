// Closes many things: each gets its turn and its time, whatever becomes of the others; failures are told with the name.
import { CodedError } from './api/errors.js'

/** What to close, with the name that a failure is told under. */
export type Closing = readonly [name: string, close: () => unknown]

/** Longest time that one part may take to close. */
export const CLOSE_DEADLINE_MS = 15_000

/** Resolves as `call` does, or rejects with PLUGIN_TIMEOUT naming `what` after `deadlineMs`; `call` may throw. */
export async function within<T>(
  call: () => T,
  what: string,
  deadlineMs: number,
  fields: Readonly<Record<string, unknown>> = {}
): Promise<Awaited<T>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const text = `${what} did not finish within ${deadlineMs / 1000} s`
    timer = setTimeout(() => reject(new CodedError('PLUGIN_TIMEOUT', text, { fields })), deadlineMs)
  })
  try {
    return await Promise.race([Promise.resolve().then(call), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Closes all at once. Never rejects: `failed` hears of each that threw, rejected or took too long. */
export async function closeAll(
  parts: Iterable<Closing>,
  failed: (name: string, error: unknown) => void,
  deadlineMs = CLOSE_DEADLINE_MS
): Promise<void> {
  const close = async ([name, call]: Closing): Promise<void> => {
    try {
      await within(call, name, deadlineMs)
    } catch (error) {
      failed(name, error)
    }
  }
  await Promise.all([...parts].map(close))
}

/** As `closeAll`, one after the other: what comes first may still need what comes later. `deadlineMs` may tell what time is left. */
export async function closeInTurn(
  parts: Iterable<Closing>,
  failed: (name: string, error: unknown) => void,
  deadlineMs: number | (() => number) = CLOSE_DEADLINE_MS
): Promise<void> {
  for (const part of parts) await closeAll([part], failed, typeof deadlineMs === 'number' ? deadlineMs : deadlineMs())
}
