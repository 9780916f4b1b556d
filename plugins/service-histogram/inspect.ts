// For `nexstream check`: what is wrong with a command beyond its schema.
import { CodedError, type Command, type Finding } from '../../core/api/plugin.js'
import { type HistogramCommand } from './histogram-schema.js'
import { type HistogramOptions } from './options.js'
import { specOf } from './spec.js'

export function inspect({ memory_bytes: limit }: HistogramOptions, command: Command | undefined): Finding[] {
  const list = command?.['histograms']
  if (!Array.isArray(list)) return []
  const findings: Finding[] = []
  let bytes = 0
  for (const [i, one] of (list as HistogramCommand[]).entries())
    try {
      bytes += specOf(one, `/histograms/${i}`, i, '').bytes
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      findings.push({ code: error.code, path: error.path ?? '/', message: error.message })
    }
  if (bytes > limit)
    findings.push({
      code: 'HISTOGRAM_MEMORY',
      path: '/histograms',
      message: `need ${bytes} bytes; memory_bytes is ${limit}`
    })
  return findings
}
