// What a real daemon said to the examples of all commands: docs/samples/recorded.json.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'

export interface Recorded {
  readonly answers: readonly { readonly command: object; readonly answer: object }[]
  /** The status while jobs run. */
  readonly status: object
  /** The x5f2 message of that time. */
  readonly heartbeat: object
  /** The event at the end of a write job. */
  readonly event: object
}

export const recordedFile = join(packageRoot, 'docs/samples/recorded.json')

export const readRecorded = (): Recorded => JSON.parse(readFileSync(recordedFile, 'utf8')) as Recorded
