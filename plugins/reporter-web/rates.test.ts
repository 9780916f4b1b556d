// Rows of sources, as jobs tell of them.
import assert from 'node:assert/strict'
import { diagnosticsOf, ratesOf } from './rates.js'

const source = { topic: 'events', source: 'bank', pulses: 10, events: 1000, last_pulse_ms: 5000 }
const counting = { job_id: 'a', service: 'histogram', ended: null, behind_s: 0.5, sources: [source] }

describe('rates of sources', () => {
  it('has a row for each source, once, of the job that has heard most', () => {
    const longer = {
      ...counting,
      job_id: 'b',
      sources: [
        { ...source, pulses: 12 },
        { ...source, source: 'monitor' }
      ]
    }
    const rows = ratesOf({ jobs: [counting, longer] })
    assert.deepEqual(
      rows.map(({ key, by, pulses }) => [key, by, pulses]),
      [
        ['events bank', 'b', 12],
        ['events monitor', 'b', 10]
      ]
    )
    assert.deepEqual([rows[0]?.last_ms, rows[0]?.behind_s], [5000, 0.5])
  })

  it('says nothing of jobs that have ended, and no time before the first pulse', () => {
    assert.deepEqual(ratesOf({ jobs: [{ ...counting, ended: '2026-11-21T12:00:00Z' }] }), [])
    const [row] = ratesOf({ jobs: [{ ...counting, sources: [{ ...source, last_pulse_ms: 0 }] }] })
    assert.equal(row?.last_ms, null)
  })

  it('has the messages of event formation as pulses', () => {
    const [row] = ratesOf({ jobs: [{ job_id: 'loki', service: 'event_formation', ended: null, messages: 14, events: 99 }] }) // prettier-ignore
    assert.deepEqual(row, { key: 'detector loki', source: 'loki', from: 'packets', by: 'loki', pulses: 14, events: 99, last_ms: null, behind_s: null }) // prettier-ignore
  })
})

describe('diagnostics of a run', () => {
  it('are those of services that tell them, numbers by name', () => {
    const services = { aggregator: { diagnostics: { GOODFRAMES: 7, GOODUAH: 0.5, STATE: 'RUNNING' } }, filewriter: {} }
    assert.deepEqual(diagnosticsOf({ services } as unknown as Parameters<typeof diagnosticsOf>[0]), [{ service: 'aggregator', values: [['GOODFRAMES', 7], ['GOODUAH', 0.5]] }]) // prettier-ignore
  })
})
