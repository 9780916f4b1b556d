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
      heartbeats(both, 's', { forwarder: 'f' }).map((beat) => [beat.topic, [...beat.services.keys()]]),
      [
        ['s', ['filewriter']],
        ['f', ['forwarder']]
      ]
    )
    const jobs = [
      { topic: 'control', content: { job_id: 'a' } },
      { content: { job_id: 'b' } },
      { content: { job_id: 'c' } }
    ]
    const busy = snapshot({ filewriter: { state: 'writing', heartbeats: jobs }, forwarder: { state: 'idle' } })
    assert.deepEqual(
      heartbeats(busy, 's', {}).map((beat) => [
        beat.topic,
        [...beat.services.keys()],
        statusJson(beat.services)['job_id']
      ]),
      [
        ['control', ['filewriter'], 'a'],
        ['s', ['filewriter', 'forwarder'], 'b'],
        ['s', ['filewriter'], 'c']
      ]
    )
    assert.deepEqual(heartbeats(snapshot({ filewriter: { state: 'writing', heartbeats: [] } }), 's', {}), [])
    assert.deepEqual(
      heartbeats(snapshot({}), 's', {}).map((beat) => beat.topic),
      ['s']
    )
  })

  it('always says state and job_id', () => {
    assert.deepEqual(statusJson(new Map()), { state: 'idle', job_id: '', services: {} })
    const content = { state: 'writing', job_id: 'j', file_being_written: 'f.nxs' }
    const busy = statusJson(new Map([['filewriter', content]]))
    assert.deepEqual([busy['state'], busy['job_id'], busy['file_being_written']], ['writing', 'j', 'f.nxs'])
  })
})
