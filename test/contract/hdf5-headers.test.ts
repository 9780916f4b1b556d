// Headers that our own writer changes in the file: late attributes, external links; readers and the library must follow.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createNexusFile, type NexusFile } from '../../plugins/service-filewriter/file/file.js'
import { repair } from '../../plugins/service-filewriter/file/repair.js'
import { summarise } from '../../plugins/service-filewriter/file/summary.js'
import { CodedError } from '../../core/api/plugin.js'
import { dumpFile, newFiles } from '../support/hdf5.js'
import { hdf5Libraries } from '../support/hdf5-libraries.js'
import { python, runPython } from '../support/python.js'
import { type Column } from '../../plugins/service-filewriter/writer-part.js'

const edit = new URL('../../../test/support/python/hdf5/edit.py', import.meta.url).pathname
const change = new URL('../../../test/support/python/hdf5/change_c.py', import.meta.url).pathname
const run = promisify(execFile)
const unusual = { name: 'größe µ', file: 'fär.nxs', target: '/ö/ü' }

/** A file with all that can be late: groups deep and flat, columns, fixed datasets; external links before and after. */
function start(file: NexusFile): { y: Column; round: (r: number) => void } {
  const { root } = file
  const entry = root.group('entry', { NX_class: 'NXentry' })
  const deep = entry.group('a').group('b').group('log', { NX_class: 'NXlog' })
  const y = deep.column('value', { dtype: 'float64', chunk: 4, attributes: { units: 'K', kept: 1 } })
  const time = deep.column('time', { dtype: 'uint64', chunk: 4, index: true, attributes: { units: 'ns' } })
  entry.dataset('fixed', [1, 2, 3], { dtype: 'int32', attributes: { units: 'm', kept: 1 } })
  entry.link('soft', '/entry/fixed')
  const early = entry.group('early')
  early.link(unusual.name, `${unusual.file}:${unusual.target}`, 'external')
  early.link('C', 'C:\\data\\x.nxs:/entry', 'external')
  early.link('n'.repeat(1000), '/entry/fixed')
  early.link('hard', '/entry/fixed', 'hard')
  early.group('below').dataset('µ', 1, { dtype: 'int8' })
  for (let i = 0; i < 300; i++) entry.group(`g${i}`)
  return {
    y,
    round: (r) => {
      y.appendNumber(r)
      time.appendNumber(r)
      file.checkpoint()
      file.lateStructure(() => {
        root.attribute(`r${r}`, r)
        root.attribute(`text${r}`, 'text '.repeat(300 * r))
        entry.attribute(`r${r}`, [r, r + 0.5])
        deep.attribute(`r${r}`, r)
        deep.datasetAttribute('value', 'units', 'mK'.repeat(r + 1))
        deep.datasetAttribute('value', `r${r}`, r)
        entry.datasetAttribute('fixed', 'units', r % 2 === 0 ? [1, 2] : 'cm')
        entry.datasetAttribute('soft', `r${r}`, r)
        deep.link(`far${r}`, `part${r}.nxs:/p`, 'external')
        if (r > 0) entry.link(`far${r}`, `part${r}.nxs:/p`, 'external')
        if (r > 1) root.link(`far${r}`, `part${r}.nxs:/p`, 'external')
        entry.link(`hard${r}`, '/entry/a/b/log/value', 'hard')
        entry.link(`soft${r}`, '/entry/fixed')
        entry.group(`new${r}`, { NX_class: 'NXnote' }).dataset('v', r, { dtype: 'int32' })
        file.group(`/entry/g${r}`)?.group('x').attribute('own', r)
      })
    }
  }
}

