// Converter of df12: the detector-spectrum map of an instrument (ISIS).
import { API, BadMessage, definePlugin } from '../../core/api/plugin.js'
import {
  encodeMessage,
  missing,
  numbersOf,
  Table,
  TIMELESS_NS,
  type DetectorSpectrumMap,
  defineConverter
} from '../../schemas/index.js'

function decode(message: Uint8Array): DetectorSpectrumMap {
  const t = Table.root(message, 'df12')
  const spectra = numbersOf(t.vector(0, 'int32') ?? missing('spectrum'))
  const detectors = numbersOf(t.vector(1, 'int32') ?? missing('detector_id'))
  if (spectra.length !== detectors.length)
    throw new BadMessage('length_mismatch', `${spectra.length} spectra for ${detectors.length} detectors`)
  return { spectra, detectors, spectrumCount: t.int32(2) }
}

const encode = ({ spectra, detectors, spectrumCount }: DetectorSpectrumMap): Buffer =>
  encodeMessage('df12', { spectrum: spectra, detector_id: detectors, n_spectra: spectrumCount })

const part = defineConverter({
  id: 'df12',
  summary: 'Detector-spectrum map of an instrument (ISIS); its messages name no source and no time.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => ({
    nameless: 'df12',
    peek: (message, out) => {
      // The last map before a run is kept unread: it must be sound, or a good one is lost
      decode(message)
      out.sourceStart = out.sourceEnd = 0
      out.timestampNs = TIMELESS_NS
    },
    decode,
    encode
  })
})

export default definePlugin({
  name: 'converter-df12',
  version: '1.0.0',
  api: API,
  summary: 'Converts detector-spectrum maps to and from df12.',
  apply(registry) {
    registry.converter(part)
  }
})
