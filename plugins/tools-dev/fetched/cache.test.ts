// What is fetched once: what a killed builder left goes, what another one makes just now stays.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cached } from './cache.js'

describe('the cache', () => {
  const { NEXSTREAM_CACHE: before } = process.env
  let folder: string
  beforeEach(() => (process.env['NEXSTREAM_CACHE'] = folder = mkdtempSync(join(tmpdir(), 'nexstream-cache-'))))
  afterEach(() => {
    if (before === undefined) delete process.env['NEXSTREAM_CACHE']
    else process.env['NEXSTREAM_CACHE'] = before
    rmSync(folder, { recursive: true, force: true })
  })

  it('takes the lock of a builder that was killed, and removes what it left', async () => {
    // No process has this number
    const gone = 2 ** 22 + 1
    writeFileSync(join(folder, 'jars.lock'), String(gone))
    for (const name of [`jars.part-${gone}`, `jars.part-${process.ppid}`, `other.part-${gone}`]) mkdirSync(join(folder, name)) // prettier-ignore
    const build = (part: string): Promise<void> => Promise.resolve(writeFileSync(join(part, 'a.jar'), ''))
    assert.deepEqual(readdirSync(await cached('jars', build)), ['a.jar'])
    assert.deepEqual(readdirSync(folder).toSorted(), ['jars', `jars.part-${process.ppid}`, `other.part-${gone}`])
  })

  it('keeps nothing of what could not be built', async () => {
    const fail = (): Promise<void> => Promise.reject(new Error('no network'))
    await assert.rejects(cached('jars', fail), /no network/)
    assert.deepEqual(readdirSync(folder), [])
  })
})
