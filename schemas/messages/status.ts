// x5f2, the heartbeat of any service; json, any JSON text.
import { encodeMessage } from '../index.js'
import { missing, Table } from '../reader.js'

/** x5f2. Texts are "" when absent. */
export interface Heartbeat {
  readonly softwareName: string
  readonly softwareVersion: string
  readonly serviceId: string
  readonly hostName: string
  readonly processId: number
  readonly updateIntervalMs: number
  /** JSON text. */
  readonly statusJson: string
}

/** Throws BadMessage for bytes that are no sound x5f2. */
export function decodeX5f2(message: Uint8Array): Heartbeat {
  const t = Table.root(message, 'x5f2')
  return {
    softwareName: t.text(0),
    softwareVersion: t.text(1),
    serviceId: t.text(2),
    hostName: t.text(3),
    processId: t.uint32(4),
    updateIntervalMs: t.uint32(5),
    statusJson: t.text(6)
  }
}

export function encodeX5f2(status: Heartbeat): Buffer {
  return encodeMessage('x5f2', {
    software_name: status.softwareName,
    software_version: status.softwareVersion,
    service_id: status.serviceId,
    host_name: status.hostName,
    process_id: status.processId,
    update_interval: status.updateIntervalMs,
    status_json: status.statusJson
  })
}

/** The text of a `json` message. Throws BadMessage when it has none or is no sound message. */
export const decodeJsonText = (message: Uint8Array): string => Table.root(message, 'json').string(0) ?? missing('json')

export const encodeJsonText = (text: string): Buffer => encodeMessage('json', { json: text })
