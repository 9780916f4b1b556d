// The fault campaign: daemons, brokers, network, disks and IOCs fail at random moments, and every event and value is accounted for.
import { parseArgs } from 'node:util'
import { Campaign, type Row, seedOf } from './campaign.js'
import { type Fault } from './fault.js'
import { faults } from './faults/index.js'
import { table, tally } from './tally.js'

const names = faults.map(({ name, what }) => `  ${name.padEnd(14)} ${what}`).join('\n')
const help = `node dist/test/faults/main.js [options]   (after npm run build)

A pool of three file writers and a forwarder with a real IOC on a real Kafka of their own. Each round writes one file of numbered
events (ev44), values (f144) and PVs that count, while something fails; then every number is looked for in the file (h5py): it is
there once, or the end of the job says that data are missing. Exit code 1 when a number is unaccounted for or something else is wrong.

  --seed N       seed of the campaign (default 1): it gives the order of the faults, their moments and lengths
  --rounds N     rounds of each fault (default 1)
  --faults LIST  e.g. kill=100,net-cut (default all)
  --minutes N    no new round after so long
  --round SEED   one round with the seed that a line of result shows; needs --faults NAME
  --keep         leave the files of rounds that went wrong
  --json         rows and tally as JSON on standard output
  --help

Faults:
${names}
`

const { values: given } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    faults: { type: 'string' },
    minutes: { type: 'string', default: 'Infinity' },
    round: { type: 'string' },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})

const say = (text: string): boolean => process.stderr.write(`${text}\n`)

/** Each fault as often as it was asked for, evenly mixed. */
async function plan(): Promise<Fault[]> {
  const asked = given.faults?.split(',').map((one) => one.split('=')) ?? faults.map(({ name }) => [name])
  const all: { fault: Fault; at: number }[] = []
  for (const [name = '', count = given.rounds] of asked) {
    const fault = faults.find((one) => one.name === name)
    if (fault === undefined) throw new Error(`no fault '${name}'; see --help`)
    const why = await fault.impossible?.()
    if (why !== undefined) say(`${name} is left out: ${why}`)
    else for (let i = 0; i < Number(count); i++) all.push({ fault, at: (i + 0.5) / Number(count) })
  }
  return all.toSorted((a, b) => a.at - b.at).map(({ fault }) => fault)
}

function sayRow(row: Row): void {
  const { fault, seed, expected, inFile, named, unaccounted, problems } = row
  const judged = unaccounted > 0 || problems.length > 0 ? 'BAD' : 'good'
  say(
    `${judged} ${fault} seed ${seed}: ${expected} sent, ${inFile} in the file, ${named} named lost, ${unaccounted} unaccounted; ` +
      `${row.events} failures, ${row.attempts} attempts, end after ${row.endedAfterMs} ms, ${row.seconds} s; ${row.detail}`
  )
  for (const problem of problems) say(`    ${problem}`)
}

async function main(): Promise<void> {
  const campaign = new Campaign(given.keep)
  const rows: Row[] = []
  const until = performance.now() + Number(given.minutes) * 60_000
  let stopped = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true))
  const list = await plan()
  const ends: string[] = []
  try {
    for (const [i, fault] of list.entries()) {
      if (stopped || performance.now() > until) break
      const row = await campaign.round(fault, given.round === undefined ? seedOf(Number(given.seed), i) : Number(given.round)) // prettier-ignore
      rows.push(row)
      sayRow(row)
    }
  } finally {
    ends.push(...(await campaign.close()))
  }
  for (const end of ends) say(`BAD end: ${end}`)
  const sums = tally(rows)
  process.stdout.write(given.json ? `${JSON.stringify({ seed: Number(given.seed), tally: sums, ends, rows })}\n` : table(sums)) // prettier-ignore
  if (ends.length > 0 || sums.some(({ unaccounted, wrong }) => unaccounted + wrong > 0)) process.exitCode = 1
}

if (given.help) process.stdout.write(help)
else await main()
