// `nexstream logs`: what a daemon has logged, and goes on to log: from its file, or from the journal of systemd.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { CodedError, errorText, type ToolContext, type ToolFlags, type ToolRun } from '../../core/api/plugin.js'
import { levels, lineLevel, lineTimeMs, type LineLevel } from './log-lines.js'
import { countOf, moment, untilStopped } from './tool-kit.js'

interface Wanted {
  readonly last: number
  readonly follow: boolean
  readonly fromMs: number | undefined
  readonly level: LineLevel
}

const POLL_MS = 200
const text = (value: ToolFlags[string]): string | undefined => (typeof value === 'string' ? value : undefined)
const usage = (message: string): CodedError => new CodedError('CLI_USAGE', message)

const logs: ToolRun = async ([given], flags, context) => {
  const level = text(flags['level']) ?? 'debug'
  const isLevel = (word: string): word is LineLevel => (levels as readonly string[]).includes(word)
  if (!isLevel(level)) throw usage(`--level ${level}: must be one of ${levels.join(', ')}`)
  const from = text(flags['from'])
  const wanted: Wanted = {
    last: countOf(text(flags['last']) ?? '', '--last'),
    follow: flags['follow'] === true,
    fromMs: from === undefined ? undefined : moment(from, context.say),
    level
  }
  const unit = text(flags['unit'])
  // A folder and brokers may be known without any config
  const file = given ?? (unit === undefined ? context.config().log?.file : undefined)
  const stop = untilStopped()
  try {
    if (file === undefined) await ofJournal(unit ?? 'nexstream', wanted, stop.signal, context)
    else await ofFile(file, wanted, stop.signal, context)
  } finally {
    stop.done()
  }
}

export default logs

/** Lines that are wanted; one without a level, such as the rest of a stack, goes with the one before. */
class Filter {
  #isKept = true
  constructor(readonly wanted: Wanted) {}

  takes(line: string): boolean {
    const level = lineLevel(line)
    if (level !== undefined) {
      const isLate = (lineTimeMs(line) ?? Infinity) >= (this.wanted.fromMs ?? -Infinity)
      this.#isKept = isLate && levels.indexOf(level) <= levels.indexOf(this.wanted.level)
    }
    return this.#isKept && line !== ''
  }
}

async function show(line: string, { colour, print, visible }: ToolContext): Promise<void> {
  const paint = { error: colour.red, warn: colour.yellow, info: String, debug: colour.dim }[lineLevel(line) ?? 'info']
  await print(paint(visible(line)))
}

/** With a moment to begin at all lines since then, else the last ones. */
async function ofFile(file: string, wanted: Wanted, signal: AbortSignal, context: ToolContext): Promise<void> {
  const filter = new Filter(wanted)
  const tail = new Tail(file)
  try {
    let kept: string[] = []
    for await (const line of tail.lines()) {
      if (!filter.takes(line)) continue
      kept.push(line)
      if (wanted.fromMs === undefined && kept.length > 2 * wanted.last) kept = kept.slice(-wanted.last || kept.length)
    }
    if (wanted.fromMs === undefined) kept = wanted.last === 0 ? [] : kept.slice(-wanted.last)
    for (const line of kept) await show(line, context)
    while (wanted.follow && !signal.aborted) {
      for await (const line of tail.lines()) if (filter.takes(line)) await show(line, context)
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    await tail.close()
  }
}

/** A file that grows, and that another one takes the place of when it is full. */
class Tail {
  readonly #file: string
  #handle: FileHandle | undefined
  #at = 0
  #inode = 0
  #rest = ''

  constructor(file: string) {
    this.#file = file
  }

  /** What has come since the last call; a line that is not complete waits. Throws FILE_READ for a file that never was. */
  async *lines(): AsyncGenerator<string> {
    if (this.#handle === undefined) await this.#open()
    yield* this.#read()
    const now = await stat(this.#file).catch(() => undefined)
    if (now === undefined || (now.ino === this.#inode && now.size >= this.#at)) return
    // What came before it was given another name
    yield* this.#read()
    await this.close()
    await this.#open()
    yield* this.#read()
  }

  async #open(): Promise<void> {
    try {
      this.#handle = await open(this.#file)
      const { ino } = await this.#handle.stat()
      ;[this.#inode, this.#at, this.#rest] = [ino, 0, '']
    } catch (cause) {
      throw this.#unreadable(cause)
    }
  }

  #unreadable(cause: unknown): CodedError {
    const isFolder = cause instanceof Error && 'code' in cause && cause.code === 'EISDIR'
    const why = isFolder ? 'it is a folder; name a file in it' : errorText(cause)
    return new CodedError('FILE_READ', `${this.#file} cannot be read: ${why}`, { cause })
  }

  async *#read(): AsyncGenerator<string> {
    const buffer = Buffer.alloc(1 << 16)
    for (;;) {
      const { bytesRead } = await this.#handle!.read(buffer, 0, buffer.length, this.#at).catch((cause: unknown) => {
        throw this.#unreadable(cause)
      })
      if (bytesRead === 0) return
      this.#at += bytesRead
      // Bytes, not characters, may be cut between two reads
      const lines = (this.#rest + buffer.toString('latin1', 0, bytesRead)).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) yield Buffer.from(line, 'latin1').toString()
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = undefined
  }
}

async function ofJournal(unit: string, wanted: Wanted, signal: AbortSignal, context: ToolContext): Promise<void> {
  const since = wanted.fromMs === undefined ? ['-n', String(wanted.last)] : ['--since', `@${Math.floor(wanted.fromMs / 1000)}`] // prettier-ignore
  const args = ['--no-pager', '--quiet', '-o', 'cat', '-u', unit, ...since, ...(wanted.follow ? ['-f'] : [])]
  const child = spawn('journalctl', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const end = (): boolean => child.kill()
  signal.addEventListener('abort', end, { once: true })
  const ended = once(child, 'close') as Promise<[code: number | null]>
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error))
  failed.catch(() => undefined)
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()))
  try {
    // Journals keep the time apart from the line
    const filter = new Filter({ ...wanted, fromMs: undefined })
    let isEmpty = true
    for await (const line of createInterface(child.stdout)) {
      isEmpty = false
      if (filter.takes(line)) await show(line, context)
    }
    const [code] = await Promise.race([ended, failed])
    if (code !== 0 && !signal.aborted) throw new Error(words.trim() || `journalctl ended with ${String(code)}`)
    if (isEmpty && !signal.aborted && wanted.last > 0) context.say(`the journal has no such line of the unit ${unit} (or you may not read it); name the file of the log, or --unit`) // prettier-ignore
  } catch (cause) {
    throw usage(`no log.file in the config, and no journal of the unit ${unit}: ${errorText(cause)}; name the file, or --unit`) // prettier-ignore
  } finally {
    signal.removeEventListener('abort', end)
    child.kill()
  }
}
