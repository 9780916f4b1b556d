// Locks of files: names of any length, and file systems without hard links.
import assert from 'node:assert/strict'
import { existsSync, linkSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { publish } from '../thread/output.js'
import { lockFile, lockOf } from './lock.js'

describe('lock of a file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-lock-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  /** What vfat, and many network and FUSE file systems, answer. */
  const noLinks = (() => {
    throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' })
  }) as typeof linkSync

  for (const [what, link] of [
    ['hard links', linkSync],
    ['none', noLinks]
  ] as const)
    // prettier-ignore
    it(`is one writer's, also for the longest names (${what})`, () => {
      for (const length of [10, 228, 250, 255]) {
        const file = join(folder, 'n'.repeat(length))
        const release = lockFile(file, link)
        assert.ok(existsSync(lockOf(file)))
        assert.throws(() => lockFile(file, link), { code: 'HDF5_LOCKED' })
        release()
        lockFile(file, link)()
      }
      assert.deepEqual(readdirSync(folder), [])
    })

  it('replaces the lock of a process that is gone, without hard links, too', () => {
    const file = join(folder, 'a.nxs')
    for (const link of [linkSync, noLinks]) {
      writeFileSync(lockOf(file), `${2 ** 22 + 1}\n${hostname()}\n0\n`)
      lockFile(file, link)()
    }
    assert.deepEqual(readdirSync(folder), [])
  })

  it('gives a complete file its name where there are no hard links, but never that of another', () => {
    const path = { file: join(folder, 'a.nxs'), part: join(folder, 'a.nxs.part') }
    writeFileSync(path.part, 'x')
    publish(path, false, noLinks)
    assert.deepEqual(readdirSync(folder), ['a.nxs'])
    writeFileSync(path.part, 'y')
    assert.throws(() => publish(path, false, noLinks), { code: 'FILE_EXISTS' })
  })

  it('says in words that a folder cannot be written to', () => {
    assert.throws(() => lockFile(join(folder, 'none', 'a.nxs')), { code: 'FILE_PATH', message: /it does not exist/ })
  })
})
