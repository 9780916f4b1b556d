import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { McapIndexedReader } from '@mcap/core'
import { CodedError } from '../../../core/api/plugin.js'
import { encodeMessage } from '../../../schemas/index.js'
import { recordingPlayed } from '../played.js'
import { type RecordedMessage } from '../recorded.js'
import { readRecording } from './reader.js'
import { compressions, type RecordingCompression, RecordingWriter } from './writer.js'

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array))
const f144 = fc
  .integer()
  .map((value) =>
    encodeMessage('f144', { source_name: 'pv', timestamp: 5, value: { type: 'Int', value: { value: value | 0 } } })
  )
const message: fc.Arbitrary<RecordedMessage> = fc.record({
  topic: fc.constantFrom('a', 'b.c'),
  partition: fc.nat(2),
  offset: fc.oneof(fc.nat(1000), fc.nat(2 ** 45)),
  timestampMs: fc.oneof(fc.integer({ min: 1.6e12, max: 2e12 }), fc.constantFrom(-1, 0, 4e13)),
  isAppendTime: fc.boolean(),
  key: fc.option(fc.oneof(bytes, fc.constant(Buffer.from('µ PV'))), { nil: null }),
  headers: fc.array(fc.tuple(fc.string(), fc.option(bytes, { nil: null })), { maxLength: 2 }),
  value: fc.option(fc.oneof(bytes, f144, fc.constant(Buffer.from('{"a": 1}'))), { nil: null })
}, { noNullPrototype: true }) // prettier-ignore

