// What messages a port takes.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { schemaIds } from '../../schemas/index.js'

export const udpConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    schemas: {
      type: 'array',
      default: [],
      description: 'Schema ids that are taken, e.g. `["ev44"]`; [] takes every known one.',
      items: { enum: schemaIds }
    },
    sources: {
      type: 'array',
      default: [],
      description: 'Source names that are taken; [] takes all.',
      items: { type: 'string' }
    }
  }
} as const satisfies JSONSchema

export type UdpConfig = Options<typeof udpConfig>
