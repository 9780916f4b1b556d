// A whole frame as messages: one pu00, then its events.
import { encodeMessage, type Vector } from '../../schemas/index.js'
import { type WholeFrame } from './aggregate.js'

/** @param nextId - running number of each message */
export function frameMessages(frame: WholeFrame, source: string, nextId: () => bigint): Buffer[] {
  const { timeNs, vetoes, period, charge, events } = frame
  const head = (): object => ({ source_name: source, message_id: nextId() })
  return [
    encodeMessage('pu00', { ...head(), reference_time: timeNs, vetos: vetoes, period_number: period, proton_charge: charge }), // prettier-ignore
    ...events.map(
      ({ tof, ids }) =>
      encodeMessage('ev44', { ...head(), reference_time: [timeNs], reference_time_index: [0], time_of_flight: vector(tof), pixel_id: vector(ids) }) // prettier-ignore
    )
  ]
}

const vector = ({ buffer, length }: Int32Array): Vector => ({ dtype: 'int32', length, bytes: new Uint8Array(buffer) })
