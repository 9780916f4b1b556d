// What is on the disk is right at every moment: after a kill, between any two writes, on a full disk, beside a reader.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNexusFile } from '../../plugins/service-filewriter/file/file.js'
import { repair } from '../../plugins/service-filewriter/file/repair.js'
import { CodedError } from '../../core/api/plugin.js'
import { runPython } from '../support/python.js'
import { EVENTS, knownFile } from './hdf5-writer.js'

const check = fileURLToPath(new URL('../../../test/support/python/hdf5/check.py', import.meta.url))
const lengths = fileURLToPath(new URL('../../../test/support/python/hdf5/lengths.py', import.meta.url))
const writer = fileURLToPath(new URL('./hdf5-writer.js', import.meta.url))

interface Checked {
  file: string
  pulses: number
  problems: string[]
}
const checked = async (cases: { file: string; least: number; events?: number }[]): Promise<Checked[]> =>
  JSON.parse(await runPython(check, [], cases.map((one) => JSON.stringify(one)).join('\n'))) as Checked[]

const coded = (code: string, pattern: RegExp) => (error: unknown) =>
  error instanceof CodedError && error.code === code && pattern.test(error.message)

/** Of so many a part is written by another thread. */
const MANY = 100_000

/** Runs the writer and follows what it says it has published. */
function start(file: string, fsync: string, events = EVENTS): { child: ChildProcess; published: () => number } {
  const child = spawn(process.execPath, [writer, file, fsync, String(events)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let published = 0
  createInterface({ input: child.stdout }).on('line', (line) => (published = Number(line)))
  return { child, published: () => published }
}

describe('HDF5 file under trouble', function () {
  this.timeout(180_000)
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-hdf5-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('opens with everything published after kill -9 at any moment, and can be continued', async () => {
    const cases: { file: string; least: number; events: number }[] = []
    for (let i = 0; i < 6; i++) {
      const file = join(folder, `${i}.nxs`)
      const events = i % 2 === 0 ? EVENTS : MANY
      const { child, published } = start(file, i % 3 === 0 ? 'checkpoint' : 'never', events)
      const closed = once(child, 'close')
      while (published() < 20 + 13 * i) await delay(5)
      await delay(7 * i)
      child.kill('SIGKILL')
      await closed
      cases.push({ file, least: published(), events })
    }
    for (const { file, problems } of await checked(cases)) assert.deepEqual(problems, [], file)
    const { file = '' } = cases[0] ?? {}
    assert.ok(existsSync(`${file}.lock`), 'the killed writer leaves its lock')
    assert.deepEqual((await repair(file)).actions, [], 'nothing to repair')
    const again = await createNexusFile(file, { mode: 'continue' })
    const log = again.column('/entry/logs/log0/value')
    again.begin()
    log.appendNumber(log.length * 0.5)
    again.close()
    assert.ok(!existsSync(`${file}.lock`))
    assert.deepEqual((await checked([{ file, least: cases[0]?.least ?? 0 }]))[0]?.problems, [])
  })

  it('is right between any two writes of a checkpoint', async () => {
    const file = join(folder, 'file.nxs')
    const cases: { file: string; least: number }[] = []
    let published = 0
    let watching = false
    const onWrite = (): void => {
      if (!watching) return
      const copy = join(folder, `copy${cases.length}.nxs`)
      copyFileSync(file, copy)
      cases.push({ file: copy, least: published })
    }
    const known = await knownFile(file, { onWrite, fsync: 'never' })
    for (const pulses of [3, 1, 30, 2]) {
      for (let i = 0; i < pulses; i++) known.pulse()
      watching = true
      known.file.checkpoint()
      watching = false
      published = known.pulses
    }
    watching = true
    known.file.lateStructure(() => known.file.group('/entry')?.attribute('late', 1))
    known.file.close()
    assert.ok(cases.length > 80, `${cases.length} writes seen`)
    for (const { file: copy, problems } of await checked([...cases, { file, least: published }]))
      assert.deepEqual(problems, [], copy)
  })

  it('says which dataset met a full disk, and keeps the state of the last checkpoint', async () => {
    for (let failing = 0; failing < 40; failing += 3) {
      const file = join(folder, `full${failing}.nxs`)
      let left = Infinity
      const onWrite = (what: string): void => {
        if (what.startsWith('/entry') && left-- <= 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }) // prettier-ignore
      }
      const known = await knownFile(file, { onWrite, fsync: 'never' })
      for (let i = 0; i < 12; i++) known.pulse()
      known.file.checkpoint()
      left = failing
      const size = statSync(file).size
      assert.throws(
        () => {
          for (let i = 0; i < 40; i++) known.pulse()
          known.file.checkpoint()
          for (let i = 0; i < 400; i++) known.pulse()
        },
        coded('HDF5_FAILED', /full\d+\.nxs.*ENOSPC|ENOSPC/)
      )
      assert.throws(() => { known.file.checkpoint() }, coded('HDF5_FAILED', /ENOSPC/)) // prettier-ignore
      known.file.finish()
      known.file.group('/entry')?.attribute('error', 'disk full')
      known.file.close()
      assert.ok(statSync(file).size <= size + 4096, 'what was not published is given back')
      assert.deepEqual((await checked([{ file, least: 12 }]))[0]?.problems, [])
    }
  })

  for (const [where, events] of Object.entries({ 'in its own thread': EVENTS, 'in another thread': MANY }))
    it(`a file size limit of the system, met ${where}, ends in HDF5_FAILED naming file and dataset`, async () => {
      const file = join(folder, 'limited.nxs')
      const script = `
      process.on('SIGXFSZ', () => {})
      const { knownFile } = await import(${JSON.stringify(new URL('./hdf5-writer.js', import.meta.url).href)})
      const known = await knownFile(${JSON.stringify(file)}, { fsync: 'never' }, ${events})
      try {
        for (;;) {
          for (let i = 0; i < 5; i++) known.pulse()
          await known.file.drained()
          known.file.checkpoint()
          console.log(known.pulses)
        }
      } catch (error) { console.log(error.code, error.message) }
      await known.file.drained()
      known.file.close()`
      const limited = 'ulimit -f 32768; exec "$0" --input-type=module -e "$1"'
      const child = spawn('bash', ['-c', limited, process.execPath, script], { stdio: ['ignore', 'pipe', 'inherit'] })
      const lines: string[] = []
      createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
      await once(child, 'close')
      assert.match(lines.at(-1) ?? '', /^HDF5_FAILED .*limited\.nxs: cannot (write|resize).*EFBIG/)
      assert.deepEqual((await checked([{ file, least: Number(lines.at(-2)), events }]))[0]?.problems, [])
    })

  for (const mode of ['reopen', 'swmr'])
    it(`a reader beside the writer sees only right data (h5py, ${mode})`, async () => {
      const file = join(folder, 'live.nxs')
      const { child, published } = start(file, 'never')
      const closed = once(child, 'close')
      while (published() < 5) await delay(5)
      const result = JSON.parse(await runPython(check, ['live', file, mode])) as { seen: number; pulses: number; problems: string[] } // prettier-ignore
      const [code] = (await closed) as [number]
      assert.equal(code, 0)
      assert.deepEqual(result.problems, [])
      assert.equal(result.pulses, published())
      assert.ok(result.seen >= 20)
    })

  it('shows equal lengths of all datasets to a reader that no checkpoint falls into', async () => {
    const file = join(folder, 'lengths.nxs')
    const known = await knownFile(file, { fsync: 'never' })
    const step = (): void => {
      for (let i = 0; i < 5; i++) known.pulse()
      known.file.checkpoint()
    }
    step()
    const timer = setInterval(step, 150)
    try {
      const found = JSON.parse(await runPython(lengths, [file, '300'])) as Record<'quiet' | 'quiet_unequal' | 'largest_step', number> // prettier-ignore
      // HDF5 reads one header after the other: only a checkpoint between two of them makes a difference
      assert.deepEqual([found.quiet, found.quiet_unequal], [300, 0], JSON.stringify(found))
      assert.equal(found.largest_step % 5, 0, 'lengths are those of checkpoints')
    } finally {
      clearInterval(timer)
      known.file.close()
    }
  })

  it('refuses a second writer while the first one lives, and an existing file', async () => {
    const file = join(folder, 'one.nxs')
    const first = await createNexusFile(file)
    await assert.rejects(createNexusFile(file, { mode: 'continue' }), coded('HDF5_LOCKED', /process \d+/))
    first.close()
    await assert.rejects(createNexusFile(file), coded('FILE_EXISTS', /one\.nxs/))
    ;(await createNexusFile(file, { mode: 'continue' })).close()
    await assert.rejects(createNexusFile(join(folder, 'none', 'x.nxs')), coded('FILE_PATH', /folder/))
    await assert.rejects(createNexusFile(join(folder, 'y.nxs'), { mode: 'continue' }), coded('FILE_READ', /y\.nxs/))
  })
})
