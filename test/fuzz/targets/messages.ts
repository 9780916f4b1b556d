// FlatBuffers of every schema: as JSON, through the converter that reads them, and what is looked at to route them.
import { BadMessage } from '../../../core/api/plugin.js'
import { decodeJson, encodeMessage, schemaId, type Converter } from '../../../schemas/index.js'
import { writtenAgain } from '../../support/control-messages.js'
import { converterParts, goldens, openConverter } from '../../support/converters.js'
import { promise, type Target } from '../target.js'

const converters = new Map<string, Converter>()
for (const id of (await converterParts()).keys()) converters.set(id, await openConverter(id))
const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }

/** All are run, whichever refuses first. */
function tried(run: () => unknown): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof BadMessage) return undefined
    return error
  }
}

export default {
  // Short ones: what is long is long by its vectors
  seeds: () => [
    ...goldens()
      .map(({ bytes }) => bytes)
      .filter((bytes) => bytes.length <= 1500),
    encodeMessage('f144', { source_name: 's', timestamp: 1n, value: { type: 'ArrayDouble', value: { value: [1, 2, 3] } } }) // prettier-ignore
  ],
  run: (input) => {
    const id = schemaId(input) ?? ''
    const converter = converters.get(id)
    const errors = [
      () => decodeJson(input),
      () => writtenAgain[id]?.(input),
      () => converter?.decode?.(input),
      () => {
        if (converter === undefined) return
        converter.peek(input, peek)
        promise(peek.sourceStart <= peek.sourceEnd && peek.sourceEnd <= input.length, 'a source outside the message')
      }
    ].map(tried)
    const error = errors.find((one) => one !== undefined)
    if (error !== undefined) throw error as Error
  },
  allows: (error) => error instanceof BadMessage
} satisfies Target
