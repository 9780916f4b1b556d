// Data arrays (da00) as NXdata: variables grow by one row per message, constants are written once.
import { API, BadMessage, CodedError, definePlugin } from '../../core/api/plugin.js'
import {
  type Column,
  Cues,
  type DataType,
  defineWriter,
  type Group,
  timeAttributes,
  type Writer,
  type WriterContext
} from '../service-filewriter/writer-kit.js'
import { typeNames, typeOf } from '../../schemas/cast.js'
import { rowsPerChunk } from '../../schemas/place.js'
import { Constant } from './constant.js'
import { arraysOf, dataArrayConfig, type DataArrayConfig } from './options.js'
import { Variable } from './variable.js'
import { type DataArrayRecord, type DataArrayVariable } from '../../schemas/index.js'

/** Arrays of one message that are looked at. */
const MOST_ARRAYS = 256
/** A dataset of which nothing is known. */
const empty = { dtype: 'float64', shape: [0] } as const
const nameForm = /^(?!\.{1,2}$)[^/\0]{1,255}$/

class DataArrayWriter implements Writer<DataArrayRecord> {
  readonly #variables: Variable[]
  readonly #constants: Constant[]
  readonly #time: Column
  readonly #cues: Cues | null
  /** Not in the structure: the first message decides. */
  readonly #open: boolean
  readonly #signal: string
  #begun = false

  readonly #group: Group
  readonly #config: DataArrayConfig
  readonly #context: WriterContext

