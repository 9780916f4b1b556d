// Fuzzes the decoders of everything that comes over a network: `node dist/test/fuzz/main.js --help`.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Figures } from './process.js'
import { FuzzTree, type Result, targets } from './run.js'

const help = `Usage: node dist/test/fuzz/main.js [options]

Feeds damaged inputs to decoders and keeps those that reach new code. A decoder may return or throw the errors that it is
documented to throw, within bounded steps and memory; everything else is a finding, told and written to a file. Exit code 1 with
findings. The same seed and number of executions give the same inputs.

  --target NAME      one of ${targets.join(', ')}; may be given several times; default all
  --executions N     per target
  --seconds S        for all targets together; default 60 without --executions
  --seed N           default 1
  --out FOLDER       for inputs that were found; default ${join(tmpdir(), 'nexstream-findings')}
  --save             write what is worth keeping to test/fuzz/corpus/NAME, in place of what is there
  --quiet            no progress, only the end
  --help
`

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    executions: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: join(tmpdir(), 'nexstream-findings') },
    save: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})

const HANG_MS = 60_000
const print = (text: string): void => void process.stdout.write(text)

function line(
  name: string,
  { executions, seconds, blocks, blocksThere, inputs, mostSteps, mostBytes }: Figures
): string {
  const rate = Math.round(executions / Math.max(seconds, 0.001))
  return (
    `${name.padEnd(16)} ${executions} executions, ${rate}/s, ${blocks} of ${blocksThere} blocks, ${inputs} inputs, ` +
    `most ${mostSteps} steps and ${(mostBytes / 1048576).toFixed(1)} MiB`
  )
}

function told(name: string, { found }: Result): void {
  for (const { what, stack, input } of found) {
    mkdirSync(values.out, { recursive: true })
    const file = join(values.out, `${name}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}.bin`)
    writeFileSync(file, input)
    print(`FOUND ${name}: ${what}\n  input of ${input.length} bytes: ${file}\n${stack.replace(/^/gm, '  ')}\n`)
  }
}

async function main(): Promise<void> {
  if (values.help) return print(help)
  const names = values.target ?? targets
  const unknown = names.filter((name) => !targets.includes(name))
  if (unknown.length > 0) throw new Error(`no target ${unknown.join(', ')}; there are ${targets.join(', ')}`)
  const executions = Number(values.executions ?? Infinity)
  const seconds = Number(values.seconds ?? (values.executions === undefined ? 60 : Infinity)) / names.length
  const seed = Number(values.seed)
  if (!(executions > 0 && seconds > 0 && Number.isSafeInteger(seed))) throw new Error('--executions, --seconds and --seed are numbers') // prettier-ignore
  print(`seed ${seed}, Node ${process.version}\n`)
  const tree = new FuzzTree()
  try {
    for (const name of names) {
      let shownMs = Date.now()
      const progress = (now: Figures): void => {
        if (values.quiet || Date.now() - shownMs < 10_000) return
        shownMs = Date.now()
        print(`  … ${line(name, now)}\n`)
      }
      const order = { seed, executions: Number.isFinite(executions) ? executions : Number.MAX_SAFE_INTEGER, seconds: Number.isFinite(seconds) ? seconds : 1e9, saves: values.save, hangMs: HANG_MS } // prettier-ignore
      const result = await tree.run(name, order, progress)
      if (result.figures !== undefined) print(`${line(name, result.figures)}\n`)
      told(name, result)
      if (result.found.length > 0) process.exitCode = 1
    }
  } finally {
    tree.close()
  }
}

await main()
