// `nexstream diff`: what differs between two NeXus files.
import { exitCodes, type ToolContext, type ToolFlags } from '../../../core/api/plugin.js'
import { differences } from '../file/difference.js'

const marks = { only_first: '-', only_second: '+', kind: '≠', value: '≠' } as const

/** Exit code 5 when they differ. */
export default async function diff(
  [a = '', b = '']: readonly (string | undefined)[],
  flags: ToolFlags,
  { colour, print, printJson, say, visible }: ToolContext
): Promise<number> {
  const words = String(flags['ignore'] ?? '').split(',').map((word) => word.trim()).filter((word) => word !== '') // prettier-ignore
  // A name of an attribute wherever it is, or a path with what is below it
  const isIgnored = (path: string): boolean =>
    words.some((word) => (word.startsWith('@') ? path.endsWith(word) : path === word || /^[/@]/.test(path.slice(word.length)) && path.startsWith(word))) // prettier-ignore
  const found = await differences([a, b], isIgnored)
  for (const difference of found) {
    const { path, what, text } = difference
    const paint = { only_first: colour.red, only_second: colour.green, kind: colour.yellow, value: colour.yellow }[what]
    if (flags['json'] === true) await printJson(difference)
    else await print(`${paint(`${marks[what]} ${visible(path)}`)}  ${visible(text)}`)
  }
  if (found.length === 0) say('no difference')
  return found.length === 0 ? exitCodes.done : exitCodes.findings
}
