// Plugin readout-adc: the ADC box of the fast sample environment.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineReadout } from '../service-event-formation/readout-kit.js'
import { adcConfig } from './config.js'
import { adcWriter } from './generate.js'
import { AdcReadout } from './readout.js'

const adc = defineReadout({
  id: 'adc',
  summary: 'ADC box of the fast sample environment: samples as senv, peaks as ev42.',
  detectorType: null,
  largest: 9000,
  config: adcConfig,
  open: (config, setup) => new AdcReadout(config, setup),
  generate: () => adcWriter
})

export default definePlugin({
  name: 'readout-adc',
  version: '0.1.0',
  api: API,
  summary: 'Takes the samples of the fast sample environment to Kafka.',
  apply(registry) {
    registry.readout(adc)
  }
})
