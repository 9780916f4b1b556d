// Look-up of the parts that plugins have brought, and checks against their schemas.
import { type Finding } from './command.js'
import { type JSONSchema, type OpenedByService } from './part.js'

/** The loaded parts by id. */
export interface PartLookup {
  source(id: string): OpenedByService | undefined
  converter(id: string): OpenedByService | undefined
  writer(id: string): OpenedByService | undefined
  readout(id: string): OpenedByService | undefined
  /** Sorted. */
  ids(kind: 'source' | 'converter' | 'writer' | 'readout'): string[]
  /** Checks a value against a JSON Schema; [] when it fits. Defaults are filled in. */
  check(schema: JSONSchema, value: unknown, path?: string): Finding[]
}
