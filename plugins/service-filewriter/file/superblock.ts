// The superblock of a file, its checksum, and where the file ends (File Format Specification, II).
import { CodedError } from '../../../core/api/plugin.js'
import { type Disk } from './disk.js'
import { UNDEFINED } from './messages.js'

/** Checksum of newer headers and superblocks: Bob Jenkins' lookup3, `hashlittle`. */
export function lookup3(bytes: Buffer, start: number, length: number): number {
  const rot = (x: number, k: number): number => (x << k) | (x >>> (32 - k))
  let left = length
  let p = start
  const word = (i: number): number => {
    const n = left - 4 * i
    if (n >= 4) return bytes.readInt32LE(p + 4 * i)
    return n > 0 ? bytes.readUIntLE(p + 4 * i, n) | 0 : 0
  }
  let a = (0xdeadbeef + length) | 0
  let b = a
  let c = a
  while (left > 12) {
    a = (a + word(0)) | 0
    b = (b + word(1)) | 0
    c = (c + word(2)) | 0
    a = ((a - c) ^ rot(c, 4)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rot(a, 6)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rot(b, 8)) | 0
    b = (b + a) | 0
    a = ((a - c) ^ rot(c, 16)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rot(a, 19)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rot(b, 4)) | 0
    b = (b + a) | 0
    left -= 12
    p += 12
  }
  if (left === 0) return c >>> 0
  a = (a + word(0)) | 0
  b = (b + word(1)) | 0
  c = (c + word(2)) | 0
  c = ((c ^ b) - rot(b, 14)) | 0
  a = ((a ^ c) - rot(c, 11)) | 0
  b = ((b ^ a) - rot(a, 25)) | 0
  c = ((c ^ b) - rot(b, 16)) | 0
  a = ((a ^ c) - rot(c, 4)) | 0
  b = ((b ^ a) - rot(a, 14)) | 0
  c = ((c ^ b) - rot(b, 24)) | 0
  return c >>> 0
}

/** Why the direct path cannot write a file or dataset: for the fall-back, and for the user. */
export class Unsupported extends CodedError {
  constructor(message: string) {
    super('HDF5_FAILED', message)
  }
}

export interface Superblock {
  readonly version: number
  /** End of the allocated part of the file. */
  readonly end: number
  readonly root: number
}

const SIGNATURE = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1')

/** Reads the superblock. Throws HDF5_FAILED when it is none, Unsupported for one that is not plain. */
export function readSuperblock(disk: Disk): Superblock {
  const short = (): CodedError => new CodedError('HDF5_FAILED', `${disk.path} is not an HDF5 file: ${disk.size} bytes`)
  if (disk.size < 48) throw short()
  const head = disk.read(Math.min(96, disk.size), 0, 'superblock')
  if (!head.subarray(0, 8).equals(SIGNATURE)) throw new CodedError('HDF5_FAILED', `${disk.path} is not an HDF5 file`)
  const version = head[8] ?? 0
  const at = version === 0 ? 24 : 12
  const sizes = version === 0 ? [head[13], head[14]] : [head[9], head[10]]
  if (version === 0 && head.length < 96) throw short()
  if (![0, 2].includes(version)) throw new Unsupported(`${disk.path}: superblock version ${version}`)
  if (sizes.some((n) => n !== 8)) throw new Unsupported(`${disk.path}: addresses or lengths are not 8 bytes`)
  if (head.readBigUInt64LE(at) !== 0n) throw new Unsupported(`${disk.path}: a user block`)
  if (version === 2 && head.readBigUInt64LE(20) !== UNDEFINED)
    throw new Unsupported(`${disk.path}: a superblock extension`)
  return {
    version,
    end: Number(head.readBigUInt64LE(at + 16)),
    root: Number(head.readBigUInt64LE(version === 0 ? 64 : 36))
  }
}

/** Publishes a new end of file. */
export function writeEnd(disk: Disk, version: number, end: number): void {
  if (version === 0) {
    const out = Buffer.alloc(8)
    out.writeBigUInt64LE(BigInt(end), 0)
    disk.write(out, 40, 'end of file')
    return
  }
  const block = disk.read(48, 0, 'superblock')
  block.writeBigUInt64LE(BigInt(end), 28)
  block.writeUInt32LE(lookup3(block, 0, 44), 44)
  disk.write(block, 0, 'end of file')
}
