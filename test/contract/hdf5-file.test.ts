// Everything that writers can ask for, read back by h5py; and everything that must be refused.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNexusFile } from '../../plugins/service-filewriter/file/file.js'
import { WasmFile } from '../../plugins/service-filewriter/file/wasm.js'
import { CodedError } from '../../core/api/plugin.js'
import { type VectorType } from '../../schemas/index.js'
import { dumpFile, newFiles } from '../support/hdf5.js'
import { runPython } from '../support/python.js'

const refused = (code: string) => (error: unknown) => error instanceof CodedError && error.code === code

for (const backend of ['direct', 'h5wasm'] as const)
  describe(`NeXus file (${backend})`, () => {
    const made = newFiles(backend)

    it('holds values of all types exactly, 64-bit integers too', async () => {
      const { file, path } = made
      const limits: [VectorType, bigint | number, bigint | number][] = [
        ['int8', -128, 127],
        ['int16', -32768, 32767],
        ['int32', -2147483648, 2147483647],
        ['int64', -(2n ** 63n), 2n ** 63n - 1n],
        ['uint8', 0, 255],
        ['uint16', 0, 65535],
        ['uint32', 0, 4294967295],
        ['uint64', 0n, 2n ** 64n - 1n],
        ['float32', -1.5, 0.25],
        ['float64', Math.PI, 5e-324]
      ]
      const group = file.root.group('all')
      for (const [dtype, least, most] of limits) {
        const list = [least, most] as number[]
        group.dataset(dtype, list, { dtype, attributes: { both: { value: list, dtype }, one: { value: most, dtype } } })
        group.column(`c_${dtype}`, { dtype })
      }
      group.dataset('texts', ['a', '', 'größer µ'], { dtype: 'string' })
      group.dataset('fixed', ['abcdef', 'größer'], { dtype: { string: 4 } })
      group.dataset('flags', [true, false], { dtype: 'int8', shape: [2, 1] })
      group.dataset('scalar', 'one', { dtype: 'string' })
      group.dataset('empty', [], { dtype: 'float64' })
      group.dataset('image', Buffer.from(Uint8Array.from({ length: 25 }, (_, i) => i)).subarray(1), { dtype: 'uint16', shape: [2, 3, 2] }) // prettier-ignore
      group.dataset('widened', new Float32Array([1.5, -2]), { dtype: 'float64' })
      group.attribute('text', 'µ')
      group.attribute('texts', ['x', 'yy'])
      group.attribute('flag', true)
      group.attribute('whole', 3)
      group.attribute('real', 0.5)
      group.attribute('big', 2n ** 64n - 1n)
      group.attribute('long', 'x'.repeat(100_000))
      file.root.attribute('creator', 'test')
      file.close()
      const found = await dumpFile(path)
      const plain = (value: bigint | number): unknown =>
        Math.abs(Number(value)) > 2 ** 53 ? String(value) : Number(value)
      for (const [dtype, least, most] of limits) {
        const item = found[`all/${dtype}`]
        assert.deepEqual([item?.dtype, item?.value], [dtype, [plain(least), plain(most)]])
        assert.deepEqual(item?.attributes['both'], [dtype, [plain(least), plain(most)]])
        assert.deepEqual(item?.attributes['one'], [dtype, plain(most)])
        assert.deepEqual([found[`all/c_${dtype}`]?.dtype, found[`all/c_${dtype}`]?.maxshape], [dtype, [null]])
      }
      assert.deepEqual(found['all/texts']?.value, ['a', '', 'größer µ'])
      assert.deepEqual([found['all/fixed']?.dtype, found['all/fixed']?.value], ['string4-utf-8', ['abcd', 'grö']])
      assert.deepEqual(
        [found['all/flags']?.shape, found['all/flags']?.value],
        [
          [2, 1],
          [[1], [0]]
        ]
      )
      assert.deepEqual([found['all/scalar']?.shape, found['all/scalar']?.value], [[], 'one'])
      assert.deepEqual(found['all/empty']?.shape, [0])
      const image = Uint8Array.from({ length: 24 }, (_, i) => i + 1)
      assert.deepEqual((found['all/image']?.value as number[][][]).flat(2), [...new Uint16Array(image.buffer)])
      assert.deepEqual(found['all/widened']?.value, [1.5, -2])
      const attributes = found['all']?.attributes ?? {}
      assert.deepEqual(attributes['text'], ['string-utf-8', 'µ'])
      assert.deepEqual(attributes['texts']?.[1], ['x', 'yy'])
      assert.deepEqual([attributes['flag'], attributes['whole'], attributes['real']], [['int8', 1], ['int64', 3], ['float64', 0.5]]) // prettier-ignore
      assert.deepEqual(attributes['big'], ['uint64', '18446744073709551615'])
      assert.equal((attributes['long']?.[1] as string).length, 100_000)
      assert.deepEqual(found['/']?.attributes['creator'], ['string-utf-8', 'test'])
    })

    it('single values, texts and rows of every kind', async () => {
      const { file, path } = made
      const group = file.root.group('g')
      const types: VectorType[] = ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float32', 'float64'] // prettier-ignore
      const columns = types.map((dtype) => group.column(dtype, { dtype }))
      const text = group.column('text', { dtype: { string: 5 } })
      const image = group.column('image', { dtype: 'int16', row: [2, 2] })
      file.begin()
      for (const column of columns) {
        for (const value of [1, 100, 0]) column.appendNumber(value)
        assert.equal(column.length, 3)
      }
      columns[3]?.appendNumber(-(2 ** 53 - 1))
      columns[3]?.appendBigInt(-(2n ** 63n))
      columns[7]?.appendBigInt(2n ** 64n - 1n)
      for (const value of ['ab', '', 'größer']) text.appendString(value)
      image.append(new Uint8Array(Int16Array.of(1, 2, 3, 4, -5, 6, 7, 8).buffer))
      assert.throws(() => { image.appendNumber(1) }, refused('HDF5_FAILED')) // prettier-ignore
      assert.throws(() => { image.append(new Uint8Array(7)) }, refused('HDF5_FAILED')) // prettier-ignore
      assert.throws(() => { columns[3]?.appendNumber(0.5) }, refused('HDF5_FAILED')) // prettier-ignore
      assert.throws(() => { columns[9]?.appendBigInt(1n) }, refused('HDF5_FAILED')) // prettier-ignore
      assert.throws(() => { text.appendNumber(1) }, refused('HDF5_FAILED')) // prettier-ignore
      file.close()
      const found = await dumpFile(path)
      for (const dtype of types) assert.deepEqual((found[`g/${dtype}`]?.value as unknown[]).slice(0, 3), [1, 100, 0])
      assert.deepEqual((found['g/int64']?.value as unknown[]).slice(3), [-(2 ** 53 - 1), '-9223372036854775808'])
      assert.deepEqual((found['g/uint64']?.value as unknown[]).at(-1), '18446744073709551615')
      assert.deepEqual(found['g/text']?.value, ['ab', '', 'grö'])
      assert.deepEqual(found['g/image']?.value, [[[1, 2], [3, 4]], [[-5, 6], [7, 8]]]) // prettier-ignore
    })

    it('groups with thousands of names, links of all kinds, structure before, between and after', async () => {
      const { file, path } = made
      const entry = file.root.group('entry', { NX_class: 'NXentry' })
      for (let i = 0; i < 2500; i++) entry.group(`g${i}`)
      const column = entry.column('x', { dtype: 'int32' })
      entry.link('soft', '/entry/x')
      entry.link('dangling', '/entry/none')
      entry.link('hard', '/entry/x', 'hard')
      entry.link('far', 'other.nxs:/entry/y', 'external')
      assert.throws(() => { entry.link('no', '/entry/none', 'hard') }, refused('STRUCTURE_INVALID')) // prettier-ignore
      assert.throws(() => { entry.link('no', '/entry/dangling', 'hard') }, refused('STRUCTURE_INVALID')) // prettier-ignore
      file.begin()
      assert.throws(() => entry.group('too late'), refused('HDF5_FAILED'))
      column.appendNumber(1)
      file.lateStructure(() => {
        const late = entry.group('late', { NX_class: 'NXlog' }).column('y', { dtype: 'float64' })
        file.group('/entry/g7')?.attribute('seen', 1)
        column.appendNumber(2)
        late.appendNumber(0.5)
      })
      column.appendNumber(3)
      file.checkpoint()
      file.finish()
      assert.throws(() => entry.column('z', { dtype: 'int8' }), refused('HDF5_FAILED'))
      entry.dataset('end_time', 'now', { dtype: 'string', attributes: { units: 'ISO8601' } })
      entry.link('later', '/entry/late', 'hard')
      file.close()
      const found = await dumpFile(path)
      assert.equal(Object.keys(found).filter((name) => /^entry\/g\d+$/.test(name)).length, 2500)
      assert.deepEqual(found['entry/x']?.value ?? found['entry/hard']?.value, [1, 2, 3])
      assert.deepEqual(found['entry']?.links, {
        dangling: ['soft', '/entry/none'],
        soft: ['soft', '/entry/x'],
        far: ['external', 'other.nxs', '/entry/y']
      })
      assert.deepEqual((found['entry/late/y'] ?? found['entry/later/y'])?.value, [0.5])
      assert.deepEqual(found['entry/g7']?.attributes['seen'], ['int64', 1])
      assert.equal(found['entry/end_time']?.value, 'now')
    })

    it('refuses bad names, values and what exists, and the file is whole all the same', async () => {
      const { file, path } = made
      const group = file.root.group('entry')
      for (const name of ['', '.', '..', 'a/b', '/', 'x\0y', 'n'.repeat(1025)])
        for (const make of [
          () => group.group(name),
          () => group.column(name, { dtype: 'int8' }),
          () => { group.dataset(name, 1, { dtype: 'int8' }) }, // prettier-ignore
          () => { group.link(name, '/entry') } // prettier-ignore
        ])
          assert.throws(make, refused('STRUCTURE_INVALID'), JSON.stringify(name))
      group.dataset('x', 1, { dtype: 'int8' })
      group.attribute('a', 1)
      assert.throws(() => group.group('x'), refused('HDF5_EXISTS'))
      assert.throws(() => { group.attribute('a', 2) }, refused('HDF5_EXISTS')) // prettier-ignore
      const bad: [unknown, string | object, number[]?][] = [
        [300, 'int8'], [-1, 'uint64'], [0.5, 'int32'], ['1', 'int32'], [1, 'string'], [2n ** 64n, 'uint64'], [[1, 2, 3], 'int8', [2]],
        [1, 'complex'], [new Uint8Array(3), 'uint16'], ['x', { string: 0 }], [null, 'float64'], [[1], 'int8', [-1]]
      ] // prettier-ignore
      for (const [value, dtype, shape] of bad)
        assert.throws(() => { group.dataset('y', value as number, { dtype: dtype as 'int8', shape }) }, refused('STRUCTURE_INVALID'), String(value)) // prettier-ignore
      assert.throws(() => { group.attribute('many', Array.from({ length: 9000 }, (_, i) => i)) }, refused('STRUCTURE_INVALID')) // prettier-ignore
      assert.throws(() => group.column('c', { dtype: 'string' as 'int8' }), refused('STRUCTURE_INVALID'))
      assert.throws(() => group.column('c', { dtype: 'int8', chunk: 0 }), refused('STRUCTURE_INVALID'))
      file.close()
      file.close()
      assert.deepEqual(Object.keys(await dumpFile(path)).sort(), ['/', 'entry', 'entry/x'])
    })

    it('fills a template that h5py made', async () => {
      const { path } = made
      made.file.close()
      rmSync(path)
      await runPython(
        `import h5py, sys\nwith h5py.File(sys.argv[1], 'w') as f:\n    g = f.create_group('entry/instrument')\n    g.attrs['NX_class'] = 'NXinstrument'\n    g.create_dataset('log', (3,), 'f8', maxshape=(None,), chunks=(4,))[:] = [1, 2, 3]\n    g.create_dataset('packed', (3,), 'u8', maxshape=(None,), chunks=(2,), compression='gzip', shuffle=True)[:] = [1, 2, 3]\n    g['fixed'] = 'kept'\n`,
        [path]
      )
      const file = (made.file = await createNexusFile(path, { backend, mode: 'continue', fsync: 'never' }))
      assert.equal(file.backend, backend)
      const group = file.group('/entry/instrument')
      assert.ok(group)
      assert.ok(group.has('fixed'))
      assert.equal(file.group('/entry/none'), undefined)
      assert.equal(file.group('/entry/instrument/fixed'), undefined)
      assert.throws(() => group.group('log'), refused('HDF5_EXISTS'))
      assert.throws(() => { group.attribute('NX_class', 'NXother') }, refused('HDF5_EXISTS')) // prettier-ignore
      assert.throws(() => file.column('/entry/instrument/fixed'), refused('STRUCTURE_INVALID'))
      assert.throws(() => file.column('/entry/instrument/none'), refused('STRUCTURE_INVALID'))
      const log = file.column('/entry/instrument/log')
      const packed = file.column('/entry/instrument/packed')
      const fresh = group.group('new', { NX_class: 'NXlog' }).column('value', { dtype: 'int32' })
      file.begin()
      assert.deepEqual([log.length, packed.length], [3, 3])
      for (let i = 4; i < 10; i++) {
        log.appendNumber(i)
        packed.appendNumber(i)
        fresh.appendNumber(i)
        if (i % 2 === 0) file.checkpoint()
      }
      file.close()
      const found = await dumpFile(path)
      assert.deepEqual(found['entry/instrument/log']?.value, [1, 2, 3, 4, 5, 6, 7, 8, 9])
      assert.deepEqual(found['entry/instrument/packed']?.value, [1, 2, 3, 4, 5, 6, 7, 8, 9])
      assert.deepEqual(found['entry/instrument/new/value']?.value, [4, 5, 6, 7, 8, 9])
      assert.equal(found['entry/instrument/fixed']?.value, 'kept')
    })
  })

