// Area detector frames (NDAr, ADAr, ad00) as an NXlog of images.
import { API, BadMessage, CodedError, definePlugin, type JSONSchema, type Options } from '../../core/api/plugin.js'
import {
  type Column,
  countConverted,
  Cues,
  defineWriter,
  type Group,
  timeAttributes,
  type Writer,
  type WriterContext
} from '../service-filewriter/writer-kit.js'
import { cast, typeNames, typeOf } from '../../schemas/cast.js'
import { widthOf } from '../../schemas/numbers.js'
import { elementsOf, place, rowsPerChunk } from '../../schemas/place.js'
import { type FrameRecord, type VectorType } from '../../schemas/index.js'

const sizes = { type: 'integer', minimum: 1, maximum: 4_294_967_295 } as const
const config = {
  type: 'object',
  additionalProperties: false,
  properties: {
    array_size: {
      type: 'array',
      items: sizes,
      minItems: 1,
      maxItems: 31,
      description:
        'Shape of a frame, slowest dimension first; default: that of the first frame. Smaller frames are filled up with 0; for larger ones the dataset grows.'
    },
    dtype: { type: 'string', enum: typeNames, description: 'Type of `value`; default: that of the first frame, float64 when array_size is given.' }, // prettier-ignore
    type: { type: 'string', enum: typeNames, description: 'Older word for `dtype`.' },
    unit: { type: 'string', default: '', description: 'Attribute `units` of `value`.' },
    chunk_size: {
      anyOf: [sizes, { type: 'array', items: sizes, minItems: 1, maxItems: 32 }],
      description: 'Elements per chunk, or (several numbers) the shape of a chunk, whose first number (frames) counts. A chunk holds whole frames; default about 1 MiB.' // prettier-ignore
    },
    cue_interval: {
      type: 'integer',
      minimum: 1,
      default: 1000,
      description: 'A cue (index and time) after every so many frames.'
    }
  }
} as const satisfies JSONSchema

type Config = Options<typeof config>
/** What HDF5 and the readers' memory can take. */
const FRAME_BYTES = 1 << 30

class FrameWriter implements Writer<FrameRecord> {
  #value: Column | null = null
  #shape: readonly number[] = []
  #type: VectorType
  readonly #time: Column
  readonly #cues: Cues

  readonly #group: Group
  readonly #config: Config
  readonly #context: WriterContext

  constructor(group: Group, config: Config, context: WriterContext) {
    this.#group = group
    this.#config = config
    this.#context = context

    const { array_size: shape } = config
    this.#type = this.#givenType ?? 'float64'
    this.#time = group.column('time', { dtype: 'uint64', index: true, attributes: timeAttributes })
    this.#cues = new Cues(group, config.cue_interval)
    group.attribute('signal', 'value')
    if (shape === undefined) return
    if (!this.#fits(shape)) throw new CodedError('STRUCTURE_INVALID', `a frame of ${shape.join(' × ')} is larger than ${FRAME_BYTES} bytes`) // prettier-ignore
    this.#make(shape)
  }

  write({ data, shape, timestampNs }: FrameRecord): void {
    this.#value ??= this.#first(shape, data.dtype)
    if (shape.includes(0)) throw new BadMessage('frame_size', `a frame of ${shape.join(' × ')} cannot be written`)
    const converted = cast(data, this.#type)
    const frame = this.#fill(converted.bytes, shape)
    countConverted(this.#context, converted, this.#type, timestampNs)
    this.#value.append(frame)
    this.#time.appendBigInt(timestampNs)
    this.#cues.row(this.#time.length - 1, timestampNs)
  }

  /** No frame came, so that its form stays unknown: what `signal` and links name is there all the same. */
  close(): void {
    if (this.#value !== null) return
    const shape = [0, 1, 1]
    this.#group.dataset('value', new Uint8Array(0), {
      dtype: this.#type,
      shape,
      attributes: { units: this.#config.unit }
    })
    this.#group.attribute('axes', ['time', '.', '.'])
  }

  get #givenType(): VectorType | undefined {
    const name = this.#config.dtype ?? this.#config.type
    return name === undefined ? undefined : typeOf(name)
  }

  #fits(shape: readonly number[]): boolean {
    return elementsOf(shape) * widthOf(this.#type) <= FRAME_BYTES
  }

  #first(shape: readonly number[], dtype: VectorType): Column {
    this.#type = this.#givenType ?? dtype
    if (shape.length === 0 || shape.length > 31 || shape.includes(0) || !this.#fits(shape))
      throw new BadMessage('frame_size', `a frame of ${shape.join(' × ')} cannot be written`)
    this.#context.late?.(() => this.#make(shape))
    return this.#value ?? failed()
  }

  #make(shape: readonly number[]): void {
    const { chunk_size: size, unit } = this.#config
    const elements = elementsOf(shape)
    const [first = 1, ...rest] = typeof size === 'number' ? [size] : (size ?? [])
    const rows = rest.length === 0 ? Math.floor(first / elements) : first
    this.#shape = shape
    this.#value = this.#group.column('value', {
      dtype: this.#type,
      row: shape,
      ...(size === undefined ? {} : { chunk: rowsPerChunk(rows, elements) }),
      bulk: true,
      attributes: { units: unit }
    })
    this.#group.attribute('axes', ['time', ...shape.map(() => '.')])
  }

  #grow(shape: readonly number[]): void {
    const full = this.#shape
    const larger = full.map((n, i) => Math.max(n, shape[i] ?? 0))
    const grown = shape.length === full.length && this.#fits(larger) ? this.#value?.grow(larger) : undefined
    if (grown === undefined)
      throw new BadMessage('frame_size', `a frame of ${shape.join(' × ')} where ${full.join(' × ')} is written`)
    this.#context.count('resized')
    this.#value = grown
    this.#shape = larger
  }

  /** A frame of the shape of the dataset. */
  #fill(bytes: Uint8Array, shape: readonly number[]): Uint8Array {
    if (shape.length !== this.#shape.length || shape.some((n, i) => n > (this.#shape[i] ?? 0))) this.#grow(shape)
    const full = this.#shape
    if (shape.every((n, i) => n === full[i])) return bytes
    this.#context.count('padded')
    const frame = new Uint8Array(elementsOf(full) * widthOf(this.#type))
    place({ bytes, shape }, frame, full, widthOf(this.#type))
    return frame
  }
}

const failed = (): never => {
  throw new CodedError('INTERNAL', 'the dataset of the frames could not be made late')
}

const part = (id: string) =>
  defineWriter({
    id,
    summary: `Frames of ${id} messages: value (frames × dimensions), time, cues.`,
    accepts: [id],
    config,
    nxClass: 'NXlog',
    keepsLast: true,
    madeAtClose: () => ['value'],
    open: (group, config, context) => new FrameWriter(group, config, context)
  })

export default definePlugin({
  name: 'writer-area-detector',
  version: '1.0.0',
  api: API,
  summary: 'Writes frames of area detectors (NDAr, ADAr, ad00).',
  apply(registry) {
    for (const id of ['NDAr', 'ADAr', 'ad00']) registry.writer(part(id))
  }
})
