// The port of a rehearsal is open to everybody on the machine, in a thread that may have a real job by then.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { RehearsalBroker } from './broker.js'
import { MadeUpLog } from './made-up-log.js'

const request = (...words: number[]): Buffer => {
  const body = Buffer.alloc(2 * words.length)
  words.forEach((word, i) => body.writeInt16BE(word, 2 * i))
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

describe('the broker of a rehearsal', () => {
  let broker: RehearsalBroker
  let port: number
  before(async () => {
    broker = new RehearsalBroker(new MadeUpLog(0))
    port = Number((await broker.listen()).split(':')[1])
  })
  after(() => broker.close())

  const hostile: Readonly<Record<string, Buffer>> = {
    'a negative length': Buffer.from([255, 255, 255, 0, 1, 2, 3, 4]),
    'more than any request has': Buffer.from([127, 255, 255, 255]),
    'less than a head': Buffer.from([0, 0, 0, 2, 0, 18]),
    'an unknown kind': request(77, 0, 0, 1, 0),
    'a Fetch without a body': request(1, 13, 0, 1, 0),
    'a question for offsets without a body': request(2, 2, 0, 1, 0)
  }
  for (const [what, bytes] of Object.entries(hostile))
    it(`hangs up on ${what}, and goes on`, async () => {
      const bad = connect(port, '127.0.0.1')
      bad.on('error', () => undefined).write(bytes)
      await once(bad, 'close')
      const good = connect(port, '127.0.0.1')
      good.write(request(18, 0, 0, 42, 0))
      const [answer] = (await once(good, 'data')) as [Buffer]
      assert.equal(answer.readInt32BE(4), 42)
      good.destroy()
    })
})
