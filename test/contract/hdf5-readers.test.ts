// Our files through the C library of HDF5 from 1.8 to 2.0: each opens every sample file and reads the same from it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { loadPlugins } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { packageRoot } from '../../core/root.js'
import { Sample } from '../filewriter/samples.js'
import { hdf5Libraries, hdf5Versions, type Hdf5Version } from '../support/hdf5-libraries.js'
import { python, runPython } from '../support/python.js'

interface Seen {
  readonly version?: string
  readonly objects?: readonly string[]
  readonly digests?: Readonly<Record<string, string>>
  readonly error?: string
}

const list = `
import h5py, hdf5plugin, json, sys
for name in sys.argv[1:]:
    paths = []
    with h5py.File(name) as file:
        file.visititems(lambda path, item: paths.append(path) if isinstance(item, h5py.Dataset) else None)
        # no walk goes through external links
        outside = ["entry/external/x", "entry/external_streamed", "entry/external_log/value"]
        paths += [path for path in outside if name.endswith("grammar-links.nxs")]
    print(json.dumps({"file": name, "paths": paths}))
print(hdf5plugin.PLUGIN_PATH)
`

describe('HDF5 libraries of all versions', function () {
  this.timeout(300_000)
  let folder: string
  let requests: string[]
  let plugins: string
  let libraries: ReadonlyMap<Hdf5Version, string>
  const seen = new Map<Hdf5Version, Seen[]>()

  before(async () => {
    libraries = await hdf5Libraries()
    folder = mkdtempSync(join(tmpdir(), 'nexstream-readers-'))
    const loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    for (const sample of Sample.all()) await sample.make(lookupOf(loaded.host), folder)
    await loaded.close()
    const files = readdirSync(folder).map((name) => join(folder, name))
    requests = (await runPython(list, files)).trim().split('\n')
    plugins = requests.pop() ?? ''
    assert.ok(requests.length > 50, `${requests.length} files`)
  })
  after(() => rmSync(folder, { recursive: true }))

  async function read(version: Hdf5Version): Promise<Seen[]> {
    const library = libraries.get(version) ?? ''
    // The libraries beside it are its own; zstd comes as a plugin for all of them
    const env = { ...process.env, LD_LIBRARY_PATH: dirname(library), HDF5_PLUGIN_PATH: plugins }
    const script = join(packageRoot, 'test/support/python/hdf5/through_c.py')
    const child = spawn(await python(), [script, library], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.end(`${requests.join('\n')}\n`)
    return (await text(child.stdout))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Seen)
  }

  for (const version of hdf5Versions)
    it(`HDF5 ${version} reads every sample file`, async () => {
      const answers = await read(version)
      assert.equal(answers.length, requests.length)
      for (const [i, { error, version: said }] of answers.entries()) {
        assert.equal(error, undefined, requests[i])
        assert.equal(said, version)
      }
      seen.set(version, answers)
    })

  it('and all of them read the same', () => {
    assert.equal(seen.size, hdf5Versions.length)
    const content = ({ objects, digests }: Seen): object => ({ objects, digests })
    const newest = (seen.get('2.0.0') ?? []).map(content)
    const digests = newest.flatMap((file) => Object.values((file as Seen).digests ?? {}))
    assert.ok(new Set(digests).size > 300, 'the files hold different things')
    for (const [version, answers] of seen) assert.deepEqual(answers.map(content), newest, version)
  })
})
