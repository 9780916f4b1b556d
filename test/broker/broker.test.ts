// Random scripts of what can happen to topics, on a real broker beside running jobs: each message of a window is accounted for.
// NEXSTREAM_BROKER_SEEDS=1-300 plays these seeds instead of the few of every day; a failure prints its script.
import { Broker } from './broker.js'
import { Play } from './play.js'

const STEPS = 22
/** Each of these has caught something: a mutation, or a fault of ours. */
const everyDay = [1, 2, 4, 8, 52]
const [first = 0, last = first] = (process.env['NEXSTREAM_BROKER_SEEDS'] ?? '').split('-').map(Number)
const seeds = first > 0 ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : everyDay

describe('a random script of a broker', function () {
  this.timeout(first > 0 ? 900_000 : 120_000)
  let broker: Broker
  const sum = { events: 0, messages: 0, jobs: 0, compactions: 0, moves: 0 }
  before(async () => {
    broker = await Broker.start()
  })
  after(async () => {
    await broker?.close()
    process.stdout.write(
      `      ${seeds.length} scripts, ${sum.events} events, ${sum.messages} messages, ${sum.jobs} jobs, ${sum.compactions} compactions, ${sum.moves} moves of leaders\n`
    )
  })

  for (const seed of seeds)
    it(`of seed ${seed}: file and report account for each message`, async () => {
      const play = new Play(broker, seed)
      try {
        await play.run(STEPS)
      } finally {
        sum.events += play.lines.length
        sum.messages += play.messages
        sum.jobs += play.jobs.count
        sum.compactions += play.compactions
        sum.moves += play.moves
      }
    })
})
