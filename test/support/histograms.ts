// A histogram as a command has it, with the defaults of its schema.
import assert from 'node:assert/strict'
import { check } from '../../core/check.js'
import { type HistogramCommand, histogramSchema } from '../../plugins/service-histogram/histogram-schema.js'

export function histogramCommand(keys: object): HistogramCommand {
  const command = structuredClone(keys)
  assert.deepEqual(check(histogramSchema, command), [])
  return command as HistogramCommand
}
