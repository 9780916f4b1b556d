import assert from 'node:assert/strict'
import { type DaemonSnapshot } from '../../core/plugin.js'
import { heartbeats, statusJson } from './index.js'

const snapshot = (services: DaemonSnapshot['services']): DaemonSnapshot => ({ services }) as DaemonSnapshot

describe('status-x5f2', () => {
  it('speaks for all services on one topic, unless one has its own', () => {
    const both = snapshot({ filewriter: { state: 'idle' }, forwarder: { state: 'running' } })
    assert.deepEqual(
      heartbeats(both, 's', {}).map((beat) => beat.topic),
      ['s']
    )
    assert.deepEqual(
      heartbeats(both, 's', { forwarder: 'f' }).map((beat) => [beat.topic, beat.services.map(([id]) => id)]),
      [
        ['s', ['filewriter']],
        ['f', ['forwarder']]
      ]
    )
    const busy = snapshot({ filewriter: { state: 'writing', heartbeat_topic: 'control' } })
    assert.deepEqual(
      heartbeats(busy, 's', { filewriter: 'w' }).map((beat) => beat.topic),
      ['control']
    )
    assert.deepEqual(
      heartbeats(snapshot({}), 's', {}).map((beat) => beat.topic),
      ['s']
    )
  })

  it('always says state and job_id', () => {
    assert.deepEqual(statusJson([]), { state: 'idle', job_id: '', services: {} })
    const busy = statusJson([
      ['filewriter', { state: 'writing', heartbeat: { job_id: 'j', file_being_written: 'f.nxs' } }]
    ])
    assert.deepEqual([busy['state'], busy['job_id'], busy['file_being_written']], ['writing', 'j', 'f.nxs'])
  })
})
