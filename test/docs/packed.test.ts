// What npm packs: no Markdown page in the tarball links to a file that is not in it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../core/root.js'

interface Sbom {
  readonly bomFormat: string
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } }
  readonly components: readonly {
    readonly name: string
    readonly version: string
    readonly hashes?: readonly { readonly alg: string }[]
  }[]
}
interface Lock {
  readonly name: string
  readonly version: string
  readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: boolean }>>
}
interface Json {
  readonly files: readonly string[]
  readonly scripts: Readonly<Record<string, string>>
}

/** Relative targets of links and pictures in Markdown; what stands in code is no link. */
function targets(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]?.split('#')[0] ?? '')
    .filter((target) => target !== '' && !/^(https?|mailto):/.test(target))
}

function dead(files: readonly string[], page: string, markdown: string): string[] {
  return targets(markdown)
    .map((target) => posix.join(posix.dirname(page), target).replace(/\/$/, ''))
    .filter((target) => !files.some((file) => file === target || file.startsWith(`${target}/`)))
    .map((target) => `${page}: ${target}`)
}

describe('the npm tarball', function () {
  this.timeout(120_000)
  let files: string[]

  before(async () => {
    const args = ['pack', '--dry-run', '--ignore-scripts', '--json']
    const { stdout } = await promisify(execFile)('npm', args, { cwd: packageRoot, maxBuffer: 1 << 26 })
    const [packed] = JSON.parse(stdout) as [{ files: { path: string }[] }]
    files = packed.files.map(({ path }) => path)
  })

  it('has no dead link in its pages', () => {
    const pages = files.filter((file) => file.endsWith('.md'))
    assert.ok(pages.length > 50 && pages.includes('README.md'), `${pages.length} pages`)
    assert.deepEqual(
      pages.flatMap((page) => dead(files, page, readFileSync(join(packageRoot, page), 'utf8'))),
      []
    )
  })

  it('has a bill of what is in it: each package of the lock file that is no tool of ours, with its checksum', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-sbom-'))
    try {
      await promisify(execFile)(process.execPath, ['.ci/sbom.js', join(folder, 'sbom.json')], { cwd: packageRoot })
      const sbom = JSON.parse(readFileSync(join(folder, 'sbom.json'), 'utf8')) as Sbom
      const { name, version, packages } = JSON.parse(
        readFileSync(join(packageRoot, 'package-lock.json'), 'utf8')
      ) as Lock
      assert.equal(sbom.bomFormat, 'CycloneDX')
      assert.deepEqual([sbom.metadata.component.name, sbom.metadata.component.version], [name, version])
      const wanted = Object.entries(packages)
        .filter(([path, { dev }]) => path !== '' && dev !== true)
        .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`)
      const listed = sbom.components.map((part) => `${part.name}@${part.version}`)
      assert.deepEqual([...new Set(listed)].sort(), [...new Set(wanted)].sort())
      assert.ok(listed.some((part) => part.startsWith('h5wasm@')))
      assert.deepEqual(sbom.components.filter(({ hashes }) => hashes?.[0]?.alg !== 'SHA-512').map((part) => part.name), []) // prettier-ignore
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    const { files, scripts } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as Json
    assert.ok(files.includes('sbom.cdx.json'))
    assert.equal(scripts['prepack'], 'node .ci/sbom.js')
  })

  it('would be found with one', () => {
    const text = '[a](../b.md#part) [c](folder) [d](gone.md) `[e](code.md)` [f](https://example.org/g.md)'
    assert.deepEqual(dead(['b.md', 'docs/folder/x.ts'], 'docs/a.md', text), ['docs/a.md: docs/gone.md'])
  })
})
