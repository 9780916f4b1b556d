import assert from 'node:assert/strict'
import { type DaemonSnapshot } from './api/plugin.js'
import { notReady } from './health.js'

const well = {
  state: 'running',
  kafka: { connected: true },
  services: { lamp: { state: 'lit' } },
  jobs: [{ job_id: 'a', behind_s: 60 }, { job_id: 'b' }]
} as unknown as DaemonSnapshot

describe('health', () => {
  it('is good while nothing is wrong', () => assert.deepEqual(notReady(well, 60_000), []))

  it('names everything that is wrong', () => {
    const ill = {
      ...well,
      state: 'stopping' as const,
      kafka: { connected: false },
      services: {
        lamp: { state: 'dark', not_ready: ['the fuse is out'] },
        fan: { state: 'faulty', error: 'start: no' }
      }
    }
    assert.deepEqual(notReady(ill, 59_000), [
      'the daemon ends',
      'no Kafka broker answers',
      'service lamp: the fuse is out',
      'service fan: faulty: start: no',
      'job a: 60 s behind (status.max_behind)'
    ])
  })
})
