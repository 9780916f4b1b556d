// The frame in a pvAccess structure NTNDArray.
import { BadMessage } from '../../core/api/plugin.js'
import {
  emptyVector,
  type FrameRecord,
  isStructure,
  isVector,
  type PvStructure,
  type PvValue,
  type Update
} from '../../schemas/index.js'

const unsupported = (why: string): never => {
  throw new BadMessage('unsupported_type', why)
}

function whole(value: PvValue | undefined, absent = 0): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : absent
}

const text = (value: PvValue | undefined): string => (typeof value === 'string' ? value : '')

const structures = (value: PvValue | undefined): readonly PvStructure[] =>
  Array.isArray(value) ? (value as readonly unknown[]).filter(isStructure) : []

/**
 * The frame of an NTNDArray update. `dimension` counts from the fastest axis, the shape from the slowest.
 * Throws BadMessage `unsupported_type` for other structures and for compressed frames.
 */
export function frameOf(update: Update): FrameRecord {
  const { value, source, timestampNs } = update
  if (!isStructure(value) || !value.typeId.startsWith('epics:nt/NTNDArray'))
    return unsupported('only NTNDArray structures are frames')
  const { fields } = value
  const codec = fields.get('codec')
  if (isStructure(codec) && text(codec.fields.get('name')) !== '')
    return unsupported('compressed frames are not understood')
  const data = fields.get('value') ?? null
  const vector = isVector(data) ? data : data === null ? emptyVector('uint8') : unsupported('frame data are no numbers')
  const dimensions = structures(fields.get('dimension'))
  const shape = dimensions.map((dimension) => whole(dimension.fields.get('size'))).reverse()
  return {
    source,
    timestampNs: frameTime(fields.get('dataTimeStamp')) ?? timestampNs,
    uniqueId: whole(fields.get('uniqueId')) | 0,
    shape: shape.length > 0 ? shape : [vector.length],
    data: vector,
    isText: false,
    attributes: structures(fields.get('attribute')).map(attributeOf)
  }
}

function frameTime(stamp: PvValue | undefined): bigint | undefined {
  if (!isStructure(stamp)) return undefined
  const seconds = whole(stamp.fields.get('secondsPastEpoch'))
  const ns = whole(stamp.fields.get('nanoseconds'))
  return seconds > 0 ? BigInt(seconds) * 1_000_000_000n + BigInt(ns) : undefined
}

function attributeOf({ fields }: PvStructure): FrameRecord['attributes'][number] {
  const value = fields.get('value')
  const plain = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string' || isVector(value)
  return {
    name: text(fields.get('name')),
    description: text(fields.get('descriptor')),
    source: text(fields.get('source')),
    value: plain ? value : typeof value === 'boolean' ? Number(value) : null
  }
}
