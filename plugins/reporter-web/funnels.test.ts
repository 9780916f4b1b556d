import assert from 'node:assert/strict'
import { forwarderFunnel, funnelOf } from './funnels.js'
import { type FunnelView } from './wire.js'

const sum = (counts: readonly { readonly count: number }[]): number => counts.reduce((all, { count }) => all + count, 0)

/** Every step is explained. */
const addsUp = ({ stages }: FunnelView): void =>
  stages.slice(1).forEach((stage, i) => {
    const expected = (stages[i]?.count ?? 0) - sum(stage.losses) + sum(stage.gains)
    assert.equal(stage.count, expected, stage.name)
  })

const forwarder = (counts: Readonly<Record<string, number>>): FunnelView =>
  forwarderFunnel({ state: 'running', ...counts })

describe('funnels', () => {
  it('name what makes more messages than updates', () => {
    const funnel = forwarder({ updates: 870, older: 2, messages: 878, repeated: 4, superseded: 1, acknowledged: 870, lost: 3 }) // prettier-ignore
    addsUp(funnel)
    assert.deepEqual(funnel.stages[2]?.gains, [
      { reason: 'repeated_values', count: 4 },
      { reason: 'beside_values', count: 7 }
    ])
    assert.deepEqual(funnel.stages[3]?.losses, [
      { reason: 'lost', count: 3, expected: false },
      { reason: 'on_the_way', count: 5, expected: true }
    ])
  })

  it('name what makes fewer', () => {
    const funnel = forwarder({ updates: 10, convert_errors: 1, messages: 6, acknowledged: 6 })
    addsUp(funnel)
    assert.deepEqual(
      funnel.stages[2]?.losses.map(({ reason, count }) => [reason, count]),
      [
        ['convert_errors', 1],
        ['no_message', 3]
      ]
    )
    assert.deepEqual(funnel.stages.flatMap(({ gains }) => gains), []) // prettier-ignore
  })

  it('of files add up, also where several groups take one message', () => {
    const job = { job_id: 'a', service: 'filewriter', messages: 30, written: 40, not_written: [['other_source', 5], ['before_start', 3], ['wrong_type', 2]] } // prettier-ignore
    const funnel = funnelOf(job)
    assert.ok(funnel !== undefined)
    addsUp(funnel)
    assert.deepEqual(funnel.stages[2]?.gains, [{ reason: 'taken_by_several', count: 20 }])
  })

  it('of detectors name what was lost before, here, and behind', () => {
    const losses = { kernel: 4, queue: 1, missing: 7, buffer: 3, kafka: 0, raw: 0, faults: 2 }
    const funnel = funnelOf({ job_id: 'loki', service: 'event_formation', packets: 20, events: 100, delivered_events: 90, losses }) // prettier-ignore
    assert.ok(funnel !== undefined)
    addsUp(funnel)
    const all = funnel.stages.map(({ name, count, losses: lost }) => [name, count, ...lost.map(({ reason, count: n }) => `${reason} ${n}`)]) // prettier-ignore
    assert.deepEqual(all, [
      ['sent', 27],
      ['received', 20, 'missing 2', 'kernel 4', 'queue 1'],
      ['events', 100, 'faults 2'],
      ['in Kafka', 90, 'buffer 3', 'on_the_way 7']
    ])
  })
})
