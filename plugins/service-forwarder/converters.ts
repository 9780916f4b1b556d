// Opened converters: one of its own for each route, one for all routes that give the same name.
import { CodedError, type Context, type ServiceContext } from '../../core/api/plugin.js'
import { type Converter, converterOf } from '../../schemas/index.js'
import { type Spec } from './spec.js'

interface Shared {
  readonly schema: string
  readonly options: string
  readonly converter: UpdateConverter
  users: number
}

/** A converter that makes messages from updates. */
export type UpdateConverter = Required<Pick<Converter, 'convert'>>

const makesMessages = (converter: Converter): converter is UpdateConverter & Converter =>
  converter.convert !== undefined

/** Counts updates that a converter has nothing to make of, by reason. */
export type Skipped = Map<string, number>

function add(skipped: Skipped, reason: string, n: number): void {
  skipped.set(reason, (skipped.get(reason) ?? 0) + n)
}

export class Converters {
  /** Over all converters. */
  readonly skipped: Skipped = new Map()
  readonly #shared = new Map<string, Shared>()

  constructor(readonly context: ServiceContext) {}

  /** Opens (or shares) the converter of a spec. Throws COMMAND_INVALID when the name stands for something else already. */
  take(spec: Pick<Spec, 'schema' | 'converterOptions' | 'name'>, skipped?: Skipped): UpdateConverter {
    if (spec.name === undefined) return this.#open(spec, skipped)
    const options = JSON.stringify(spec.converterOptions)
    let shared = this.#shared.get(spec.name)
    if (shared === undefined) {
      shared = { schema: spec.schema, options, converter: this.#open(spec), users: 0 }
      this.#shared.set(spec.name, shared)
    } else if (shared.schema !== spec.schema || shared.options !== options) {
      const text = `converter '${spec.name}' is in use as ${shared.schema} ${shared.options}; use another name`
      throw new CodedError('COMMAND_INVALID', text)
    }
    shared.users++
    return shared.converter
  }

  /** Ends the use that `take` began. */
  release(spec: Pick<Spec, 'name'>): void {
    const shared = spec.name === undefined ? undefined : this.#shared.get(spec.name)
    if (shared !== undefined && --shared.users === 0) this.#shared.delete(spec.name!)
  }

  #open({ schema, converterOptions }: Pick<Spec, 'schema' | 'converterOptions'>, skipped?: Skipped): UpdateConverter {
    const part = converterOf(this.context, schema)
    if (part === undefined) throw new CodedError('CONVERTER_UNKNOWN', `no converter '${schema}' is loaded`)
    const { serviceId, signal } = this.context
    const context: Context = {
      jobId: serviceId,
      signal,
      log: (level, message, fields) => this.context.log(level, message, fields),
      count: (reason, n = 1) => {
        add(this.skipped, reason, n)
        if (skipped !== undefined) add(skipped, reason, n)
      }
    }
    const converter = part.open(converterOptions, context)
    if (makesMessages(converter)) return converter
    throw new CodedError('CONVERTER_UNKNOWN', `converter '${schema}' makes no messages from channel updates`)
  }
}
