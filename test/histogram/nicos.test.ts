// The control programs of ESS and SINQ as clients of just-bin-it: their devices' rules, in Python with the field's own libraries.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { kafka } from '../support/kafka.js'
import { runPython } from '../support/python.js'
import { Live } from './live.js'

const script = fileURLToPath(new URL('../../../test/support/python/just_bin_it_clients.py', import.meta.url))

describe('clients of just-bin-it', function () {
  this.timeout(240_000)
  let live: Live

  before(async () => {
    live = await Live.open(2, 'update_ms = 50\nlate_data_ms = 300')
  })
  after(() => live?.close())

  it('count, stop, and are told that it lives: ESS, and SINQ with two devices at once', async () => {
    const { brokers } = await kafka()
    const { words, answers, words2, answers2, histograms, histograms2, beats } = live.names
    const data = { data: live.topic(), data2: live.topic() }
    const topics = { words, answers, words2, answers2, histograms, histograms2, beats, ...data }
    const seen: unknown = JSON.parse(await runPython(script, [brokers.join(','), JSON.stringify(topics)]))
    assert.deepEqual(seen, {
      ess: {
        answer: 'ACK',
        images: [['FINISHED', 4, [4, 3]], ['FINISHED', 4, [5]]],
        heartbeat: ['just-bin-it', 1000]
      },
      // Of times 0 to 50 to 100, each with its ends; pixel 8 is outside of the first, as is time 101
      sinq: [[3, [[1, 0], [0, 0], [1, 1]], 'uint32', [5, 6, 7, 8]], [6, [[2, 2], [1, 1]], 'uint32', [0, 1, 2]]]
    }) // prettier-ignore
  })
})
