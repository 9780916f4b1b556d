// Logs as Mantid reads them: one value a row, times in seconds since the start of the run.
import { BadMessage, type JSONSchema, type Options } from '../../core/api/plugin.js'
import { isVector, type LogRecord } from '../../schemas/index.js'
import {
  defineWriter,
  type Group,
  SecondsColumn,
  type Writer,
  type WriterContext
} from '../service-filewriter/writer-kit.js'
import { logConfig } from './options.js'
import { isText, ValueColumn } from './values.js'

const { dtype, units, string_size, chunk_size } = logConfig.properties

const config = {
  type: 'object',
  properties: { dtype, units, string_size, chunk_size },
  additionalProperties: false
} as const satisfies JSONSchema

class MantidLogWriter implements Writer<LogRecord> {
  readonly #values: ValueColumn
  readonly #time: SecondsColumn
  readonly #context: WriterContext

  constructor(group: Group, options: Options<typeof config>, context: WriterContext) {
    this.#context = context
    const { dtype = 'double', chunk_size: chunk, string_size: stringSize, units = '' } = options
    this.#values = new ValueColumn(
      group,
      { dtype, size: 1, chunk, stringSize, units, latest: false, textRows: true },
      context
    )
    this.#time = new SecondsColumn(group, 'time', context.run?.startNs, chunk)
    if (isText(dtype)) return
    group.attribute('signal', 'value')
    group.attribute('axes', ['time'])
  }

  /** What it cannot take is in the usual log, and lost there if at all. */
  write(record: LogRecord): void {
    const { value } = record
    const many = isVector(value) || Array.isArray(value) ? value.length !== 1 : false
    if (many) return this.#context.count('not_for_mantid')
    try {
      this.#values.append(record)
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      return this.#context.count('not_for_mantid')
    }
    this.#time.append(record.timestampNs)
  }
}

export const mantidLog = defineWriter({
  id: 'mantid_log',
  summary: 'Single values of f142 and f144 messages as the NXlog that Mantid reads: time in seconds since the start.',
  accepts: ['f144', 'f142'],
  config,
  nxClass: 'NXlog',
  keepsLast: true,
  open: (group, options, context) => new MantidLogWriter(group, options, context)
})
