// Config keys of the log writers, in the spellings of every generation of the field's file writer.
import { type JSONSchema } from '../../core/api/plugin.js'

export const dtypes = [
  'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float32', 'float64',
  'short', 'int', 'long', 'float', 'double', 'string', 'c_string', 'bool'
] as const // prettier-ignore

export const logConfig = {
  type: 'object',
  properties: {
    dtype: { type: 'string', enum: dtypes, description: 'Type of `value`; default double.' },
    type: { type: 'string', enum: dtypes, description: 'Older word for `dtype`.' },
    unit: { type: 'string', description: 'Attribute `units` of `value`.' },
    units: { type: 'string', description: 'The same as `unit`.' },
    value_units: { type: 'string', description: 'Older word for `unit`.' },
    array_size: {
      type: 'integer',
      minimum: 0,
      maximum: 100_000_000,
      default: 1,
      description:
        'Elements of an array value; 0 or 1 for a scalar. Shorter arrays are filled up with 0; for longer ones the dataset grows.'
    },
    string_size: {
      type: 'integer',
      minimum: 1,
      maximum: 65_536,
      default: 200,
      description: 'Bytes of a text value (`dtype` string); longer texts are cut at a character.'
    },
    chunk_size: { type: 'integer', minimum: 1, default: 1024, description: 'Values per chunk of the datasets.' },
    cue_interval: {
      type: 'integer',
      minimum: 1,
      default: 4_294_967_295,
      description: 'A cue (index and time) after every so many values.'
    },
    meta_data: {
      type: 'boolean',
      default: true,
      description: 'Write minimum_value, maximum_value and average_value at the end, if there are values.'
    },
    store_latest_into: {
      type: 'string',
      minLength: 1,
      description: 'Name of a dataset that gets the last value at the end.'
    },
    enable_alarm_info: {
      type: 'boolean',
      default: true,
      description: 'f144: also write the alarms (al00) of the same source beside the values.'
    },
    enable_epics_con_info: {
      type: 'boolean',
      default: true,
      description: 'f144: also write the connection state (ep01) of the same source beside the values.'
    },
    enable_units_info: {
      type: 'boolean',
      default: false,
      description: 'f144: also write the units (un00) of the same source beside the values, and set them (ISIS).'
    },
    nexus: {
      type: 'object',
      description: 'Tuning of the 2018 writer; accepted, only `indices.index_every_kb` and `_mb` have an effect.'
    }
  },
  additionalProperties: false
} as const satisfies JSONSchema
