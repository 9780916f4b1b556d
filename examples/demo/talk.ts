// What the demo says: one line a step, a running line for progress on a terminal.
const isTerminal = process.stdout.isTTY
const wantsColour = isTerminal && !process.env['NO_COLOR']
const bold = (text: string): string => (wantsColour ? `\u001b[1m${text}\u001b[22m` : text)

/** A finished step or a piece of news. */
export function tell(text: string): void {
  process.stdout.write(isTerminal ? `\r\u001b[2K${text}\n` : `${text}\n`)
}

export const heading = (text: string): void => tell(`\n${bold(text)}`)

/** Says what is being done, does it, and says how long it took. */
export async function step<T>(
  what: string,
  work: () => Promise<T>,
  result: (value: T) => string = () => ''
): Promise<T> {
  const begin = performance.now()
  if (isTerminal) process.stdout.write(`… ${what}`)
  const value = await work()
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  tell(`✓ ${what}${result(value)} (${seconds} s)`)
  return value
}

/** Replaced by the next line; not shown in logs. */
export function running(text: string): void {
  if (isTerminal) process.stdout.write(`\r\u001b[2K… ${text}`)
}
