import assert from 'node:assert/strict'
import { type DaemonSnapshot } from '../../core/api/plugin.js'
import { statusMessage } from './index.js'

describe('reporter-forwarder-2018', () => {
  it('has one entry for each channel, with its connection and all its converters, and nothing of other services', () => {
    const row = (name: string, schema: string, state?: string) => ({ channel_name: name, protocol: 'PVA', output_topic: 'values', schema, ...(state && { state }) }) // prettier-ignore
    const streams = [row('A', 'f142', 'CONNECTED'), row('B', 'f142'), row('A', 'tdct', 'CONNECTED')]
    const services = { filewriter: { state: 'idle', heartbeats: [] }, forwarder: { state: 'forwarding', heartbeat: { streams } } } // prettier-ignore
    const message = statusMessage({ service_id: 'me', services } as unknown as DaemonSnapshot)
    const converter = (schema: string) => ({ schema, broker: '', topic: 'values' })
    assert.deepEqual(message, {
      service_id: 'me',
      streams: [
        { channel_name: 'A', epics_connection_status: 'CONNECTED', queue_size: 0, converters: [converter('f142'), converter('tdct')] },
        { channel_name: 'B', epics_connection_status: 'NEVER_CONNECTED', queue_size: 0, converters: [converter('f142')] }
      ]
    }) // prettier-ignore
  })
})
