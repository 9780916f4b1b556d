// Runs the commands of a page of the docs as they stand in it, as a reader would: with a shell, one after the other.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { Child, cleanEnv, type Ended, program } from '../cli/child.js'
import { PATIENCE_MS } from '../support/patience.js'
import { python } from '../support/python.js'
import { onTerminal } from '../support/terminal.js'

export interface Block {
  /** Where it begins in the page. */
  readonly line: number
  readonly language: string
  readonly text: string
  /** The name of a file, which stands in code on a line of its own before the block. */
  readonly file: string | undefined
}

export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(packageRoot, page), 'utf8')
  return [...text.matchAll(/(?:^`([^`\n]+)`\n\n)?^```(\w*)\n([\s\S]*?)^```/gm)].map((match) => {
    const [, file, language = '', content = ''] = match
    return { line: text.slice(0, match.index).split('\n').length, language, text: content, file }
  })
}

/** The commands of a block: lines that end in a backslash go on. */
export const commandsIn = ({ text }: Block): string[] =>
  text.replaceAll(/\\\n\s*/g, '').split('\n').filter((line) => !/^\s*(#|$)/.test(line)) // prettier-ignore

/** What is other than usual with the commands that fit; usually one runs to its end, with exit code 0. */
export interface Rule {
  readonly line: RegExp
  /** Why it is not run. */
  readonly skip?: string
  /** It is ended by Ctrl-C when it says this. */
  readonly until?: RegExp
  /** With `until`: it shows something on a terminal only, so it gets one, of 80 columns. */
  readonly terminal?: true
  /** It goes on until the page ends, which begins when it says this. */
  readonly stays?: RegExp
  /** What is typed. */
  readonly input?: string
  readonly code?: number
  /** It is tried again until it ends so: what it looks for is still to come. */
  readonly again?: true
  /** Done when it has said what it waits for, or before it is started. */
  readonly meanwhile?: () => Promise<void>
}

export interface PageOptions {
  readonly folder: string
  readonly rules: readonly Rule[]
  /** What stands in the page → what it is here; the first that fits counts. */
  readonly replace: ReadonlyMap<string, string>
  readonly env: Readonly<Record<string, string>>
  /** Another installation than this one. */
  readonly program?: string
}

/** Ctrl-C may end a command by itself, or its shell. */
const INTERRUPTED = 130

export class Page {
  readonly #options: PageOptions
  readonly #env: Record<string, string>
  readonly #used = new Set<Rule>()
  readonly #staying: Child[] = []
  #folder: string
  /** How many commands were run. */
  ran = 0

  constructor(
    readonly page: string,
    options: PageOptions
  ) {
    this.#options = options
    this.#env = { ...options.env }
    this.#folder = options.folder
    const bin = join(options.folder, '.bin')
    mkdirSync(bin, { recursive: true })
    const run = `exec '${process.execPath}' '${options.program ?? program}' "$@"\n`
    writeFileSync(join(bin, 'nexstream'), `#!/bin/sh\n${run}`, { mode: 0o755 })
    writeFileSync(join(bin, 'npx'), `#!/bin/sh\n[ "$1" = nexstream ] || exit 127\nshift\n${run}`, { mode: 0o755 })
    this.#env['PATH'] = `${bin}:${process.env['PATH'] ?? ''}`
  }

  /** Files are written, commands run, and what the page shows of their output is what they say. */
  async run(): Promise<void> {
    let said = ''
    try {
      for (const block of blocksOf(this.page)) {
        const at = `${this.page}:${block.line}`
        if (block.file !== undefined) this.#write(block.file, this.here(block.text))
        else if (block.language === 'sh') {
          said = ''
          for (const command of commandsIn(block)) said += await this.#command(this.here(command), at)
        } else if (block.language === 'python') said = await this.#python(this.here(block.text), at)
        else if (block.language === '' && said !== '') shows(this.here(block.text), said, at)
      }
      for (const child of this.#staying.splice(0).toReversed()) await interrupted(child, this.page)
    } finally {
      for (const child of this.#staying) kill(child, 'SIGKILL')
    }
    const idle = this.#options.rules.filter((rule) => !this.#used.has(rule)).map(({ line }) => String(line))
    assert.deepEqual(idle, [], `${this.page}: rules for no command`)
  }

  /** A text of the page, with the names that it has here. */
  here(text: string): string {
    for (const [from, to] of this.#options.replace) text = text.replaceAll(from, to)
    return text
  }

  #write(name: string, text: string): void {
    const file = join(this.#folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  async #command(line: string, at: string): Promise<string> {
    const rule = this.#ruleOf(line)
    if (rule?.skip !== undefined) return ''
    const [, name, value] = /^export (\w+)=(\S+)/.exec(line) ?? []
    if (name !== undefined) this.#env[name] = value ?? ''
    const [, folder] = /^(?:mkdir \S+ && )?cd (\S+)$/.exec(line) ?? []
    const said = await this.#run(line, rule, at)
    if (folder !== undefined) this.#folder = join(this.#folder, folder)
    return said
  }

  async #python(text: string, at: string): Promise<string> {
    const rule = this.#ruleOf(text)
    if (rule?.skip !== undefined) return ''
    this.#write('.bin/block.py', text)
    return this.#run(`'${await python()}' .bin/block.py`, rule, at)
  }

  #ruleOf(command: string): Rule | undefined {
    const rule = this.#options.rules.find(({ line }) => line.test(command))
    if (rule !== undefined) this.#used.add(rule)
    return rule
  }

  async #run(
    line: string,
    rule: Rule | undefined,
    at: string,
    untilMs = performance.now() + PATIENCE_MS
  ): Promise<string> {
    // prettier-ignore
    this.ran++
    // One pipe keeps the order of what is printed
    const words = ['bash', '-c', `exec 2>&1\n${line}`] as const
    const [word, ...args] = rule?.terminal === true ? await onTerminal(words) : words
    const shell = spawn(word, args, { cwd: this.#folder, env: cleanEnv(this.#env), detached: true, stdio: ['pipe', 'pipe', 'pipe'] }) // prettier-ignore
    shell.stdin.on('error', () => undefined)
    if (rule?.terminal !== true) shell.stdin.end(rule?.input ?? '')
    const child = new Child(shell, `${at}: ${line}`)
    this.#staying.push(child)
    const wanted = rule?.until ?? rule?.stays
    if (wanted !== undefined) await child.says(wanted, 'stdout')
    await rule?.meanwhile?.()
    if (rule?.stays !== undefined) return child.stdout
    this.#staying.pop()
    if (rule?.terminal === true) shell.stdin.end('\x03')
    if (rule?.until !== undefined) return interrupted(child, at, rule.terminal)
    const { code, stdout } = await child.ended
    const wantedCode = rule?.code ?? 0
    if (rule?.again === true && code !== wantedCode && performance.now() < untilMs) return this.#run(line, rule, at, untilMs) // prettier-ignore
    assert.equal(code, wantedCode, `${at}: ${line}: ${stdout}`)
    return stdout
  }
}

function kill({ process: { pid } }: Child, signal: NodeJS.Signals): void {
  try {
    process.kill(-(pid ?? 0), signal)
  } catch {
    // It has ended
  }
}

async function interrupted(child: Child, at: string, isTyped = false): Promise<string> {
  if (!isTyped) kill(child, 'SIGINT')
  const { code, signal, stdout }: Ended = await child.ended
  assert.ok(code === 0 || code === INTERRUPTED || (isTyped && code === (-2 & 255)) || signal === 'SIGINT', `${at}: ${child.what} ended with ${code} ${signal}: ${stdout}`) // prettier-ignore
  return stdout
}

/** Numbers, times, names made at random and the width of columns may be others. */
const plain = (line: string): string =>
  line
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '#')
    .replaceAll(/\d[\d.,:]*( [kMG]?B\b)?/g, '#')
    .replaceAll(/\s+/g, ' ')
    .trim()

/** Every line of the page, in this order; `…` stands for any rest of a line, and alone for lines that are left out. */
export function shows(shown: string, said: string, at: string): void {
  const lines = said.split('\n').map(plain)
  let from = 0
  for (const line of shown.split('\n').map(plain)) {
    if (line === '' || line === '…') continue
    const [begin = '', ...rest] = line.split('…')
    const found = lines.findIndex((one, i) => i >= from && (rest.length > 0 ? one.startsWith(begin.trim()) : one === line)) // prettier-ignore
    assert.ok(found >= 0, `${at}: it is not said: ${line}\n${said}`)
    from = found + 1
  }
}
