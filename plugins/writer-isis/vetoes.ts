// Module `vc00`: which vetoes were on, as a log.
import { type VetoRecord } from '../../schemas/index.js'
import { timeAttributes, type Column, defineWriter, type Group, type Writer } from '../service-filewriter/writer-kit.js'

class VetoWriter implements Writer<VetoRecord> {
  readonly #value: Column
  readonly #time: Column

  constructor(group: Group) {
    this.#value = group.column('value', { dtype: 'uint32' })
    this.#time = group.column('time', { dtype: 'uint64', index: true, attributes: timeAttributes })
    group.attribute('signal', 'value')
    group.attribute('axes', ['time'])
  }

  write({ vetoes, timestampNs }: VetoRecord): void {
    this.#value.appendNumber(vetoes)
    this.#time.appendBigInt(timestampNs)
  }
}

export const vetoes = defineWriter({
  id: 'vc00',
  summary: 'Configured vetoes of vc00 messages as NXlog: a bit mask.',
  accepts: ['vc00'],
  config: { type: 'object', additionalProperties: false, properties: {} },
  nxClass: 'NXlog',
  keepsLast: true,
  open: (group) => new VetoWriter(group)
})
