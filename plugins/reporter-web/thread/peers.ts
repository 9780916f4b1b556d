// Other programs by their heartbeats: x5f2, and the status of other daemons of ours.
import { decodeJson, schemaId } from '../../../schemas/index.js'
import { type PeerRow } from '../wire.js'

/** Most that are kept, newest first. */
const MOST = 200
const MOST_TEXT = 200

type PeerKeys = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is PeerKeys =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, MOST_TEXT) : '')
const whole = (value: unknown): number => {
  const n = Number(value)
  return Number.isFinite(n) && n > 0 ? n : 0
}

function parsed(value: unknown): PeerKeys {
  try {
    const content: unknown = typeof value === 'string' ? JSON.parse(value) : undefined
    return isObject(content) ? content : {}
  } catch {
    return {}
  }
}

/** What it works on, in the words of the field's programs. */
function workOf(status: PeerKeys): string {
  const { job_id: job, file_being_written: file, streams } = status
  if (text(file) !== '') return text(file)
  if (text(job) !== '') return `job ${text(job)}`
  return Array.isArray(streams) ? `${streams.length} streams` : ''
}

/** Undefined: it is no heartbeat. */
function peerOf(value: Buffer, topic: string, timeMs: number): PeerRow | undefined {
  if (schemaId(value) === 'x5f2') {
    const { message } = decodeJson(value, { maxElements: 10 }) as { message: PeerKeys }
    const status = parsed(message['status_json'])
    return {
      ...{ name: text(message['software_name']), version: text(message['software_version']), topic, time_ms: timeMs },
      ...{ service_id: text(message['service_id']), host: text(message['host_name']) },
      ...{ interval_ms: whole(message['update_interval']), state: text(status['state']), work: workOf(status) }
    }
  }
  const status = value[0] === 0x7b ? parsed(value.toString('utf8')) : {}
  if (status['type'] !== 'nexstream_status') return undefined
  const services = isObject(status['services']) ? Object.keys(status['services']) : []
  return {
    ...{ name: 'nexstream', version: text(status['version']), topic, time_ms: timeMs },
    ...{ service_id: text(status['service_id']), host: text(status['host']) },
    ...{ interval_ms: whole(status['update_interval_ms']), state: text(status['state']), work: services.join(', ') }
  }
}

export class Peers {
  readonly #known = new Map<string, PeerRow>()
  #isNew = false

  /** Throws for a heartbeat that is broken. */
  take(topic: string, value: Buffer, timeMs: number): void {
    const peer = peerOf(value, topic, timeMs)
    if (peer === undefined) return
    const key = `${peer.name}\n${peer.service_id}\n${peer.host}`
    if ((this.#known.get(key)?.time_ms ?? 0) > timeMs) return
    this.#known.delete(key)
    this.#known.set(key, peer)
    if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value ?? '')
    this.#isNew = true
  }

  /** All, when there is anything new. */
  changed(): PeerRow[] | undefined {
    if (!this.#isNew) return undefined
    this.#isNew = false
    return [...this.#known.values()]
  }
}
