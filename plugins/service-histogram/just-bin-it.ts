// The commands and answers of just-bin-it, as its clients (NICOS at ESS and at SINQ) speak them.
import { CodedError, type ErrorCode, type Command, type Dialect } from '../../core/api/plugin.js'

type Obj = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value)

const service = 'histogram'
const sender = 'just-bin-it'
const inputs = ['ev42', 'ev44']
const outputs = ['hs00', 'hs01']
/** What a fork may do otherwise. */
interface Habits {
  /** Messages that count when the command does not say. */
  readonly usual: readonly string[]
  /** A `config` leaves what runs alone: each device has its own. */
  readonly adds: boolean
}

const refuse = (path: string, message: string, code: ErrorCode = 'COMMAND_INVALID'): never => {
  throw new CodedError(code, message, { path })
}
const given = (value: unknown): boolean => value !== undefined && value !== null

/** Keys that are there, under other names. */
const renamed = (from: Obj, names: Readonly<Record<string, string>>): Obj =>
  Object.fromEntries(Object.entries(names).flatMap(([name, key]) => (given(from[key]) ? [[name, from[key]]] : [])))

const dataTopic = (histogram: Obj, path: string): unknown => {
  const topics = histogram['data_topics']
  if (!Array.isArray(topics) || topics.length === 0) return refuse(`${path}/data_topics`, 'must be a list of topics')
  return topics[0] as unknown
}

const types = ['hist1d', 'hist2d', 'dethist', 'roihist', 'hist2dsansllb', 'hist2dsinq']

/** The canonical keys of each type; keys that a type does not use are sent all the same, and have no effect. */
function byType(histogram: Obj, path: string): Obj {
  const { type, det_range: range } = histogram
  const first = (Array.isArray(range) ? range : []) as unknown[]
  const time = { tof_range: 'tof_range', num_bins: 'num_bins' }
  switch (type) {
    case 'hist1d': {
      // As numpy takes a pair: for the edges of one bin
      const keys = Array.isArray(histogram['num_bins']) ? { tof_edges: 'num_bins' } : time
      return { kind: 'tof', data_type: 'int64', ...renamed(histogram, { ...keys, det_range: 'det_range' }) }
    }
    case 'hist2d':
      return { kind: 'tof_pixel', data_type: 'float64', ...renamed(histogram, { ...time, det_range: 'det_range' }) }
    case 'hist2dsinq': {
      // Ends as Python has them: the second is outside
      if (first.length !== 2) refuse(`${path}/det_range`, 'must be a pair of numbers')
      const [from, end] = first as [number, number]
      return { kind: 'spectra', data_type: 'int32', first_pixel: from, width: end - from, ...renamed(histogram, time) }
    }
    case 'dethist':
    case 'hist2dsansllb': {
      if (first.length !== 2) refuse(`${path}/det_range`, 'must be a pair of numbers')
      const size = renamed(histogram, { width: 'width', height: 'height' })
      const dataType = type === 'dethist' ? 'float64' : 'int32'
      return { kind: 'image', order: 'xy', data_type: dataType, first_pixel: first[0], ...size }
    }
    case 'roihist': {
      const keys = renamed(histogram, { width: 'width', left_edges: 'left_edges' })
      return { kind: 'rows', order: 'xy', data_type: 'float64', ...keys }
    }
    default:
      return refuse(`${path}/type`, `${JSON.stringify(type ?? null)} is none of ${types.join(', ')}`)
  }
}

function oneOf(value: unknown, known: readonly string[], usual: string, path: string): string {
  if (!given(value)) return usual
  return typeof value === 'string' && known.includes(value)
    ? value
    : refuse(path, `${JSON.stringify(value)} is none of ${known.join(', ')}`)
}

/** da00 is known for single histograms only, as NICOS asks for it. */
function schemasOf(value: Obj, command: Obj, path: string, { usual }: Habits): readonly string[] {
  if (given(value['input_schema']))
    return [oneOf(value['input_schema'], [...inputs, 'da00'], '', `${path}/input_schema`)]
  return given(command['input_schema']) ? [oneOf(command['input_schema'], inputs, '', '/input_schema')] : usual
}

