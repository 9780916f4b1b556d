import assert from 'node:assert/strict'
import fc from 'fast-check'
import { meter, meterText } from './meter.js'

describe('cli: progress', () => {
  it('shows bar, share, counts, rate and time left', () => {
    assert.equal(meterText({ done: 400, total: 1000, bytes: 1_234_000 }, 'messages', 5), '████████░░░░░░░░░░░░ 40 %  400 of 1000 messages, 1.2 MB, 80/s, 8 s left') // prettier-ignore
    assert.equal(meterText({ done: 1e7, total: 1e9 }, 'bytes', 1), '▏░░░░░░░░░░░░░░░░░░░ 1 %  10.0 MB of 1.0 GB, 10.0 MB/s, 1 min 39 s left') // prettier-ignore
    assert.equal(meterText({ done: 10, total: 72_000 }, 'messages', 10).split(', ').at(-1), '19 h 59 min left')
    assert.equal(meterText({ done: 7 }, 'messages', 2), '7 messages, 3.5/s')
    assert.equal(meterText({ done: 0, total: 5 }, 'messages', 3), '░░░░░░░░░░░░░░░░░░░░ 0 %  0 of 5 messages, 0.0/s')
    // A topic grows meanwhile
    assert.match(meterText({ done: 9, total: 5 }, 'messages', 3), /^█{20} 100 % {2}9 of 5 messages, 3\.0\/s, 0 s left$/)
  })

  it('has a bar of one width for any share', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1 }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        (done, total, seconds) => {
          const text = meterText({ done, total }, 'messages', seconds)
          assert.match(text, /^[█▉▊▋▌▍▎▏░]{20} \d+ % {2}\d+ of \d+ messages, [\d.e+]+\/s(, [\w ]+ left)?$/)
        }
      )
    )
  })

  it('says nothing of what is over within a second', () => {
    const lines: string[] = []
    const show = meter({ progress: (line) => lines.push(line) }, 'messages')
    for (let done = 0; done < 1000; done++) show(() => assert.fail())
    assert.deepEqual(lines, [])
  })
})
