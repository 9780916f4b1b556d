// A program on a terminal, and its screen as a person sees it: what it prints goes through xterm.
import xterm from '@xterm/headless'
import { spawn } from 'node:child_process'
import { cleanEnv } from '../cli/child.js'
import { PATIENCE_MS } from './patience.js'
import { python } from './python.js'

/** Runs what it is given on a terminal of so many rows and columns; what is typed and shown goes through its own input and output. */
const script = `
import fcntl, os, pty, select, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", int(sys.argv[1]), int(sys.argv[2]), 0, 0))
    os.execvp(sys.argv[3], sys.argv[3:])
inputs = [terminal, 0]
while terminal in inputs:
    for ready in select.select(inputs, [], [])[0]:
        try:
            words = os.read(ready, 4096)
        except OSError:
            words = b""
        if words == b"":
            inputs.remove(ready)
        else:
            os.write(1 if ready == terminal else terminal, words)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255)
`

/** The words that run others on a terminal. */
export const onTerminal = async (words: readonly string[], rows = 40, columns = 80): Promise<[string, ...string[]]> => [
  await python(),
  ...['-c', script, String(rows), String(columns), ...words]
]

/** Neighbours in a row that look the same. */
export interface Run {
  readonly text: string
  /** 0 to 15 of the palette; undefined: that of the terminal. */
  readonly colour: number | undefined
  readonly isBold: boolean
  readonly isDim: boolean
}

interface TerminalOptions {
  readonly rows?: number
  readonly columns?: number
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** What is printed → what is shown. */
  readonly replace?: ReadonlyMap<string, string>
}

export class OnTerminal {
  readonly ended: Promise<number>
  readonly #screen: xterm.Terminal
  readonly #type: (text: string) => void
  readonly #kill: () => void
  #looking: (() => void) | undefined

  private constructor(words: readonly [string, ...string[]], options: TerminalOptions) {
    const { rows = 40, columns = 80, replace = new Map<string, string>() } = options
    this.#screen = new xterm.Terminal({ rows, cols: columns, allowProposedApi: true })
    const [word, ...args] = words
    const child = spawn(word, args, { cwd: options.cwd, env: cleanEnv(options.env), stdio: ['pipe', 'pipe', 'inherit'] }) // prettier-ignore
    child.stdin.on('error', () => undefined)
    this.#type = (text) => void child.stdin.write(text)
    this.#kill = () => void child.kill('SIGKILL')
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      let text = chunk
      for (const [from, to] of replace) text = text.replaceAll(from, to)
      this.#screen.write(text, () => this.#looking?.())
    })
    this.ended = new Promise((resolve) => child.once('close', (code) => this.#screen.write('', () => resolve(code ?? -1)))) // prettier-ignore
  }

  static async run(words: readonly string[], options: TerminalOptions = {}): Promise<OnTerminal> {
    return new OnTerminal(await onTerminal(words, options.rows, options.columns), options)
  }

  /** Rows of the screen, from the first to the last that is not empty. */
  runs(): Run[][] {
    const { active } = this.#screen.buffer
    const rows = Array.from({ length: this.#screen.rows }, (_, i) => rowOf(active.getLine(active.baseY + i)))
    return rows.slice(0, rows.findLastIndex((row) => row.length > 0) + 1)
  }

  lines(): string[] {
    return this.runs().map((row) => row.map(({ text }) => text).join(''))
  }

  /** Waits until it is on the screen. */
  async shows(text: RegExp): Promise<void> {
    const isShown = (): boolean => text.test(this.lines().join('\n'))
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const late = (): void => reject(new Error(`${String(text)} is not shown:\n${this.lines().join('\n')}`))
        this.#looking = () => (isShown() ? resolve() : undefined)
        timer = setTimeout(late, PATIENCE_MS)
        void this.ended.then(() => (isShown() ? resolve() : late()))
        this.#looking()
      })
    } finally {
      clearTimeout(timer)
      this.#looking = undefined
    }
  }

  interrupt(): Promise<number> {
    this.#type('\x03')
    return this.ended
  }

  /** Whatever state it is in. */
  async close(): Promise<void> {
    this.#kill()
    await this.ended
    this.#screen.dispose()
  }
}

type Line = ReturnType<xterm.Terminal['buffer']['active']['getLine']>

function rowOf(line: Line): Run[] {
  const runs: Run[] = []
  const end = line?.translateToString(true).length ?? 0
  for (let x = 0; x < end; x++) {
    const cell = line!.getCell(x)!
    const style = { colour: cell.isFgPalette() ? cell.getFgColor() : undefined, isBold: cell.isBold() !== 0, isDim: cell.isDim() !== 0 } // prettier-ignore
    const text = cell.getChars() || ' '
    const last = runs.at(-1)
    if (
      last !== undefined &&
      last.colour === style.colour &&
      last.isBold === style.isBold &&
      last.isDim === style.isDim
    )
      runs[runs.length - 1] = { ...last, text: last.text + text } // prettier-ignore
    else runs.push({ text, ...style })
  }
  return runs
}
