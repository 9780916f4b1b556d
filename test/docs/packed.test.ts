// What npm packs: no Markdown page in the tarball links to a file that is not in it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../core/root.js'

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

  it('would be found with one', () => {
    const text = '[a](../b.md#part) [c](folder) [d](gone.md) `[e](code.md)` [f](https://example.org/g.md)'
    assert.deepEqual(dead(['b.md', 'docs/folder/x.ts'], 'docs/a.md', text), ['docs/a.md: docs/gone.md'])
  })
})
