// `nexstream diff` on files of ours and of h5py: everything that differs is found, and nothing else.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { said } from '../cli/said.js'
import { runPython } from '../support/python.js'

const make = `
import sys, h5py, numpy as np
for number, path in enumerate(sys.argv[1:]):
    with h5py.File(path, "w") as f:
        e = f.create_group("entry")
        e.attrs["NX_class"] = "NXentry"
        e.attrs["when"] = str(number)
        e["same"] = np.arange(10.0)
        e["nan"] = np.array([np.nan, 1.0])
        e["value"] = np.array([[1, 2], [3, 4 + number]], "int32")
        e["one"] = 7 + number
        e["text"] = ["first", "second" if number == 0 else "2nd"]
        e["fixed"] = np.array([b"ab", b"cd"]) if number == 0 else np.array([b"ab", b"xy"])
        e["shape"] = np.zeros(3 + number)
        e["type"] = np.zeros(3, "float32" if number == 0 else "float64")
        e["units"] = 1.0
        e["units"].attrs["units"] = "K" if number == 0 else "mK"
        e["link"] = h5py.SoftLink("/entry/same" if number == 0 else "/entry/nan")
        e["left" if number == 0 else "right"] = 1
        big = np.arange(200000, dtype="int64")
        big[150000] += number
        e.create_dataset("deep/big", data=big, chunks=(1000,), compression="gzip")
`

describe('nexstream diff', function () {
  this.timeout(120_000)
  let folder: string
  let a: string
  let b: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-diff-'))
    ;[a, b] = [join(folder, 'a.nxs'), join(folder, 'b.nxs')]
    await runPython(make, [a, b])
  })
  after(() => rmSync(folder, { recursive: true }))

  it('tells what only one has, what has another form, and which values differ', async () => {
    const { code, stdout, stderr } = await said(['diff', a, b])
    assert.deepEqual([code, stderr], [5, ''])
    assert.deepEqual(stdout.trim().split('\n').toSorted(), [
      '+ /entry/right  dataset int64',
      '- /entry/left  dataset int64',
      '≠ /entry/deep/big  1 of 200000 values, the first at 150000: 150000 / 150001',
      '≠ /entry/fixed  1 of 2 values, the first at 1: "cd" / "xy"',
      '≠ /entry/link  soft link to /entry/same / soft link to /entry/nan',
      '≠ /entry/one  7 / 8',
      '≠ /entry/shape  dataset float64 [3] / dataset float64 [4]',
      '≠ /entry/text  1 of 2 values, the first at 1: "second" / "2nd"',
      '≠ /entry/type  dataset float32 [3] / dataset float64 [3]',
      '≠ /entry/units@units  "K" / "mK"',
      '≠ /entry/value  1 of 4 values, the first at 3: 4 / 5',
      '≠ /entry@when  "0" / "1"'
    ].toSorted()) // prettier-ignore
  })

  it('leaves out what it is told to, and is content with what is the same', async () => {
    const words = ['/entry/deep', '/entry/fixed', '/entry/link', '/entry/one', '/entry/shape', '/entry/text', '/entry/type', '/entry/value', '/entry/left', '/entry/right'] // prettier-ignore
    const { code, stdout } = await said(['diff', a, b, '--ignore', [...words, '@units'].join(','), '--json'])
    assert.deepEqual([code, JSON.parse(stdout)], [5, { path: '/entry@when', what: 'value', text: '"0" / "1"' }])
    const rest = await said(['diff', a, b, '--ignore', [...words, '@units', '@when'].join(',')])
    assert.deepEqual(rest, { code: 0, stdout: '', stderr: 'no difference\n' })
    assert.deepEqual(await said(['diff', a, a]), { code: 0, stdout: '', stderr: 'no difference\n' })
    // A path is no beginning of another name
    const near = await said(['diff', a, b, '--ignore', '/entry/val'])
    assert.match(near.stdout, /≠ \/entry\/value /)
  })

  it('says what is no file', async () => {
    const absent = await said(['diff', a, join(folder, 'absent.nxs')])
    assert.deepEqual([absent.code, absent.stdout], [2, ''])
    assert.match(absent.stderr, /^FILE_READ: .*absent\.nxs cannot be read/)
    assert.match((await said(['diff', a, folder])).stderr, /^FILE_READ: .* is a folder; name a file in it/)
    assert.match((await said(['diff', a])).stderr, /^CLI_USAGE: missing required argument 'second'/)
  })
})