describe('NeXus file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-hdf5-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('reaches beyond 4 GB and 4096 chunks, and packs by zstd', async () => {
    const path = join(folder, 'big.nxs')
    const file = await createNexusFile(path, { fsync: 'never' })
    const group = file.root.group('g')
    // One chunk of 1 GiB each: the holes take no space
    const far = Array.from({ length: 5 }, (_, i) => group.column(`far${i}`, { dtype: 'uint8', chunk: 1 << 30 }))
    const many = group.column('many', { dtype: 'uint32', chunk: 1 })
    const packed = group.column('packed', { dtype: 'uint32', chunk: 100, compression: { filter: 'zstd' } })
    file.begin()
    far.forEach((column, i) => { column.appendNumber(i) }) // prettier-ignore
    file.checkpoint()
    for (let i = 0; i < 10_000; i++) {
      many.appendNumber(i)
      packed.appendNumber(i)
      if (i % 999 === 0) file.checkpoint()
    }
    file.close()
    assert.ok(statSync(path).size > 5 * 2 ** 30)
    const script = `import h5py, hdf5plugin, numpy, sys
with h5py.File(sys.argv[1]) as f:
    g = f['g']
    assert [int(g[f'far{i}'][0]) for i in range(5)] == list(range(5))
    assert (g['many'][()] == numpy.arange(10000)).all()
    assert (g['packed'][()] == numpy.arange(10000)).all()
print('right')
`
    assert.equal((await runPython(script, [path])).trim(), 'right')
  })

  it('writes all through the library where a template allows nothing else', async () => {
    const path = join(folder, 'latest.nxs')
    const make = `import h5py, sys
with h5py.File(sys.argv[1], 'w', libver='latest') as f:
    f.create_group('entry').create_dataset('x', (2,), 'i4', maxshape=(None,), chunks=(4,))[:] = [1, 2]
`
    await runPython(make, [path])
    const file = await createNexusFile(path, { mode: 'continue', fsync: 'never' })
    assert.equal(file.backend, 'h5wasm')
    const x = file.column('/entry/x')
    file.begin()
    x.appendNumber(3)
    file.close()
    assert.deepEqual((await dumpFile(path))['entry/x']?.value, [1, 2, 3])
  })

  it('one refused operation of the library does not cost the file', async () => {
    const path = join(folder, 'broken.nxs')
    const file = (await WasmFile.library())(path, 'create')
    file.group('/kept')
    assert.throws(() => { file.group('/none/x') }, refused('HDF5_FAILED')) // prettier-ignore
    assert.throws(() => { file.group('/more') }, /after an earlier failure/) // prettier-ignore
    file.close()
    assert.deepEqual(Object.keys(await dumpFile(path)), ['/', 'kept'])
    const next = await createNexusFile(join(folder, 'next.nxs'), { backend: 'h5wasm', fsync: 'never' })
    next.root.group('entry')
    next.close()
    assert.ok('entry' in (await dumpFile(next.path)))
  })

  it('h5wasm is exactly the version whose traps are known', () => {
    const manifest = new URL('../../package.json', import.meta.resolve('h5wasm/node'))
    assert.equal((JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version, '0.10.3')
  })
})
