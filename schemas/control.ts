// Commands, answers and heartbeats by flatc's classes and the flatbuffers package, on messages that were verified first.
import { ByteBuffer } from 'flatbuffers'
import { layouts } from './generated/layouts.js'
import { verify } from './verify.js'

export { Builder } from 'flatbuffers'
export { ActionOutcome } from './generated/answ/action-outcome.js'
export { ActionResponse } from './generated/answ/action-response.js'
export { ActionType } from './generated/answ/action-type.js'
export { SpectraDetectorMapping } from './generated/df12/spectra-detector-mapping.js'
export { RunStart } from './generated/pl72/run-start.js'
export { RunStop } from './generated/s6s4t/run-stop.js'
export { FinishedWriting } from './generated/wrdn/finished-writing.js'
export { Status } from './generated/x5f2/status.js'

/** A message for `getRootAs…` of the class of schema `id`. Throws BadMessage when it is not sound. */
export function verified(
  message: Uint8Array,
  id: '6s4t' | 'answ' | 'fc00' | 'pl72' | 'rf5k' | 'wrdn' | 'x5f2'
): ByteBuffer {
  verify(message, layouts[id]!)
  return new ByteBuffer(message)
}
