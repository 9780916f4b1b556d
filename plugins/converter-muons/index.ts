// Plugin converter-muons: messages of ISIS' digital muon pipeline (dat2, dev2, aev2).
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineConverter, type MuonEvents } from '../../schemas/index.js'
import { decodeEvents, decodeTraces, encodeEvents, encodeTraces, peek } from './codec.js'

const config = { type: 'object', additionalProperties: false, properties: {} } as const

const dat2 = defineConverter({
  id: 'dat2',
  summary: 'Traces of a muon digitiser (ISIS); its messages name no source.',
  config,
  open: () => ({
    nameless: 'dat2',
    peek: (message, out) => peek('dat2', message, out),
    decode: decodeTraces,
    encode: encodeTraces
  })
})

const events = (id: 'dev2' | 'aev2', summary: string) =>
  defineConverter({
    id,
    summary,
    config,
    open: () => ({
      nameless: id,
      peek: (message, out) => peek(id, message, out),
      decode: (message) => decodeEvents(id, message),
      encode: (record: MuonEvents) => encodeEvents(id, record)
    })
  })

export default definePlugin({
  name: 'converter-muons',
  version: '1.0.0',
  api: API,
  summary: 'Converts traces and events of muon digitisers to and from dat2, dev2 and aev2.',
  apply(registry) {
    registry.converter(dat2)
    registry.converter(events('dev2', 'Events of a muon digitiser (ISIS); its messages name no source.'))
    registry.converter(events('aev2', 'Muon events of a frame (ISIS); its messages name no source.'))
  }
})
