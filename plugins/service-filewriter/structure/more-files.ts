// Key `more_files` at the root of a structure: further files of the same job, each with a structure of its own.
import { basename, dirname, extname, join } from 'node:path'
import { below, type Findings, isObject, own, type JsonObject } from './findings.js'
import { parsed, type Shard } from './shards.js'

const KEY = 'more_files'
const MOST = 8

/** `run_event.nxs` or `run.nxs` with suffix `_histogram` → `run_histogram.nxs`. */
export function furtherName(fileName: string, suffix: string): string {
  const extension = extname(fileName)
  const name = basename(fileName, extension).replace(/_events?$/, '')
  return join(dirname(fileName), `${name}${suffix}${extension}`)
}

/** The structure of the first file, and further files; none for a structure that is not sound, whose check says why. */
export function splitFiles(structure: unknown, fileName: string): { own: unknown; files: readonly Shard[] } {
  const isThere = typeof structure !== 'string' || structure.includes(`"${KEY}"`)
  const root = isThere ? parsed(structure) : undefined
  const list = isObject(root) ? own(root, KEY) : undefined
  if (!isObject(root) || !Array.isArray(list) || !list.every(isFile)) return { own: structure, files: [] }
  const rest = Object.fromEntries(Object.entries(root).filter(([key]) => key !== KEY))
  return { own: rest, files: list.map((one) => ({ structure: contentOf(one), fileName: furtherName(fileName, one.suffix), topics: [] })) } // prettier-ignore
}

type FurtherFile = JsonObject & { readonly suffix: string }

const isFile = (value: unknown): value is FurtherFile =>
  isObject(value) && troubleOf(own(value, 'suffix')) === undefined

const contentOf = ({ suffix: _suffix, ...content }: FurtherFile): JsonObject => content

const troubleOf = (suffix: unknown): string | undefined =>
  typeof suffix === 'string' && /^[\w.-]{1,64}$/.test(suffix)
    ? undefined
    : "must be what the file's name ends in, of letters, digits, '_', '-' and '.'"

/** @param check - of the structure of a further file */
export function checkMoreFiles(
  root: JsonObject,
  at: string,
  findings: Findings,
  check: (structure: unknown, at: string) => void
): void {
  const list = own(root, KEY)
  if (list === undefined) return
  const path = below(at, KEY)
  if (!Array.isArray(list) || list.length > MOST) return findings.add(path, `must be a list of at most ${MOST} files`)
  const seen = new Set<string>()
  for (const [i, one] of (list as unknown[]).entries()) {
    const its = below(path, i)
    const suffix = isObject(one) ? own(one, 'suffix') : undefined
    const trouble = troubleOf(suffix)
    if (!isObject(one)) findings.add(its, 'must be an object with suffix and children')
    else if (trouble !== undefined) findings.add(below(its, 'suffix'), trouble)
    else if (Object.hasOwn(one, KEY)) findings.add(below(its, KEY), 'is a key of the first file only')
    else if (seen.has(suffix as string)) findings.add(below(its, 'suffix'), 'is there twice')
    else check(contentOf(one as FurtherFile), its)
    seen.add(suffix as string)
  }
}