/** What h5py says of a file of `start` after some rounds. */
async function check(path: string, rounds: number, isWhole = true): Promise<void> {
  const found = await dumpFile(path)
  const at = (name: string) => found[name] ?? assert.fail(`${path}: no ${name}`)
  const numbers = Array.from({ length: rounds }, (_, r) => r)
  const named = (prefix: string): string[] => numbers.map((r) => `${prefix}${r}`)
  const attributes = (name: string): string[] =>
    Object.keys(at(name).attributes).filter((key) => !key.startsWith('by_'))
  const y = found['entry/a/b/log/value'] ?? found['entry/hard0'] ?? assert.fail('no value')
  assert.deepEqual(
    Object.keys(y.attributes)
      .filter((key) => !key.startsWith('by_'))
      .sort(),
    ['kept', ...named('r'), 'units']
  )
  assert.equal(y.attributes['units']?.[1], 'mK'.repeat(rounds))
  if (isWhole) assert.deepEqual(y.value, numbers)
  assert.deepEqual(attributes('/').sort(), [...named('r'), ...named('text')])
  for (const r of numbers) {
    assert.deepEqual(at('/').attributes[`text${r}`]?.[1], 'text '.repeat(300 * r))
    assert.deepEqual(at('entry').attributes[`r${r}`], ['float64', [r, r + 0.5]])
    assert.deepEqual(at('entry/a/b/log').attributes[`r${r}`], ['int64', r])
    assert.equal(at(`entry/new${r}/v`).value, r)
    assert.deepEqual(at(`entry/g${r}/x`).attributes['own'], ['int64', r])
  }
  assert.deepEqual(attributes('entry').sort(), ['NX_class', ...named('r')])
  const fixed = ['entry/fixed', 'entry/early/hard'].flatMap((name) => found[name] ?? [])[0]
  assert.deepEqual(
    Object.keys(fixed?.attributes ?? {})
      .filter((key) => !key.startsWith('by_'))
      .sort(),
    ['kept', ...named('r'), 'units']
  )
  assert.deepEqual(fixed?.attributes['units']?.[1], rounds % 2 === 0 ? 'cm' : [1, 2])
  const far = (from: number): [string, string[]][] =>
    numbers.slice(from).map((r) => [`far${r}`, ['external', `part${r}.nxs`, '/p']])
  const soft = named('soft').map((name): [string, string[]] => [name, ['soft', '/entry/fixed']])
  const links = (name: string) =>
    Object.fromEntries(Object.entries(at(name).links ?? {}).filter(([key]) => !key.startsWith('by_')))
  assert.deepEqual(links('entry/a/b/log'), Object.fromEntries(far(0)))
  assert.deepEqual(links('/'), Object.fromEntries(far(2)))
  assert.deepEqual(links('entry'), Object.fromEntries([...far(1), ['soft', ['soft', '/entry/fixed']], ...soft]))
  assert.deepEqual(links('entry/early'), {
    [unusual.name]: ['external', unusual.file, unusual.target],
    C: ['external', 'C:\\data\\x.nxs', '/entry'],
    ['n'.repeat(1000)]: ['soft', '/entry/fixed']
  })
  assert.equal(at('entry/early/below/µ').value, 1)
  assert.equal(Object.keys(found).filter((name) => /^entry\/g\d+$/.test(name)).length, 300)
}

