// Logs as the files of ISIS have them: values and seconds since the start of the run.
import { type VectorType } from '../../schemas/index.js'
import { type Column, type Group, SecondsColumn } from '../service-filewriter/writer-kit.js'

const TEXT_BYTES = 128

/** An NXlog of numbers in a group of its own. */
export class NumberLog {
  readonly #value: Column
  readonly #time: SecondsColumn

  constructor(parent: Group, name: string, dtype: VectorType, startNs: bigint | undefined, units?: string) {
    const group = parent.group(name, { NX_class: 'NXlog', signal: 'value', axes: ['time'] })
    this.#value = group.column('value', { dtype, attributes: units === undefined ? {} : { units } })
    this.#time = new SecondsColumn(group, 'time', startNs)
  }

  append(timeNs: bigint, value: number): void {
    this.#value.appendNumber(value)
    this.#time.append(timeNs)
  }
}

/** The same of texts, as rows of one: [n, 1]. */
export class TextLog {
  readonly #value: Column
  readonly #time: SecondsColumn

  constructor(parent: Group, name: string, startNs: bigint | undefined) {
    const group = parent.group(name, { NX_class: 'NXlog' })
    this.#value = group.column('value', { dtype: { string: TEXT_BYTES }, row: [1] })
    this.#time = new SecondsColumn(group, 'time', startNs)
  }

  append(timeNs: bigint, text: string): void {
    this.#value.appendString(text)
    this.#time.append(timeNs)
  }
}
