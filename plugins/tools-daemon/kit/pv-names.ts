// PVs as people write them on a command line.
import { CodedError } from '../../../core/api/plugin.js'

/** False also for a protocol with one slash only. */
export const isPvName = (name: string): boolean => name !== '' && !/\s|^(ca|pva|sim):\//.test(name)

/** `NAME` or `PROTOCOL://NAME`. Throws CLI_USAGE. */
export function pvNamed(word: string): { readonly protocol: string | undefined; readonly name: string } {
  const [, protocol, name = ''] = /^(?:([a-z]\w*):\/\/)?(.*)$/s.exec(word) ?? []
  if (!isPvName(name)) throw new CodedError('CLI_USAGE', `'${word}' is no PV; write NAME, ca://NAME or pva://NAME`)
  return { protocol, name }
}
