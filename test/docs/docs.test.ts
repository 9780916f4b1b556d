// The docs hold what the code says: generated pages are fresh, links lead somewhere, examples are good, tables are whole.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { check } from '../../core/check.js'
import { configSchema } from '../../core/config-schema.js'
import { parseConfigText } from '../../core/config.js'
import { errorCodes } from '../../core/api/errors.js'
import { loadPlugins } from '../../core/loader.js'
import { packageRoot } from '../../core/root.js'
import { allErrors } from '../../docs/generate/errors-page.js'
import { allPages, isFresh } from '../../docs/generate/pages.js'
import { CELL, COLUMNS, PAD } from './terminal-svg.js'

function filesBelow(folder: string, ending: string): string[] {
  const all = readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
  return all.filter((name) => name.endsWith(ending)).map((name) => join(folder, name))
}
const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8')
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...['docs', 'plugins', 'examples'].flatMap((folder) => filesBelow(folder, '.md'))
]

/** What a heading can be linked by, as GitHub makes it. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)].map(
    (match) => match[1] ?? ''
  )
  const slugs = headings.map((heading) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
  )
  return new Set(slugs.map((slug, i) => (slugs.indexOf(slug) === i ? slug : `${slug}-${slugs.slice(0, i).filter((one) => one === slug).length}`))) // prettier-ignore
}

/** The fenced blocks of a language, with the file and the line they begin at. */
function blocks(language: string): { where: string; text: string }[] {
  return pages.flatMap((file) => {
    const text = read(file)
    return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => ({
      where: `${file}:${text.slice(0, match.index).split('\n').length}`,
      text: match[1] ?? ''
    }))
  })
}

/** A block is one JSON value, or one on each line. */
function parseJsonOrLines(text: string): void {
  try {
    JSON.parse(text)
  } catch {
    for (const line of text.trim().split('\n')) JSON.parse(line)
  }
}

