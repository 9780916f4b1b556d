// Look-up of the parts that plugins have brought, and checks against their schemas.
import { type Finding } from './command.js'
import { type ConverterPart } from './converter.js'
import { type JSONSchema } from './part.js'
import { type SourcePart } from './source.js'
import { type OpenedByService } from './writer.js'

/** The loaded parts by id. */
export interface PartLookup {
  source(id: string): SourcePart | undefined
  converter(id: string): ConverterPart | undefined
  writer(id: string): OpenedByService | undefined
  /** Sorted. */
  ids(kind: 'source' | 'converter' | 'writer'): string[]
  /** Checks a value against a JSON Schema; [] when it fits. Defaults are filled in. */
  check(schema: JSONSchema, value: unknown, path?: string): Finding[]
}
