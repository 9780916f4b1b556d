// The files of the page, made by the build into public/.
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Asset {
  readonly path: string
  readonly type: string
  /** A worker that compiles WebAssembly. */
  readonly isCompiling: boolean
  load(): Promise<{ readonly bytes: Buffer; readonly etag: string }>
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml'
}
const folder = join(dirname(fileURLToPath(import.meta.url)), 'public')

/** Larger ones are read again each time: they are for one page only. */
const MOST_KEPT = 1_000_000

/** Read when first asked for. */
function assetOf(path: string, file: string): Asset {
  let loaded: ReturnType<Asset['load']> | undefined
  const load = async (): ReturnType<Asset['load']> => {
    const bytes = await readFile(file)
    if (bytes.length > MOST_KEPT) loaded = undefined
    return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` }
  }
  const type = types[extname(file)] ?? 'application/octet-stream'
  return { path, type, isCompiling: path === '/file-worker.js', load: () => (loaded ??= load()) }
}

/** Of h5wasm for browsers, from where npm has put it. */
const hdf5 = ['hdf5_hl.js', 'hdf5_util.js']

/** A list, never a path from a request. */
export function assets(): Asset[] {
  const names = readdirSync(folder).filter((name) => Object.hasOwn(types, extname(name)))
  const library = dirname(fileURLToPath(import.meta.resolve('h5wasm')))
  return [
    ...names.map((name) => assetOf(name === 'index.html' ? '/' : `/${name}`, join(folder, name))),
    ...hdf5.map((name) => assetOf(`/h5wasm/${name}`, join(library, name)))
  ]
}
