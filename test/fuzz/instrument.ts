// The code under test with a counter in each of its blocks, as a tree of its own that finds packages, samples and plugins like the real one.
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { transform } from 'esbuild'
import ts from 'typescript'
import { packageRoot } from '../../core/root.js'

/** What of the counters belongs to a file, and the words and numbers that stand in it. */
export interface CountedFile {
  readonly file: string
  readonly first: number
  readonly end: number
  readonly words: readonly string[]
}

const counted = ['core', 'commands', 'plugins', 'schemas', 'test/fuzz/planted']
const uncounted = ['test/fuzz', 'test/support', 'test/hostile']
const LONGEST_WORD = 40

/** Makes the tree in `folder`, which must be empty. The counters are `globalThis.fuzzing`, to be there before any of it is imported. */
export async function makeCountedTree(folder: string): Promise<CountedFile[]> {
  for (const name of readdirSync(packageRoot))
    if (name !== 'dist' && !name.startsWith('.')) symlinkSync(join(packageRoot, name), join(folder, name))
  const files: CountedFile[] = []
  let counters = 0
  for (const part of [...counted, ...uncounted])
    for (const name of readdirSync(join(packageRoot, part), { recursive: true, encoding: 'utf8' }).toSorted()) {
      if (!name.endsWith('.ts') || /\.(test|d)\.ts$/.test(name)) continue
      const file = join(part, name)
      if (files.some((one) => one.file === file)) continue
      let text = readFileSync(join(packageRoot, file), 'utf8')
      if (counted.includes(part)) {
        const first = counters
        const words = new Set<string>()
        text = withCounters(text, words, () => counters++)
        // The next file's begin at a whole word
        counters = (counters + 3) & ~3
        text = text.replace(PRELUDE, `${PRELUDE} globalThis.fuzzing.loaded(${first}, ${counters});`)
        files.push({ file, first, end: counters, words: [...words] })
      }
      const { code } = await transform(text, { loader: 'ts', format: 'esm', target: 'node20.19' })
      const out = join(folder, 'dist', file.replace(/\.ts$/, '.js'))
      mkdirSync(dirname(out), { recursive: true })
      writeFileSync(out, code)
    }
  return files
}

const PRELUDE = 'const { counters: $c, steps: $s, stop: $stop } = globalThis.fuzzing;'
const logical = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken
])
const STEP = 'if (--$s[0] < 0) $stop();'

/** A counter for each block, branch and right side of `&&`, `||` and `??`; loops and functions take steps, too. */
function withCounters(text: string, words: Set<string>, next: () => number): string {
  const opens: [at: number, text: string][] = []
  const closes: [at: number, text: string][] = []
  const count = (): string => `$c[${next()}]++;`
  const inside = (node: ts.Node, more = ''): void => {
    if (ts.isBlock(node)) opens.push([node.getStart() + 1, count() + more])
    else {
      opens.push([node.getStart(), `{${count()}${more}`])
      closes.push([node.end, '}'])
    }
  }
  const before = (node: ts.Node): void => {
    opens.push([node.getStart(), `($c[${next()}]++, `])
    closes.push([node.end, ')'])
  }
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isImportDeclaration(node)) return
    note(node, words)
    if (ts.isIfStatement(node)) {
      if (node.elseStatement === undefined) closes.push([node.end, ` else {${count()}}`])
      else inside(node.elseStatement)
      inside(node.thenStatement)
    } else if (ts.isIterationStatement(node, false)) inside(node.statement, STEP)
    else if (ts.isCaseOrDefaultClause(node)) opens.push([node.statements.pos, count()])
    else if (ts.isCatchClause(node)) inside(node.block)
    else if (ts.isConditionalExpression(node)) [node.whenTrue, node.whenFalse].forEach(before)
    else if (ts.isBinaryExpression(node) && logical.has(node.operatorToken.kind)) before(node.right)
    else if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      if (ts.isBlock(node.body)) inside(node.body, STEP)
      else before(node.body)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('counted.ts', text, ts.ScriptTarget.Latest, true))
  // At one place the inner ones close first, and all close before others open
  const edits = [...closes.toReversed(), ...opens].sort(([a], [b]) => a - b)
  const start = ts.getShebang(text)?.length ?? 0
  let out = `${text.slice(0, start)}\n${PRELUDE}`
  let at = start
  for (const [place, what] of edits) {
    out += text.slice(at, place) + what
    at = place
  }
  return out + text.slice(at)
}

function note(node: ts.Node, words: Set<string>): void {
  if (
    ts.isStringLiteralLike(node) ||
    ts.isNumericLiteral(node) ||
    (ts.isPropertyAssignment(node.parent ?? node) && ts.isIdentifier(node))
  )
    if (node.text.length > 1 && node.text.length <= LONGEST_WORD) words.add(node.text)
}
