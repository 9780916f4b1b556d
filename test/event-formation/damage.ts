// A program: many damaged packets for each family of event formation. None may end it, and the next good packet must count.
import { parseArgs } from 'node:util'
import { damage, damageCases, modesOf } from './damaged.js'

const help = `node dist/test/event-formation/damage.js [--executions 1000000] [--seed 1] [--cases NAME …]

Packets of each recorded case, damaged in many ways, --executions of them in all its modes together. A failure names case, mode and seed.`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    executions: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', multiple: true, default: damageCases }
  }
})

/** In rounds, so that each begins with a fresh family. */
const ROUND = 100_000

const print = (line: string): void => void process.stdout.write(`${line}\n`)

async function main(): Promise<number> {
  let failed = 0
  for (const name of values.cases) {
    const modes = modesOf(name)
    const rounds = Math.max(1, Math.ceil(Number(values.executions) / modes.length / ROUND))
    const count = Math.ceil(Number(values.executions) / modes.length / rounds)
    for (const compatible of modes)
      for (let round = 0; round < rounds; round++) {
        const seed = Number(values.seed) * 1000 + round
        const what = `${name}, ${compatible ? 'compatible' : 'exact'}, seed ${seed}`
        try {
          await damage(name, compatible, count, seed)
        } catch (error) {
          failed++
          print(`✗ ${what}: ${(error as Error).message}`)
        }
      }
    print(`${name}: ${rounds * modes.length * count} damaged packets`)
  }
  return failed === 0 ? 0 : 1
}

if (values.help) print(help)
else process.exitCode = await main()
