import assert from 'node:assert/strict'
import { decodeText, textOf, textOfBytes } from './text.js'

const text = (bytes: Buffer) => textOf(bytes, 0, bytes.length)

describe('EPICS text', () => {
  it('is UTF-8 up to the first NUL', () => {
    assert.equal(text(Buffer.from('µA\0xx')), 'µA')
    assert.equal(text(Buffer.alloc(0)), '')
  })
  it('is Latin-1 when it is not UTF-8', () => {
    assert.equal(text(Buffer.from('°C', 'latin1')), '°C')
    assert.equal(text(Buffer.from('5 µA rms', 'latin1')), '5 µA rms')
    assert.equal(text(Buffer.from('µ', 'latin1')), 'µ')
  })
  it('leaves out a character that was cut off', () => {
    const whole = Buffer.from(`${'x'.repeat(37)}€`)
    assert.equal(text(whole.subarray(0, 39)), 'x'.repeat(37))
    assert.equal(text(Buffer.from(`${'x'.repeat(36)}😀`).subarray(0, 39)), 'x'.repeat(36))
  })
  it('keeps a last Latin-1 letter where nothing was cut off', () => {
    for (const one of ['früh ü', 'ü', '20 °', 'Å'])
      assert.deepEqual(
        [textOfBytes(Buffer.from(`${one}\0`, 'latin1')), text(Buffer.from(`${one}\0xxx`, 'latin1'))],
        [one, one]
      )
    // Others before it are UTF-8: it is one of those, cut off
    assert.equal(decodeText(Buffer.concat([Buffer.from('é'), Buffer.from([0xc3])]), 0, 3, false), 'é')
  })
  it('keeps a real replacement character', () => {
    assert.equal(text(Buffer.from('a\ufffdb')), 'a\ufffdb')
  })
})