  constructor(group: Group, config: DataArrayConfig, context: WriterContext) {
    this.#group = group
    this.#config = config
    this.#context = context

    const { variables, constants, cue_interval: interval } = config
    this.#open = variables === undefined || variables.length === 0
    this.#variables = arraysOf(variables).map((array) => this.#variable(array))
    this.#constants = arraysOf(constants).map((array) => new Constant(array, group))
    this.#time = group.column('time', { dtype: 'uint64', index: true, attributes: timeAttributes })
    this.#cues = interval === undefined ? null : new Cues(group, interval)
    const signal = valueOf(config, 'signal')
    this.#signal = typeof signal === 'string' ? signal : (this.#variables[0]?.name ?? 'signal')
    this.#attributes()
    if (!nameForm.test(this.#signal))
      throw new CodedError('STRUCTURE_INVALID', `${JSON.stringify(this.#signal)} is no name of a dataset`)
    group.attribute('signal', this.#signal)
    const known = this.#variables.every(({ made }) => made) && this.#constants.every(({ made }) => made)
    if (known && !this.#open) this.#begin()
  }

  /** Everything is checked before the first append. */
  write({ variables, timestampNs }: DataArrayRecord): void {
    const found = new Map(variables.slice(0, MOST_ARRAYS).map((variable) => [variable.name, variable]))
    if (!this.#begun || this.#variables.some(({ made, refused, name }) => !made && !refused && found.has(name)))
      this.#makeLate(found)
    const made = this.#variables.filter((variable) => variable.made)
    for (const variable of made) variable.take(found.get(variable.name), timestampNs)
    for (const constant of this.#constants) {
      const again = found.get(constant.name)
      if (again !== undefined && constant.differs(again)) this.#context.count('constant_changed')
    }
    for (const variable of made) variable.append()
    this.#time.appendBigInt(timestampNs)
    this.#cues?.row(this.#time.length - 1, timestampNs)
  }

  /** What no message brought is there all the same, empty. */
  close(): void {
    const signal = this.#signal,
      group = this.#group
    for (const { made, name } of this.#variables) if (!made) group.dataset(name, new Uint8Array(0), empty)
    if (this.#begun) return
    if (!group.has(signal)) group.dataset(signal, new Uint8Array(0), empty)
    this.#begin()
  }

  /** As the structure has them; the axes of a variable are named once it is there. */
  #attributes(): void {
    const main = this.#variables.find(({ name }) => name === this.#signal)
    for (const { name, value, values, data, dtype, data_type, type } of this.#config.attributes ?? []) {
      const given = value ?? values ?? data
      if (name === 'axes' && Array.isArray(given) && main !== undefined) {
        if (main.axes.length === 0) main.axes = given.map(String)
      } else if (given !== undefined) this.#group.attribute(name, given, attributeType(dtype ?? data_type ?? type))
    }
  }

  #variable(array: { readonly name: string }): Variable {
    const { chunk_size: size } = this.#config
    const [first = 1, ...rest] = typeof size === 'number' ? [size] : (size ?? [])
    const rows = (elements: number): number =>
      rowsPerChunk(rest.length === 0 ? Math.floor(first / elements) : first, elements)
    return new Variable(array, this.#group, this.#context, size === undefined ? undefined : rows)
  }

  #makeLate(found: ReadonlyMap<string, DataArrayVariable>): void {
    const group = this.#group,
      context = this.#context
    if (!this.#begun && this.#open) this.#choose(found)
    context.late?.(() => {
      for (const variable of this.#variables) {
        const array = found.get(variable.name)
        if (variable.made || variable.refused || array === undefined) continue
        variable.refused = !Variable.isWritable(array)
        if (variable.refused) context.count('variable_refused')
        else variable.begin(array, this.#time.length)
      }
      if (this.#begun) return
      for (const constant of this.#constants) {
        const array = found.get(constant.name)
        if (!constant.made && array !== undefined) this.#makeConstant(constant, array)
      }
      const [first] = this.#variables.filter(({ made }) => made)
      if (group.has(this.#signal)) return this.#begin()
      if (first !== undefined) group.link(this.#signal, `${group.path}/${first.name}`, 'hard')
      else group.dataset(this.#signal, new Uint8Array(0), empty)
      this.#begin(first)
    })
  }

  #makeConstant(constant: Constant, array: DataArrayVariable): void {
    try {
      if (this.#group.has(constant.name) || array.shape.length > 32)
        throw new BadMessage('constant_refused', `${constant.name} cannot be made`)
      constant.fromMessage(array)
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.#context.count(error.reason)
    }
  }

  /** Coordinates (named as an axis that they alone have) are constants, everything else is a variable. */
  #choose(found: ReadonlyMap<string, DataArrayVariable>): void {
    const listed = new Set(this.#constants.map(({ name }) => name))
    const all = [...found.values()].filter(({ name }) => !listed.has(name))
    const axes = new Set(all.flatMap((array) => array.axes.filter((axis) => axis !== array.name)))
    for (const array of all) {
      const { name } = array
      if (!nameForm.test(name) || this.#group.has(name)) this.#context.count('variable_refused')
      else if (axes.has(name) && array.axes.length === 1) this.#constants.push(new Constant({ name }, this.#group))
      else this.#variables.push(this.#variable({ name }))
    }
  }

  /** Everything is made: the axes of the signal, as far as there are datasets for them. */
  #begin(main = this.#variables.find(({ name, made }) => made && name === this.#signal)): void {
    this.#begun = true
    const constants = this.#constants,
      group = this.#group
    // An axis is a list of as many numbers as there are elements, or of their edges
    const isAxis = (axis: string, n: number): boolean =>
      constants.some((c) => c.name === axis && c.made && c.rank === 1 && (c.length === n || c.length === n + 1))
    const axes = (main?.shape ?? []).map((n, i) => {
      const axis = main?.axes[i] ?? '.'
      return isAxis(axis, n) ? axis : '.'
    })
    nameAxes(group, ['time', ...axes])
    if (this.#fits(main, axes) || group.has('plot')) return
    // scipp loads a group as an array only when all in it fits the signal: this one has just that
    const plot = group.group('plot', { NX_class: 'NXdata', signal: this.#signal })
    const named = axes.filter((name) => name !== '.')
    for (const name of [this.#signal, 'time', ...named]) plot.link(name, `${group.path}/${name}`, 'hard')
    nameAxes(plot, ['time', ...axes])
  }

  /** Whether every dataset of the group has the shape of the signal or is one of its axes. */
  #fits(main: Variable | undefined, axes: readonly string[]): boolean {
    const same = (variable: Variable): boolean =>
      variable.made && variable.shape.join() === (main?.shape ?? []).join() && !this.#isError(variable, main)
    return (
      this.#cues === null &&
      this.#variables.every((variable) => variable === main || same(variable)) &&
      this.#constants.every(({ name, made }) => !made || axes.includes(name))
    )
  }

  /** Errors of integers: scipp makes variances of them, which integers cannot have. */
  #isError({ name }: Variable, main: Variable | undefined): boolean {
    const isErrors = name === 'errors' || name === `${this.#signal}_errors` || name === `${this.#signal}_error`
    return isErrors && main?.isInteger === true
  }
}

/** Of an attribute that the structure has. */
function valueOf({ attributes }: DataArrayConfig, wanted: string): unknown {
  const found = attributes?.find(({ name }) => name === wanted)
  return found?.value ?? found?.values ?? found?.data
}

function nameAxes(group: Group, axes: readonly string[]): void {
  group.attribute('axes', axes)
  for (const [i, axis] of axes.entries()) if (axis !== '.') group.attribute(`${axis}_indices`, i, 'int32')
}

const attributeType = (name: string | undefined): DataType | undefined =>
  name === undefined || name === 'string' || !typeNames.some((known) => known === name) ? undefined : typeOf(name)

const da00 = defineWriter({
  id: 'da00',
  summary: 'Data arrays of da00 messages as NXdata: variables by time, constants, axes.',
  accepts: ['da00'],
  config: dataArrayConfig,
  nxClass: 'NXdata',
  keepsLast: true,
  madeAtClose: () => ['signal', 'plot'],
  open: (group, config, context) => new DataArrayWriter(group, config, context)
})

export default definePlugin({
  name: 'writer-data-array',
  version: '1.0.0',
  api: API,
  summary: 'Writes data arrays (da00) as NXdata.',
  apply(registry) {
    registry.writer(da00)
  }
})
