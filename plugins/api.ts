// `nexstream/plugin`: all that a plugin from elsewhere imports. The core's part of it, and what formats and files add to it.
export * from '../core/api/plugin.js'
export { BySource } from '../schemas/by-source.js'
export * from '../schemas/epics.js'
export * from '../schemas/json-text.js'
export type * from '../schemas/records.js'
export { LARGE_BYTES, once, Spares } from '../schemas/spares.js'
export * from './service-filewriter/writer-part.js'
