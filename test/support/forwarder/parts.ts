// Parts for the forwarder's unit tests: channels that the test drives, converters that write JSON.
import { BadMessage } from '../../../core/api/plugin.js'
import { type Converter, defineConverter, defineSource, type SourcePart, type Update } from '../../../schemas/index.js'

const blank: Update = {
  kind: 'value',
  source: '',
  timestampNs: 0n,
  dtype: 'float64',
  value: 0,
  alarm: { severity: 0, status: 0, message: '' },
  units: '',
  precision: null,
  enumStrings: null,
  connection: 2,
  first: false,
  repeat: false
}

export const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n

/** A source whose channels are driven by hand. */
export class HandSource {
  /** Channels that are open, with how often each was opened. */
  readonly open = new Map<string, (update: Update) => void>()
  readonly opened: string[] = []
  readonly part: SourcePart

  constructor(readonly id = 'hand') {
    this.part = defineSource({
      id,
      summary: 'test',
      config: {
        type: 'object',
        required: ['channel'],
        properties: { channel: { type: 'string' }, gain: { type: 'number' } },
        additionalProperties: false
      } as const,
      open: ({ channel }, _context, emit) => {
        this.open.set(channel, emit)
        this.opened.push(channel)
        return { close: () => void this.open.delete(channel) }
      }
    })
  }

  /** The channel connects and gives its first value. */
  connect(channel: string, value: Update['value'], more: Partial<Update> = {}): void {
    this.connection(channel, 2)
    this.put(channel, value, { first: true, ...more })
  }

  connection(channel: string, code: number): void {
    const update = { ...blank, kind: 'connection', source: channel, connection: code, timestampNs: nowNs() } as const
    this.open.get(channel)?.(update)
  }

  put(channel: string, value: Update['value'], more: Partial<Update> = {}): void {
    this.open.get(channel)?.({ ...blank, source: channel, value, timestampNs: nowNs(), ...more })
  }
}

/** A converter that writes `value`, `source`, `repeat` and its own number (how many were opened before it) as JSON. */
function jsonConverter(id: string, takes: 'value' | 'connection', opened: string[]) {
  return defineConverter({
    id,
    summary: 'test',
    config: {
      type: 'object',
      properties: { factor: { type: 'number', default: 1 } },
      additionalProperties: false
    } as const,
    open: ({ factor }): Converter => {
      const number = opened.push(id)
      return {
        peek: () => undefined,
        convert: (update) => {
          if (update.kind !== takes) return []
          if (update.value === 'broken') throw new BadMessage('unencodable', 'cannot convert')
          const { value, source, repeat, connection, alarm, timestampNs } = update
          const content =
            takes === 'connection'
              ? { id, source, connection }
              : id === 'al00'
                ? { id, source, severity: alarm.severity }
                : {
                    id,
                    source,
                    value: typeof value === 'number' ? value * factor : value,
                    repeat,
                    number,
                    time: String(timestampNs)
                  }
          return [{ value: Buffer.from(JSON.stringify(content)) }]
        }
      }
    }
  })
}

/** Test converters f142, f144, al00, ep00, ep01 and the ids in the order they were opened. */
export function testConverters() {
  const opened: string[] = []
  const values = ['f142', 'f144', 'al00'].map((id) => jsonConverter(id, 'value', opened))
  const connections = ['ep00', 'ep01'].map((id) => jsonConverter(id, 'connection', opened))
  const decodeOnly = defineConverter({
    id: 'ev42',
    summary: 'test',
    config: { type: 'object' },
    open: (): Converter => ({ peek: () => undefined })
  })
  return { opened, parts: [...values, ...connections, decodeOnly] }
}