function histogramOf(value: unknown, command: Obj, i: number, habits: Habits): Obj {
  const path = `/histograms/${i}`
  if (!isObject(value)) return refuse(path, 'must be an object')
  return {
    ...byType(value, path),
    data_topic: dataTopic(value, path),
    schemas: schemasOf(value, command, path, habits),
    format: oneOf(command['output_schema'], outputs, 'hs00', '/output_schema'),
    ...renamed(value, { topic: 'topic', source: 'source' }),
    id: value['id'] ?? ''
  }
}

/** Start and stop times and the interval; 0 and null are as if absent. */
function windowOf(command: Obj): Obj {
  const keys = renamed(command, { start_time: 'start', stop_time: 'stop', interval_s: 'interval' })
  const { interval_s: interval } = keys
  if (interval === 0) return Object.fromEntries(Object.entries(keys).filter(([key]) => key !== 'interval_s'))
  return keys
}

function commandOf(value: Obj, habits: Habits): Command {
  const { cmd } = value
  switch (cmd) {
    case 'config': {
      const list = value['histograms'] ?? []
      if (!Array.isArray(list)) return refuse('/histograms', 'must be a list')
      const histograms = list.map((one: unknown, i) => histogramOf(one, value, i, habits))
      const adds = habits.adds && histograms.length > 0
      return { cmd: adds ? 'start' : cmd, service, sender, histograms, ...windowOf(value) }
    }
    case 'stop': {
      const { hist_id: id } = value
      if (typeof id === 'string' && id !== '' && id !== 'all') return { cmd, service, histogram: id }
      // SINQ's clients wait until all have ended
      return { cmd, service, all: true, ...(id !== undefined && { wait: true }) }
    }
    case 'reset_counts':
      return { cmd: 'reset', service }
    default:
      return refuse(
        '/cmd',
        `unknown command ${JSON.stringify(cmd ?? null)}: config, stop and reset_counts are known`,
        'COMMAND_UNKNOWN'
      )
  }
}

/** The id as JSON text: it comes back with its type. None without a truthy one: then there is no answer. */
const idOf = (value: Obj): { msg_id?: string } => {
  const { msg_id: id } = value
  return id === undefined || id === null || id === 0 || id === '' || id === false ? {} : { msg_id: JSON.stringify(id) }
}

function parse(message: Buffer): Obj | undefined {
  try {
    const value: unknown = JSON.parse(message.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** What SINQ's clients hear of a `stop` of all. */
const finished = { value: Buffer.from('{"msg_id": "all", "response": "FIN"}') }

const dialect = (id: string, habits: Habits): Dialect => ({
  id,
  decode(message) {
    const value = parse(message)
    // Answers may share a topic with commands, and what is no object gets no answer
    if (value === undefined || value['response'] !== undefined) return undefined
    const id = idOf(value)
    if (value['cmd'] === undefined && id.msg_id === undefined) return undefined
    try {
      return { ...commandOf(value, habits), ...id }
    } catch (error) {
      if (error instanceof CodedError)
        throw new CodedError(error.code, error.message, {
          ...(error.path !== undefined && { path: error.path }),
          fields: { command: id }
        })
      throw error
    }
  },
  reply(command, { response, message, status }) {
    const isOver = command['wait'] === true && response === 'ACK' && status === 200
    const more = isOver ? [finished] : []
    if (command.msg_id === undefined) return more
    const head = `{"msg_id": ${command.msg_id}, "response": ${JSON.stringify(response)}`
    const value = response === 'ACK' ? `${head}}` : `${head}, "message": ${JSON.stringify(message)}}`
    return [{ value: Buffer.from(value) }, ...more]
  },
  event: () => []
})

/** As it is at ESS. */
export const justBinIt = dialect('just-bin-it', { usual: ['ev42'], adds: false })
/** As it is at SINQ, where each image of NICOS has a histogram of its own and says nothing of schemas. */
export const justBinItSinq = dialect('just-bin-it-sinq', { usual: ['ev42', 'ev44'], adds: true })