describe('docs', () => {
  it('are as fresh as npm run docs makes them', async () => {
    const all = await allPages()
    assert.ok(all.length > 40)
    assert.deepEqual(
      all.filter((page) => !isFresh(page)).map(({ path }) => path),
      []
    )
    const [first] = all
    assert.equal(isFresh({ path: first?.path ?? '', content: `${first?.content}\nmore` }), false)
    assert.equal(isFresh({ path: 'docs/reference/no-such-page.md', content: '' }), false)
  })

  it('link only to what is there', () => {
    const broken = pages.flatMap((file) => {
      const prose = read(file)
        .replace(/^```[\s\S]*?^```/gm, '')
        .replace(/`[^`\n]*`/g, '')
      const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
      return targets
        .filter((target) => !/^(https?:|#|mailto:)/.test(target))
        .filter((target) => !existsSync(resolve(packageRoot, dirname(file), target.split('#')[0] ?? '')))
        .map((target) => `${file}: ${target}`)
    })
    assert.deepEqual(broken, [])
  })

  it('link only to headings that are there', () => {
    assert.deepEqual([...anchorsOf('# A `b`: [c](d), e!\n## A `b`: c, e\n```\n# no\n```\n')], ['a-b-c-e', 'a-b-c-e-1'])
    const broken = pages.flatMap((file) =>
      [...read(file).matchAll(/\]\(([^)\s#]*)#([^)\s]+)\)/g)]
        .map(([, target = '', anchor = '']) => ({ page: target === '' ? file : join(dirname(file), target), anchor }))
        .filter(
          ({ page, anchor }) =>
            page.endsWith('.md') && existsSync(join(packageRoot, page)) && !anchorsOf(read(page)).has(anchor)
        ) // prettier-ignore
        .map(({ page, anchor }) => `${file}: ${page}#${anchor}`)
    )
    assert.deepEqual(broken, [])
  })

  it('show terminals of 80 columns, in small pictures that a program makes', () => {
    const all = filesBelow('docs/images', '.svg')
    assert.ok(all.length >= 4)
    const prose = pages.map(read).join('\n')
    for (const file of all) {
      const svg = read(file)
      assert.ok(prose.includes(`](../images/${basename(file)})`), `${file} is shown nowhere`)
      assert.ok(svg.length < 60_000, file)
      const ends = [...svg.matchAll(/ x="([\d.]+)" y="\d+" textLength="([\d.]+)"/g)].map(([, x, width]) => (Number(x) + Number(width) - PAD) / CELL) // prettier-ignore
      assert.ok(ends.length > 0 && Math.max(...ends) < COLUMNS + 0.1, `${file}: ${Math.max(...ends)} columns`)
    }
  })

  it('name every page in the index', () => {
    const index = read('docs/README.md')
    const missing = filesBelow('docs', '.md')
      .filter((file) => file !== 'docs/README.md' && !file.startsWith('docs/decisions/0'))
      .filter((file) => !index.includes(`(${relative('docs', file)})`))
    assert.deepEqual(missing, [])
    const decisions = read('docs/decisions/README.md')
    for (const file of filesBelow('docs/decisions', '.md').filter((name) => !name.endsWith('README.md')))
      assert.ok(decisions.includes(`(${relative('docs/decisions', file)})`), file)
  })

  it('show configs and JSON that are good', () => {
    const configs = blocks('toml')
    assert.ok(configs.length > 10)
    for (const { where, text } of configs)
      assert.deepEqual(check(configSchema, parseConfigText(text, 'example.toml')), [], where)
    for (const { where, text } of blocks('json')) assert.doesNotThrow(() => parseJsonOrLines(text), where)
  })
})

describe('error table', () => {
  // String literals that look like codes of our families, where errors and findings are made
  let known: Record<string, string>
  const used = new Set<string>()
  before(async () => {
    const loaded = await loadPlugins({ plugins: [], baseFolder: packageRoot })
    known = allErrors(loaded)
    const brought = loaded.plugins.map(({ plugin }) => Object.keys(plugin.errors ?? {})).flat()
    await loaded.close()
    assert.equal(Object.keys(known).length, Object.keys(errorCodes).length + brought.length, 'a code is said twice')
    const families = [...new Set(Object.keys(known).map((code) => code.split('_')[0]))].join('|')
    const literal = new RegExp(`'((?:${families})(?:_[A-Z0-9]+)+|INTERNAL)'`, 'g')
    const sources = ['core', 'plugins', 'schemas', 'commands', 'test/support', 'examples'].flatMap((folder) =>
      filesBelow(folder, '.ts')
    )
    // The last holds Kafka's own names
    const tables = ['core/api/errors.ts', 'commands/cli/exit.ts', 'core/kafka/broker-errors.ts']
    for (const file of sources.filter((name) => !name.endsWith('.test.ts') && !tables.includes(name)))
      for (const match of read(file).matchAll(literal)) used.add(match[1] ?? '')
  })

  it('holds every code that the source uses', () => {
    assert.deepEqual(
      [...used].filter((code) => !Object.hasOwn(known, code)),
      []
    )
  })

  it('holds no code that nobody uses', () => {
    assert.deepEqual(
      Object.keys(known).filter((code) => !used.has(code)),
      []
    )
  })

  it('says what each code means, in a sentence', () => {
    for (const [code, text] of Object.entries(known)) assert.match(text, /^[A-Z].{20,}\.$/, code)
  })
})

describe('plugins', () => {
  it('have a README each that begins with their name and says something, and a summary', async () => {
    const loaded = await loadPlugins({ plugins: [], baseFolder: packageRoot })
    try {
      const entries = readdirSync(join(packageRoot, 'plugins'), { withFileTypes: true })
      const folders = entries.flatMap((entry) => (entry.isDirectory() ? entry.name : [])).toSorted()
      assert.deepEqual(loaded.plugins.map(({ name }) => name).toSorted(), folders)
      for (const { name, summary } of loaded.plugins) {
        assert.match(summary, /^\S.{5,}\.$/, name)
        const [title, , first] = read(`plugins/${name}/README.md`).split('\n')
        assert.equal(title, `# ${name}`)
        assert.ok((first ?? '').length > 30, name)
      }
    } finally {
      await loaded.close()
    }
  })
})
