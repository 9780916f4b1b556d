// The Debian package: made as any user, it has the program with all that it needs, the unit and a config; unpacked elsewhere it runs.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../core/root.js'
import { cleanEnv } from '../cli/child.js'

const run = promisify(execFile)
const hasDpkg = (): boolean => {
  try {
    execFileSync('dpkg-deb', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('the Debian package', function () {
  this.timeout(180_000)
  let folder: string
  let file: string
  before(async function () {
    // Only Debian and its kin have it, and only they install the package
    if (!hasDpkg()) return this.skip()
    folder = mkdtempSync(join(tmpdir(), 'nexstream-deb-test-'))
    const { stdout } = await run(process.execPath, ['.ci/deb.js', folder, '--uncompressed'], { cwd: packageRoot })
    file = stdout.trim()
  })
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })
  const deb = async (...args: string[]): Promise<string> => (await run('dpkg-deb', args, { maxBuffer: 1 << 26 })).stdout

  it('says what it is, and what it needs', async () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
    const fields = await deb('--field', file)
    for (const line of [`Version: ${version}`, 'Package: nexstream', 'Depends: nodejs (>= 20.19.0)']) assert.ok(fields.split('\n').includes(line), fields) // prettier-ignore
    assert.match(await deb('--info', file), /1 lines +conffiles/)
    const lines = (await deb('--contents', file)).trim().split('\n')
    assert.deepEqual(lines.filter((line) => !line.includes(' root/root ')), []) // prettier-ignore
    for (const name of ['usr/lib/systemd/system/nexstream.service', 'etc/nexstream/nexstream.toml', 'usr/lib/nexstream/node_modules/h5wasm/package.json'])
      assert.ok(lines.some((line) => line.endsWith(` ./${name}`)), name) // prettier-ignore
    assert.ok(!lines.some((line) => /node_modules\/(typescript|mocha|eslint)\//.test(line)), 'tools of ours')
  })

  it('runs where it is unpacked: the program by its link, on the config that it brings', async () => {
    const place = join(folder, 'root')
    await deb('--extract', file, place)
    const program = join(place, 'usr/bin/nexstream')
    const config = join(place, 'etc/nexstream/nexstream.toml')
    const checked = await run(program, ['check', config], { cwd: folder, env: cleanEnv() })
    assert.match(checked.stderr, /nexstream\.toml: config is good/)
    const unit = readFileSync(join(place, 'usr/lib/systemd/system/nexstream.service'), 'utf8')
    assert.match(unit, /^ExecStart=\/usr\/bin\/nexstream run .* \/etc\/nexstream\/nexstream\.toml$/m)
    assert.ok(readFileSync(config, 'utf8').includes(`folder = "${/^WorkingDirectory=(.*)$/m.exec(unit)?.[1]}"`))
  })
})
