import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaSettings } from './options.js'

const refused = (options: Record<string, unknown>, path: string, message: RegExp): void =>
  assert.throws(
    () => kafkaSettings(options),
    (error: Error & { code?: string; path?: string }) => {
      assert.equal(error.code, 'CONFIG_INVALID')
      assert.equal(error.path, path)
      assert.match(error.message, message)
      return true
    }
  )

describe('Kafka options', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-options-'))
  const file = join(folder, 'password')
  before(() => writeFileSync(file, 'from file\n'))
  after(() => rmSync(folder, { recursive: true }))

  it('say the same in our words and in those of librdkafka', () => {
    const sasl = { mechanism: 'SCRAM-SHA-256', username: 'u', password: 'p' }
    const ours = kafkaSettings({
      brokers: ['a:1', '[::1]:2', 'c'],
      client_id: 'x',
      check_crcs: false,
      sasl,
      ssl: { verify: false }
    })
    const theirs = kafkaSettings({
      'bootstrap.servers': 'a:1, [::1]:2,c',
      'client.id': 'x',
      'check.crcs': 'false',
      'security.protocol': 'sasl_ssl',
      'sasl.mechanisms': 'SCRAM-SHA-256',
      'sasl.username': 'u',
      'sasl.password': 'p',
      'enable.ssl.certificate.verification': 'false'
    })
    assert.deepEqual(ours, theirs)
    assert.deepEqual(ours.brokers, [
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
      { host: 'c', port: 9092 }
    ])
    assert.equal(ours.sasl?.mechanism, 'scram-sha-256')
    assert.equal(ours.tls?.verify, false)
    assert.deepEqual([ours.checkCrcs, kafkaSettings({ brokers: 'a' }).checkCrcs], [false, true])
  })

  it('take passwords from a file or the environment', () => {
    const sasl = { mechanism: 'plain', username: 'u' }
    assert.equal(kafkaSettings({ brokers: 'a', sasl: { ...sasl, password_file: file } }).sasl?.password, 'from file')
    process.env['NEXSTREAM_TEST_PASSWORD'] = 'from env'
    const settings = kafkaSettings({ brokers: 'a', sasl: { ...sasl, password_env: 'NEXSTREAM_TEST_PASSWORD' } })
    delete process.env['NEXSTREAM_TEST_PASSWORD']
    assert.equal(settings.sasl?.password, 'from env')
    refused(
      { brokers: 'a', sasl: { ...sasl, password_env: 'NEXSTREAM_NOT_SET' } },
      '/kafka/sasl.password_env',
      /no NEXSTREAM_NOT_SET/
    )
    refused({ brokers: 'a', sasl: { ...sasl, password: 'x', password_file: file } }, '/kafka/sasl.password', /one of/)
  })

  it('take secrets and certificates from the credentials of systemd', () => {
    const sasl = { mechanism: 'plain', username: 'u', password_file: '$CREDENTIALS_DIRECTORY/password' }
    const options = { brokers: 'a', sasl, ssl: { key_file: '$CREDENTIALS_DIRECTORY/password' } }
    const before = process.env['CREDENTIALS_DIRECTORY']
    delete process.env['CREDENTIALS_DIRECTORY']
    refused(options, '/kafka/sasl.password_file', /LoadCredential=/)
    process.env['CREDENTIALS_DIRECTORY'] = folder
    const { sasl: found, tls } = kafkaSettings(options)
    assert.deepEqual([found?.password, tls?.key], ['from file', 'from file\n'])
    refused({ brokers: 'a', sasl: { ...sasl, password_file: '$CREDENTIALS_DIRECTORY/x' } }, '/kafka/sasl.password_file', /cannot be read/) // prettier-ignore
    if (before === undefined) delete process.env['CREDENTIALS_DIRECTORY']
    else process.env['CREDENTIALS_DIRECTORY'] = before
  })

  it('are refused with path and hint', () => {
    refused({}, '/kafka/brokers', /no brokers/)
    refused({ brokers: 'a', broker: 'b' }, '/kafka/broker', /did you mean brokers\?/)
    refused({ 'bootstrap.server': 'a' }, '/kafka/bootstrap.server', /did you mean bootstrap\.servers\?/)
    refused({ brokers: 'a', 'group.protocol.xyzzy.none': 1 }, '/kafka/group.protocol.xyzzy.none', /known are/)
    refused({ brokers: 'a', 'bootstrap.servers': 'b' }, '/kafka/bootstrap.servers', /twice/)
    refused({ brokers: ['a:99999'] }, '/kafka/brokers', /not host:port/)
    refused({ brokers: 'a', timeout_ms: 'soon' }, '/kafka/timeout_ms', /milliseconds/)
    refused({ brokers: 'a', 'security.protocol': 'tls' }, '/kafka/security.protocol', /SASL_SSL/)
    refused(
      { brokers: 'a', sasl: { mechanism: 'gssapi', username: 'u', password: 'p' } },
      '/kafka/sasl.mechanism',
      /SCRAM/
    )
    refused({ brokers: 'a', sasl: { username: 'u' } }, '/kafka/sasl', /password/)
    refused({ brokers: 'a', ssl: { ca_file: '/nowhere' } }, '/kafka/ssl.ca_file', /cannot be read/)
  })
})
