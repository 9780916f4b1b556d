// The Kafka header `traceparent` (W3C Trace Context): taken from a command and given to all that is said for it.
import { headersOf } from './api/headers.js'
import { type Batch } from './api/kafka.js'

const form = /^[0-9a-f]{2}(-[0-9a-f]{32})(-[0-9a-f]{16})-[0-9a-f]{2}$/

/** Of record i; nothing where there is none, or nothing that fits, and for a tombstone. */
export function traceOf(
  batch: Pick<Batch, 'bytes' | 'value' | 'valueStart' | 'valueEnd'>,
  i: number
): { readonly traceparent?: string } {
  const traceparent = batch.value(i) === null ? undefined : traceparentOf(batch, i)
  return traceparent === undefined ? {} : { traceparent }
}

/** The same of any record; undefined for nothing. */
export function traceparentOf(batch: Pick<Batch, 'bytes' | 'valueStart' | 'valueEnd'>, i: number): string | undefined {
  const found = headersOf(batch, i)?.find(([name]) => name === 'traceparent')?.[1]
  const text = found === undefined || found === null ? '' : Buffer.from(found).toString('latin1')
  return form.test(text) ? text : undefined
}
