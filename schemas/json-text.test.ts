// JSON keeps the digits that were sent, is bounded in depth, and anything hostile in it stays data.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { numberText, plainNumbers, wholeNumber, writeJson } from '../core/api/json.js'
import { MAX_JSON_DEPTH, readCommandJson, readJson } from './json-text.js'

describe('lossless JSON', () => {
  it('reads what JSON.parse reads', () => {
    const texts = fc.json({ maxDepth: 5 })
    fc.assert(fc.property(texts, (text) => assert.deepEqual(plainNumbers(readJson(text)), JSON.parse(text))))
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })), (numbers) => {
        const list = numbers.map((n) => (Object.is(n, -0) ? 0 : n))
        assert.deepEqual(plainNumbers(readJson(JSON.stringify(list))), list)
        assert.deepEqual(plainNumbers(readJson(JSON.stringify({ list, one: list[0] ?? 0 }))), {
          list,
          one: list[0] ?? 0
        })
      })
    )
  })

  it('writes the digits that it read', () => {
    const texts = [
      '{"a":1795266000000000001,"b":[10138143369737381149,-9007199254740993],"c":123456789012345678901234}',
      '{"a":1.0,"b":0.10,"c":1e5,"d":-0,"e":1E+2,"f":0.30000000000000004,"g":-0.12345678901234566}',
      '{"dtype":"string","values":[1.0,2.50,[3e0]]}',
      '{"values":[1.0,2.50],"type":"string"}',
      '{"values":[[1.0]],"dataset":{"size":[1],"type":"string"}}',
      '{"a":["x",1.0]}',
      '{"a\\"b":"1.0 \\\\","c":[{"d":9007199254740993}]}'
    ]
    for (const text of texts) assert.equal(writeJson(readJson(text)), text)
    assert.equal(
      writeJson([-0, 0, wholeNumber(2n ** 60n), 2n ** 60n]),
      '[-0.0,0,1152921504606846976,"1152921504606846976"]'
    )
  })

  it('leaves lists of numbers as they are, so that large ones cost nothing', () => {
    assert.deepEqual(readJson('{"values":[1.0,2.50,-3e0],"dtype":"double"}'), { values: [1, 2.5, -3], dtype: 'double' })
  })

  it('gives the text of a number, and nothing for other texts', () => {
    assert.equal(numberText(readJson('12345678901234567890')), '12345678901234567890')
    for (const value of ['12', 'num:1', '\0num:', '\0num:x', '\0num:01', 5, null])
      assert.equal(numberText(value), undefined)
  })

  it('keeps digits of structures and metadata in commands, and makes the rest plain', () => {
    const read = readCommandJson(
      '{"cmd":"start","stop_time":1.0,"nexus_structure":{"a":1.0},"__proto__":{"x":9007199254740993}}'
    )
    assert.equal(
      writeJson(read),
      '{"cmd":"start","stop_time":1,"nexus_structure":{"a":1.0},"__proto__":{"x":9007199254740992}}'
    )
    assert.equal(Object.getPrototypeOf(read), Object.prototype)
  })

  it('names the place of a mistake in what was sent', () => {
    assert.throws(() => readJson('{"a":12345678901234567890,"b":}'), /67890,"b":}/)
    for (const text of ['', '"', '{"a":"\\', ']', '}}', '-', '1.', '[1,]', '{"a":01}', '"\\"']) {
      assert.throws(() => readJson(text), SyntaxError)
    }
  })

  it('makes no key of a number and no number of a key', () => {
    const text = '{"\\u0000num:1":"\\u0000num:x","a":"\\u0000num:1"}'
    assert.equal(writeJson(JSON.parse(text)), '{"\\u0000num:1":"\\u0000num:x","a":1}')
  })

  it('refuses hostile depth', () => {
    assert.throws(() => readJson('['.repeat(MAX_JSON_DEPTH + 1)), /nested deeper than 256/)
    assert.throws(() => readJson('{"a":'.repeat(1_000_000)), /nested deeper/)
  })
})