for (const backend of ['direct', 'h5wasm'] as const)
  describe(`late attributes and external links (${backend})`, () => {
    const made = newFiles(backend)

    it('of every kind of object, again and again, old ones replaced', async () => {
      const { file, path } = made
      const { y, round } = start(file)
      file.begin()
      for (let r = 0; r < 4; r++) round(r)
      assert.throws(
        () => {
          file.lateStructure(() => file.group('/entry')?.attribute('r0', 1))
        },
        (error) => error instanceof CodedError && error.code === 'HDF5_EXISTS'
      )
      file.finish()
      file.close()
      assert.equal(y.length, 4)
      await check(path, 4)
    })

    it('hundreds on one object, one by one and at once, and more children beside external links', async () => {
      const { file, path } = made
      const group = file.root.group('entry')
      group.column('x', { dtype: 'int8' })
      file.begin()
      for (let i = 0; i < 150; i++)
        file.lateStructure(() => {
          group.attribute(`one${i}`, i)
          group.datasetAttribute('x', `one${i}`, String(i))
        })
      file.lateStructure(() => {
        for (let i = 0; i < 400; i++) group.attribute(`all${i}`, i)
        group.link('far', 'x.nxs:/x', 'external')
        for (let i = 0; i < 1500; i++) group.group(`g${i}`)
      })
      file.lateStructure(() => group.group('last'))
      file.close()
      const found = await dumpFile(path)
      const attributes = found['entry']?.attributes ?? {}
      for (let i = 0; i < 150; i++) {
        assert.equal(attributes[`one${i}`]?.[1], i)
        assert.equal(found['entry/x']?.attributes[`one${i}`]?.[1], String(i))
      }
      for (let i = 0; i < 400; i++) assert.equal(attributes[`all${i}`]?.[1], i)
      assert.equal(Object.keys(attributes).length, 550)
      assert.equal(Object.keys(found).filter((name) => name.startsWith('entry/')).length, 1502)
      assert.deepEqual(found['entry']?.links, { far: ['external', 'x.nxs', '/x'] })
    })

    it('refuses what a header cannot hold', () => {
      const { file } = made
      const group = file.root.group('entry')
      for (const target of ['x.nxs', ':/x', 'x.nxs:x', `x.nxs:/${'x'.repeat(70_000)}`, 'x\0.nxs:/x'])
        assert.throws(
          () => { group.link('far', target, 'external') }, // prettier-ignore
          (error) => error instanceof CodedError && error.code === 'STRUCTURE_INVALID',
          target.slice(0, 20)
        )
    })
  })

