import assert from 'node:assert/strict'
import {
  CodedError,
  type DaemonSnapshot,
  type ProducerOptions,
  type Registry,
  type ReporterPart
} from '../../core/api/plugin.js'
import { MemoryKafka } from '../../test/support/memory-kafka.js'
import plugin, { heartbeats, statusJson } from './index.js'

const snapshot = (services: DaemonSnapshot['services']): DaemonSnapshot => ({ services }) as DaemonSnapshot

describe('reporter-x5f2', () => {
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

  it('compresses, since lists are long, and tells what did not arrive until one does', () => {
    let part: ReporterPart | undefined
    void plugin.apply({ reporter: (given: ReporterPart) => void (part = given) } as unknown as Registry, {})
    const kafka = new MemoryKafka('s')
    const options: ProducerOptions[] = []
    const watched = { ...kafka, producer: (given: ProducerOptions) => (options.push(given), kafka.producer(given)) }
    const context = { kafka: watched } as unknown as Parameters<ReporterPart['open']>[1]
    const config = { topic: 's', interval_ms: 1000, software_name: 'n', software_names: {}, services: {} }
    const reporter = part!.open(config, context)
    assert.equal(options[0]?.compression, 'gzip')
    const now = { ...snapshot({}), version: '1', service_id: 'me', host: 'h', pid: 1 } as DaemonSnapshot
    kafka.failures.set('s', new CodedError('KAFKA_LOST', 'too large'))
    assert.throws(() => void reporter?.report(now), /too large/)
    assert.throws(() => void reporter?.report(now), /too large/, 'also when none is due')
    kafka.failures.clear()
    const moved = snapshot({ filewriter: { state: 'writing', heartbeats: [{ content: {} }, { content: {} }] } })
    void reporter?.report({ ...now, ...moved })
    assert.equal(kafka.messages('s').length, 2)
  })
})
