// Our own reading of HDF5: superblock, object headers of both versions, chunk indexes. Two bytes say where a header is looked for.
import { CodedError } from '../../../core/api/plugin.js'
import { Disk } from '../../../plugins/service-filewriter/file/disk.js'
import { readChunked, readIndex } from '../../../plugins/service-filewriter/file/format.js'
import { fileOf, hdf5Samples } from '../hdf5-samples.js'
import { promise, type Target } from '../target.js'
import { lookup3, readSuperblock } from '../../../plugins/service-filewriter/file/superblock.js'

/** A newer header with the messages of an older one, whose checksums must be right: see `run`. */
function newHeader(old: Buffer): Buffer {
  const messages: Buffer[] = []
  let left = old.readUInt16LE(2)
  for (let at = 16; left > 0 && at + 8 <= 16 + old.readUInt32LE(8); left--) {
    const size = old.readUInt16LE(at + 2)
    const head = Buffer.from([old[at]!, 0, 0, 0])
    head.writeUInt16LE(size, 1)
    messages.push(head, old.subarray(at + 8, at + 8 + size))
    at += 8 + size
  }
  const body = Buffer.concat(messages)
  const head = Buffer.from([...Buffer.from('OHDR'), 2, 1, 0, 0])
  head.writeUInt16LE(body.length, 6)
  return Buffer.concat([head, body, Buffer.alloc(4)])
}

/** Makes the checksum of a newer header right, which no change would leave so. */
function sealed(bytes: Buffer, at: number): Buffer {
  if (bytes.toString('latin1', at, at + 4) !== 'OHDR' || at + 8 > bytes.length) return bytes
  const flags = bytes[at + 5]!
  if ((flags & 0x33) !== 1) return bytes
  const length = 8 + bytes.readUInt16LE(at + 6)
  if (at + length + 4 <= bytes.length) bytes.writeUInt32LE(lookup3(bytes, at, length), at + length)
  return bytes
}

export default {
  maxLength: 16_384,
  seeds: async () =>
    (await hdf5Samples()).flatMap(({ bytes, datasets }) =>
      datasets.flatMap((address) => {
        const at = Buffer.alloc(2)
        at.writeUInt16LE(address)
        const newer = newHeader(bytes.subarray(address))
        const changed = Buffer.from(bytes)
        if (address + newer.length < bytes.length) newer.copy(changed, address)
        return [Buffer.concat([at, bytes]), Buffer.concat([at, changed])]
      })
    ),
  run: (input) => {
    const address = input.length < 2 ? 0 : input.readUInt16LE(0)
    const disk = new Disk(fileOf(sealed(Buffer.from(input.subarray(2)), address)), 'read')
    try {
      readSuperblock(disk)
      const chunked = readChunked(disk, address, 'x')
      let damaged = 0
      const chunks = readIndex(disk, chunked, 'x', () => damaged++)
      promise(Number.isSafeInteger(chunks.length) && damaged >= 0, 'no list of chunks')
    } finally {
      disk.close()
    }
  },
  allows: (error) => error instanceof CodedError
} satisfies Target
