// The walks and pictures of the docs name what is there: every stop has its file, and the symbol is declared in it.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { packageRoot } from '../../core/root.js'

interface Stop {
  readonly number: number
  readonly file: string
  readonly symbol: string
}

const MOST_STOPS = 12
const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8')

/** The numbered lists below each heading, in the form: 1. `file` · `symbol` — what happens. */
function walks(page: string): Map<string, Stop[]> {
  const found = new Map<string, Stop[]>()
  let heading = ''
  for (const line of read(page).split('\n')) {
    heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading
    if (!/^\d+\. /.test(line)) continue
    const [, number, file = '', symbol = ''] = /^(\d+)\. `([^`]+)` · `([^`]+)` — \S/.exec(line) ?? []
    assert.ok(number !== undefined, `${page}: no stop: ${line}`)
    found.set(heading, [...(found.get(heading) ?? []), { number: Number(number), file, symbol }])
  }
  return found
}

/** `name` of what a file declares, `Class.name` of members. */
function declared(file: string, text: string): Set<string> {
  const names = new Set<string>()
  const visit = (node: ts.Node, owner: string): void => {
    const { name } = node as { name?: ts.Node }
    const isDeclaration =
      ts.isFunctionDeclaration(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isClassElement(node)
    let inside = owner
    if (isDeclaration && name !== undefined && (ts.isIdentifier(name) || ts.isPrivateIdentifier(name))) {
      names.add(ts.isClassElement(node) ? `${owner}.${name.text}` : name.text)
      if (ts.isClassDeclaration(node)) inside = name.text
    }
    ts.forEachChild(node, (child) => visit(child, inside))
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true), '')
  return names
}

function wrong({ file, symbol }: Stop): string[] {
  if (!existsSync(join(packageRoot, file))) return [`no file ${file}`]
  return declared(file, read(file)).has(symbol) ? [] : [`${file} does not declare ${symbol}`]
}

describe('walks through the code', () => {
  const architecture = 'docs/architecture.md'
  const pages = readdirSync(join(packageRoot, 'docs/how-it-works')).map((name) => `docs/how-it-works/${name}`)

  it('are three in the architecture, of at most 12 stops each, in order', () => {
    const all = walks(architecture)
    assert.deepEqual([...all.keys()], ['One PV update', 'One event message', 'One start command'])
    for (const [walk, stops] of all) {
      assert.ok(stops.length > 5 && stops.length <= MOST_STOPS, walk)
      assert.deepEqual(
        stops.map(({ number }) => number),
        stops.map((_, i) => i + 1),
        walk
      )
    }
  })

  it('stop at files that exist and symbols that they declare', () => {
    for (const page of [architecture, ...pages]) {
      const stops = [...walks(page).values()].flat()
      assert.ok(stops.length > 2, page)
      assert.deepEqual(stops.flatMap(wrong), [], page)
    }
  })

  it('would not pass with a file that is gone or a name that is only used', () => {
    const stop = { number: 1, file: 'core/hear.ts', symbol: 'hearAll' }
    assert.deepEqual(wrong(stop), [])
    assert.deepEqual(wrong({ ...stop, symbol: 'nextOffset' }), ['core/hear.ts does not declare nextOffset'])
    assert.deepEqual(wrong({ ...stop, file: 'core/heard.ts' }), ['no file core/heard.ts'])
    assert.deepEqual(
      [...declared('a.ts', 'class A { #b() { c() } d = 1 }\nconst e = () => f')],
      ['A', 'A.#b', 'A.d', 'e']
    )
  })
})

describe('the table of folders', () => {
  const named = [...read('docs/architecture.md').matchAll(/^\| `([^`]+)\/` \|/gm)].map((match) => match[1] ?? '')
  const foldersIn = (folder: string): string[] =>
    readdirSync(join(packageRoot, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${folder}/${name}`)

  it('names folders that exist', () => {
    assert.ok(named.length > 10)
    for (const folder of named) {
      const isThere = folder.endsWith('*')
        ? foldersIn(dirname(folder)).some((name) => name.startsWith(folder.slice(0, -1)))
        : existsSync(join(packageRoot, folder))
      assert.ok(isThere, folder)
    }
  })

  it('names every folder of core and of the file writer', () => {
    const folders = [...foldersIn('core'), ...foldersIn('plugins/service-filewriter')]
    assert.deepEqual(
      folders.filter((folder) => !named.includes(folder)),
      []
    )
  })
})
