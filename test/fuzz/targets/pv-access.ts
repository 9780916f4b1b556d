// What a pvAccess server sends: the stream of a circuit in pieces and segments, types, updates, values in values, statuses.
import { PvaFramer } from '../../../plugins/source-epics/pva/framer.js'
import { Command, Sub } from '../../../plugins/source-epics/pva/protocol.js'
import { type PvaReader } from '../../../plugins/source-epics/pva/reader.js'
import { MonitorState } from '../../../plugins/source-epics/pva/state.js'
import { readType, type TypeCache } from '../../../plugins/source-epics/pva/types.js'
import { type Target } from '../target.js'
import { samplesOf } from './channel-access.js'

const MAX_MESSAGE = 1 << 16

/** As a circuit does with it. */
function monitor(reader: PvaReader, states: Map<number, MonitorState>, types: TypeCache): void {
  const ioid = reader.u32()
  const sub = reader.u8()
  if ((sub & Sub.INIT) !== 0) {
    if (!reader.status().ok) return
    const type = readType(reader, types)
    if (type?.kind === 'structure') states.set(ioid, new MonitorState(type))
    return
  }
  const state = states.get(ioid)
  if (state === undefined) return
  state.apply(reader, types)
  state.structure()
  if (reader.left > 0) reader.anyInMask()
}

function other(command: number, reader: PvaReader): void {
  if (command === Command.VALIDATION) {
    reader.skip(6)
    Array.from({ length: reader.count(1) }, () => reader.text())
  } else if (command === Command.VALIDATED) reader.status()
  else if (command === Command.CREATE_CHANNEL) {
    reader.skip(8)
    reader.status()
  } else if (command === Command.SEARCH_RESPONSE) {
    reader.skip(16)
    reader.address()
    reader.u16()
    reader.text()
  }
}

export default {
  // A byte can ask for an empty structure; there may be a million of them in a message (`countStructure`)
  maxSteps: 4_000_000,
  maxBytes: 256 << 20,
  seeds: () =>
    samplesOf('plugins/source-epics/pva/samples').flatMap((bytes) =>
      [0, 50].map((first) => Buffer.concat([Buffer.from([first]), bytes.subarray(0, 3500)]))
    ),
  run: (input) => {
    const states = new Map<number, MonitorState>()
    const types: TypeCache = new Map()
    const framer = new PvaFramer(
      MAX_MESSAGE,
      (command, reader) => (command === Command.MONITOR ? monitor(reader, states, types) : other(command, reader)),
      () => undefined
    )
    const size = (input[0] ?? 0) === 0 ? input.length : input[0]!
    for (let at = 1; at < input.length; at += size) framer.push(Buffer.from(input.subarray(at, at + size)))
  },
  allows: (error) => error instanceof RangeError && error.message.startsWith('PVA: ')
} satisfies Target
