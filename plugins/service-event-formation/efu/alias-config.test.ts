import assert from 'node:assert/strict'
import { parse } from 'smol-toml'
import { aliasConfig, familyOf, tomlOf } from './alias-config.js'

const none = { family: undefined, detector: { Detector: 'loki' }, kafka: undefined }

/** Without the bare prototypes of the parser. */
const read = (config: Parameters<typeof tomlOf>[0]): Record<string, unknown> =>
  JSON.parse(JSON.stringify(parse(tomlOf(config)))) as Record<string, unknown>

describe('options of the field\u2019s Event Formation Unit', () => {
  it('become a config that says the same', () => {
    const flags = {
      ...{ file: '/files/loki.json', calibration: '/files/calibration.json', broker_addr: 'a:9092,b:9092' },
      ...{ port: '9100', cmdport: '8889', graphite: 'carbon', gport: '2003', region: '2', updateinterval: '1' },
      ...{ monitor_every: '10', monitor_consecutive: '1', logip: 'graylog', log_level: '7', nohwcheck: true }
    }
    const kafka = { KafkaParms: [{ 'sasl.username': 'me' }, { 'queue.buffering.max.ms': '100' }] }
    const { config, passedOver } = aliasConfig(flags, { ...none, kafka })
    assert.deepEqual(passedOver, ['--nohwcheck', 'queue.buffering.max.ms of --kafka_config'])
    assert.deepEqual(read(config), {
      daemon: { service_id: 'efu.loki.2' },
      kafka: { 'bootstrap.servers': 'a:9092,b:9092', 'sasl.username': 'me' },
      log: { level: 'debug' },
      reporters: { graphite: { host: 'carbon', port: 2003, layout: 'ess', interval_ms: 1000 } },
      services: {
        event_formation: {
          detectors: {
            loki: {
              family: 'loki',
              topic: 'loki_detector',
              port: 9100,
              config_file: '/files/loki.json',
              calibration_file: '/files/calibration.json',
              update_ms: 1000,
              raw_topic: 'loki_detector_samples',
              raw_every: 10,
              raw_consecutive: 1,
              stats_path: 'efu.loki.2',
              command_port: 8889,
              command_exit: 'daemon'
            }
          }
        }
      },
      plugins: [{ use: 'log-gelf', options: { host: 'graylog', port: 12_201, protocol: 'tcp' } }]
    })
  })

  it('leave out what is told to be none, and refuse what is no number', () => {
    const { config } = aliasConfig({ gport: '0', cmdport: '0', status_topic: 'status' }, none)
    const parsed = read(config)
    assert.equal(parsed['reporters'], undefined)
    assert.deepEqual(parsed['status'], { topic: 'status' })
    assert.throws(() => aliasConfig({ port: 'x' }, none), /--port must be a number, not 'x'/)
    assert.throws(() => aliasConfig({ log_level: '9' }, none), /--log_level/)
    assert.throws(() => aliasConfig({}, { ...none, detector: {} }), /name the family/)
  })

  it('find the family in the detector file', () => {
    const families = [
      [{ Detector: 'Freia', InstrumentGeometry: 'AMOR' }, 'tblmb'],
      [{ Detector: 'Freia', InstrumentGeometry: 'Estia' }, 'estia'],
      [{ Detector: 'Freia', InstrumentGeometry: 'Freia' }, 'freia'],
      [{ Detector: 'NMX' }, 'nmx'],
      [{ Detector: 'CBM' }, 'cbm']
    ] as const
    for (const [file, family] of families) assert.equal(familyOf(file), family)
  })
})
