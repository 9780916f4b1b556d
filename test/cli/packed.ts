// The package as others have it: packed by npm, unpacked elsewhere, with the packages that it asks for and no others.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../core/root.js'

const shell = promisify(execFile)

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>
}

export interface Packed {
  /** Its command line. */
  readonly program: string
  readonly folder: string
  remove(): void
}

/** What is built already is packed. */
export async function packed(): Promise<Packed> {
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-packed-'))
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
  const { stdout } = await shell('npm', args, { cwd: packageRoot, maxBuffer: 1 << 26 })
  const place = join(folder, 'node_modules/nexstream')
  mkdirSync(place, { recursive: true })
  await shell('tar', ['-xzf', join(folder, stdout.trim()), '-C', place, '--strip-components=1'])
  const { packages } = JSON.parse(readFileSync(join(packageRoot, 'package-lock.json'), 'utf8')) as Lock
  const wanted = Object.entries(packages).flatMap(([path, { dev }]) => (/^node_modules\//.test(path) && dev !== true ? path : [])) // prettier-ignore
  // Packages within packages come with the outer ones
  for (const path of wanted.filter((path) => path.lastIndexOf('node_modules/') === 0)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    symlinkSync(join(packageRoot, path), join(folder, path))
  }
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  return { program: join(place, 'dist/commands/cli/main.js'), folder, remove }
}
