// The files of the page, made by the build into public/.
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Asset {
  readonly path: string
  readonly type: string
  load(): Promise<{ readonly bytes: Buffer; readonly etag: string }>
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml'
}
const folder = join(dirname(fileURLToPath(import.meta.url)), 'public')

/** Read when first asked for. */
function assetOf(path: string, file: string): Asset {
  let loaded: ReturnType<Asset['load']> | undefined
  const load = async (): ReturnType<Asset['load']> => {
    const bytes = await readFile(file)
    return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` }
  }
  return { path, type: types[extname(file)] ?? 'application/octet-stream', load: () => (loaded ??= load()) }
}

/** A list, never a path from a request. */
export function assets(): Asset[] {
  const names = readdirSync(folder).filter((name) => Object.hasOwn(types, extname(name)))
  return names.map((name) => assetOf(name === 'index.html' ? '/' : `/${name}`, join(folder, name)))
}