describe('headers of our own', () => {
  const made = newFiles('direct')

  it('are right between any two writes', async () => {
    const path = join(made.folder, 'watched.nxs')
    const copies: { path: string; least: number }[] = []
    let rounds = 0
    let watching = false
    const onWrite = (what: string): void => {
      if (!watching) return
      const copy = join(made.folder, `copy${copies.length} ${what.replaceAll('/', '_')}.nxs`)
      copyFileSync(path, copy)
      copies.push({ path: copy, least: rounds })
    }
    const file = await createNexusFile(path, { fsync: 'never', onWrite })
    const { round } = start(file)
    file.begin()
    for (; rounds < 3; rounds++) {
      watching = rounds !== 1
      round(rounds)
    }
    file.close()
    assert.ok(copies.length > 30, `${copies.length} writes seen`)
    const script = `import h5py, json, sys
out = []
for case in json.load(sys.stdin):
    rounds, wrong = case['least'], []
    with h5py.File(case['path'], 'r') as f:
        seen = []
        f.visititems(lambda name, item: seen.append((name, sorted(item.attrs), [str(item.attrs[k]) for k in item.attrs], sorted(item) if isinstance(item, h5py.Group) else item[()])))
        for where in ('/', 'entry', 'entry/a/b/log', 'entry/a/b/log/value', 'entry/fixed'):
            names = list(f[where].attrs)
            if len(set(names)) != len(names): wrong.append(f'{where}: an attribute twice: {names}')
            wrong += [f'{where}: no r{r}' for r in range(rounds) if f'r{r}' not in names]
        units = f['entry/a/b/log/value'].attrs['units']
        if units not in ('K' if rounds == 0 else 'mK' * rounds, 'mK' * (rounds + 1)): wrong.append(f'units {units}')
        if str(f['entry/fixed'].attrs['units']) not in ('m', 'cm', '[1 2]'): wrong.append('units of fixed')
        if len(f['entry/early']) != 5: wrong.append('early')
        for r in range(rounds):
            if f['entry/a/b/log'].get(f'far{r}', getlink=True).filename != f'part{r}.nxs': wrong.append(f'far{r}')
            if f[f'entry/new{r}/v'][()] != r or f[f'entry/hard{r}'].shape is None: wrong.append(f'new{r}')
        if len(seen) < 308: wrong.append(f'{len(seen)} objects')
    out += [case['path'] + ': ' + text for text in wrong]
print(json.dumps(out))
`
    assert.deepEqual(JSON.parse(await runPython(script, [], JSON.stringify(copies))), [])
    await check(path, 3)
  })

  it('can be changed by h5py, repaired, shown, and continued through the library', async () => {
    const { path } = made
    const { round } = start(made.file)
    made.file.begin()
    for (let r = 0; r < 3; r++) round(r)
    made.file.close()
    assert.deepEqual((await repair(path)).actions, [])
    const { entries } = await summarise(path)
    assert.deepEqual([entries.map((entry) => entry.path), entries[0]?.logValues], [['/entry'], 3])

    await runPython(edit, [path])
    await check(path, 3)
    const again = (made.file = await createNexusFile(path, { mode: 'continue', fsync: 'never' }))
    const y = again.column('/entry/a/b/log/value')
    for (const name of ['/entry', '/entry/early', '/entry/a/b/log', '/entry/g1']) {
      const group = again.group(name)
      group?.attribute('by_library', 'text')
      group?.group('by_library').attribute('own', 1)
      group?.link('by_library_far', 'y.nxs:/y', 'external')
    }
    again.group('/entry')?.datasetAttribute('fixed', 'by_library', 2)
    again.begin()
    y.appendNumber(3)
    again.close()
    await check(path, 3, false)
    const found = await dumpFile(path)
    for (const name of ['entry', 'entry/early', 'entry/a/b/log', 'entry/g1']) {
      assert.equal(found[name]?.attributes['by_library']?.[1], 'text')
      assert.equal(found[`${name}/by_library`]?.attributes['own']?.[1], 1)
      assert.deepEqual(found[name]?.links?.['by_library_far'], ['external', 'y.nxs', '/y'])
      assert.equal(found[`${name}/by_h5py`]?.value, 7)
    }
    assert.deepEqual((found['entry/a/b/log/value'] ?? found['entry/hard0'])?.value, [0, 1, 2, 3])
    assert.deepEqual((await repair(path)).notes, [])
  })

  it('can be changed by every version of the library', async () => {
    const { round } = start(made.file)
    made.file.begin()
    for (let r = 0; r < 3; r++) round(r)
    made.file.close()
    for (const [version, library] of await hdf5Libraries()) {
      const path = join(made.folder, `${version}.nxs`)
      copyFileSync(made.path, path)
      // The libraries beside it are its own
      const env = { ...process.env, LD_LIBRARY_PATH: dirname(library) }
      const { stdout } = await run(await python(), [change, library, path], { env })
      assert.equal(stdout.trim(), version)
      await check(path, 3)
      const found = await dumpFile(path)
      for (const name of ['entry', 'entry/early', 'entry/a/b/log', 'entry/g1', 'entry/new1']) {
        const own = Object.keys(found[name]?.attributes ?? {}).filter((key) => key.startsWith('by_'))
        assert.deepEqual(own.sort(), ['by_c0_0', 'by_c0_2', 'by_c1_0', 'by_c1_1', 'by_c1_2'], `${version} ${name}`)
        assert.deepEqual(found[name]?.links?.['by_far1'], ['external', 'z.nxs', '/z'])
        assert.ok(found[`${name}/by_c1_4`] && found[`${name}/by_data1`] && !found[`${name}/by_c0_2`])
      }
    }
  })

  it('take no structure any more after a write that failed, and keep what was good', async () => {
    const path = join(made.folder, 'full.nxs')
    let failing = ''
    const onWrite = (what: string): void => {
      if (failing !== '' && what.startsWith(failing)) throw new CodedError('HDF5_FAILED', 'ENOSPC')
    }
    for (const what of ['structure', 'length', 'end of file', 'header']) {
      const file = await createNexusFile(path.replace('full', what), { fsync: 'never', onWrite })
      const { round } = start(file)
      file.begin()
      round(0)
      failing = what
      const failed = (error: unknown): boolean => error instanceof CodedError && error.code === 'HDF5_FAILED'
      assert.throws(() => { round(1) }, failed) // prettier-ignore
      failing = ''
      assert.throws(() => file.root.group('more'), failed)
      file.close()
      const found = await dumpFile(file.path)
      assert.deepEqual(found['entry']?.attributes['r0'], ['float64', [0, 0.5]])
      assert.equal(found['entry/new0/v']?.value, 0)
    }
  })
})