describe('recordings', () => {
  let folder: string
  let count = 0
  before(() => (folder = mkdtempSync(join(tmpdir(), 'nexstream-recording-'))))
  after(() => rmSync(folder, { recursive: true, force: true }))

  const write = async (
    messages: readonly RecordedMessage[],
    compression: RecordingCompression = 'zstd',
    flushEvery = 7
  ): Promise<string> => {
    const file = join(folder, `${count++}.mcap`)
    const writer = await RecordingWriter.create(file, compression)
    for (const [i, one] of messages.entries()) {
      writer.add(one)
      if (i % flushEvery === 0) await writer.flush()
    }
    await writer.close(new Map([['to', 'now']]))
    return file
  }
  const read = async (file: string): Promise<{ messages: RecordedMessage[]; notes: string[] }> => {
    const notes: string[] = []
    const messages: RecordedMessage[] = []
    for await (const one of readRecording(file, (note) => notes.push(note))) messages.push(one)
    return { messages, notes }
  }
  /** What is read before the error, and the error. */
  const fails = async (file: string): Promise<{ messages: RecordedMessage[]; error: CodedError }> => {
    const messages: RecordedMessage[] = []
    try {
      for await (const one of readRecording(file, () => undefined)) messages.push(one)
    } catch (error) {
      assert.ok(error instanceof CodedError, String(error))
      assert.equal(error.code, 'FILE_READ')
      assert.ok(error.message.startsWith(file), error.message)
      return { messages, error }
    }
    return assert.fail(`${file} was read`)
  }

  it('give back what went in, for every compression', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(message, { maxLength: 40, selector: (one) => `${one.topic} ${one.partition} ${one.offset}` }),
        fc.constantFrom(...compressions),
        async (messages, compression) => {
          const { messages: out, notes } = await read(await write(messages, compression))
          assert.deepEqual(out, messages)
          assert.deepEqual(notes, [])
        }
      ),
      { numRuns: 60 }
    ))

  const plain = (n: number): RecordedMessage[] =>
    Array.from({ length: n }, (_, i) => ({
      topic: 't',
      partition: 0,
      offset: i,
      timestampMs: 1.7e12 + i,
      isAppendTime: false,
      key: Buffer.from('k'),
      headers: [],
      value: Buffer.from(`value ${i}`)
    }))

  it('have the indexes and checksums by which other readers find their way', async () => {
    const file = await write(plain(20))
    const content = readFileSync(file)
    const reader = await McapIndexedReader.Initialize({
      readable: {
        size: () => Promise.resolve(BigInt(content.length)),
        read: (offset, size) => Promise.resolve(new Uint8Array(content.subarray(Number(offset), Number(offset + size))))
      }
    })
    assert.equal(reader.chunkIndexes.length, 3 + 1)
    assert.equal(reader.statistics?.messageCount, 40n)
    assert.notEqual(reader.footer.summaryCrc, 0)
    assert.equal(reader.metadataIndexes[0]?.name, 'nexstream.recording')
  })

  it('are readable up to the last chunk however they are cut', async () => {
    const whole = await write(plain(30))
    const content = readFileSync(whole)
    const cut = join(folder, 'cut.mcap')
    const counts = new Set<number>()
    for (let length = 8; length < content.length; length += 5) {
      writeFileSync(cut, content.subarray(0, length))
      const { messages, notes } = await read(cut)
      assert.deepEqual(messages, plain(30).slice(0, messages.length))
      assert.ok(messages.length === 30 || notes.length === 1)
      counts.add(messages.length)
    }
    assert.deepEqual([...counts], [0, 1, 8, 15, 22, 29, 30])
  })

  it('with a wrong byte are read, or refused with the place; never more than was there', async () => {
    const file = await write(plain(30))
    const content = readFileSync(file)
    const damaged = join(folder, 'damaged.mcap')
    let refused = 0
    for (let at = 0; at < content.length; at += 7) {
      const copy = Buffer.from(content)
      copy[at]! ^= 0xff
      writeFileSync(damaged, copy)
      try {
        const { messages } = await read(damaged)
        assert.ok(messages.length <= 30)
      } catch (error) {
        assert.ok(error instanceof CodedError && error.code === 'FILE_READ', String(error))
        refused++
      }
    }
    assert.ok(refused > content.length / 28, String(refused))
  })

  it('of hostile sizes are refused before anything is held', async () => {
    const file = await write(plain(3), 'zstd', 100)
    const content = readFileSync(file)
    const at = 8 + 9 + Number(content.readBigUInt64LE(9)) // Behind magic and header: the chunk
    assert.equal(content[at], 6)
    const lies: [string, RegExp, (copy: Buffer) => void][] = [
      ['chunk', /larger than any sound one/, (copy) => copy.writeBigUInt64LE(1n << 40n, at + 25)],
      ['bomb', /says 100|more than 100 bytes/, (copy) => copy.writeBigUInt64LE(100n, at + 25)],
      ['name', /longer than the chunk/, (copy) => copy.writeUInt32LE(0xffffffff, at + 37)],
      ['content', /longer than the chunk/, (copy) => copy.writeBigUInt64LE(1n << 62n, at + 45)],
      ['codec', /"zstx".*known/, (copy) => copy.write('x', at + 44)],
      ['crc', /checksum/, (copy) => copy.writeUInt32LE(1, at + 33)],
      ['magic', /is no MCAP file/, (copy) => copy.write('x', 1)]
    ]
    for (const [name, words, lie] of lies) {
      const copy = Buffer.from(content)
      lie(copy)
      const wrong = join(folder, `${name}.mcap`)
      writeFileSync(wrong, copy)
      assert.match((await fails(wrong)).error.message, words, name)
    }
    // A record longer than the file, and one that the file has room for by a hole of its size
    const long = join(folder, 'long.mcap')
    const copy = Buffer.from(content)
    copy.writeBigUInt64LE((1n << 62n) + 5n, at + 1)
    writeFileSync(long, copy)
    assert.deepEqual((await read(long)).messages, [])
    copy.writeBigUInt64LE(1n << 33n, at + 1)
    writeFileSync(long, copy)
    truncateSync(long, 2 ** 34)
    assert.match((await fails(long)).error.message, /byte \d+: a record of 8589934601 bytes/)
  })

  it('that are given up keep all that was added', async () => {
    const file = join(folder, 'abandoned.mcap')
    const writer = await RecordingWriter.create(file, 'zstd')
    for (const one of plain(30)) writer.add(one)
    assert.equal(await writer.abandon(), 30)
    const { messages, notes } = await read(file)
    assert.deepEqual([messages, notes.length], [plain(30), 1])
  })

  it('are looked through before they are played until that is stopped', async () => {
    const file = await write(plain(30))
    const selection = { topics: new Set<string>(), sources: new Set<string>() }
    const heard = assert.fail
    const { total } = await recordingPlayed(file, selection, { signal: new AbortController().signal, heard })
    const stopped = await recordingPlayed(file, selection, { signal: AbortSignal.abort(), heard })
    assert.deepEqual([total, stopped.total], [30, 0])
  })

  it('are never written over, and say so when there is no room', async () => {
    const file = await write([])
    await assert.rejects(RecordingWriter.create(file, 'zstd'), { code: 'RECORDING_EXISTS' })
    await assert.rejects(RecordingWriter.create(join(folder, 'no', 'x.mcap'), 'zstd'), { code: 'RECORDING_FAILED' })
    assert.ok(statSync(file).size > 0)
    assert.deepEqual((await read(file)).messages, [])
    assert.match((await fails(join(folder, 'absent.mcap'))).error.message, /cannot be read/)
  })
})
