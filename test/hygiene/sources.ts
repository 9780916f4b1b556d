// All files of the repository with their text, and what each source imports.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { packageRoot } from '../../core/root.js'

/** What git has, or in a copy without git what lies here. */
function trackedFiles(): string[] {
  if (existsSync(join(packageRoot, '.git')))
    return execFileSync('git', ['ls-files', '-z'], { cwd: packageRoot, maxBuffer: 1 << 24 })
      .toString()
      .split('\0')
      .filter((name) => name !== '' && existsSync(join(packageRoot, name)))
  const skipped = /^(node_modules|dist|out|coverage)\//
  return readdirSync(packageRoot, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !skipped.test(name) && statSync(join(packageRoot, name)).isFile()
  )
}

export const files = trackedFiles()
const binary = /\.(bin|nxs|h5|hdf|png|ico|woff2?|gz|zst)$/
export const texts = new Map(
  files.filter((name) => !binary.test(name)).map((name) => [name, readFileSync(join(packageRoot, name), 'utf8')])
)
// What flatc makes is not held to our style
export const isSource = (name: string): boolean =>
  /\.ts$/.test(name) && !/^(schemas\/generated|examples\/plugins\/converter-rd00\/rd00)\//.test(name)
export const sources = files.filter((name) => isSource(name) && !name.startsWith('test/samples/'))

/** The modules that a source imports, also lazily and as types, as paths in the repository or package names. */
export function importsOf(name: string): string[] {
  const text = texts.get(name) ?? ''
  const found = [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom '([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g)
  ]
  return found.map(([, plain, lazy]) => {
    const target = plain ?? lazy ?? ''
    return target.startsWith('.') ? posix.join(posix.dirname(name), target) : target
  })
}
