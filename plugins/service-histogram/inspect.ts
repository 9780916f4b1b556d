// For `nexstream check`: what is wrong with a command beyond its schema.
import { type Command, type Finding, findingOf } from '../../core/api/plugin.js'
import { type HistogramCommand } from './histogram-schema.js'
import { MemoryLeft } from './memory.js'
import { type HistogramOptions } from './options.js'
import { specOf } from './spec.js'

export function inspect({ memory_bytes: limit }: HistogramOptions, command: Command | undefined): Finding[] {
  const list = command?.['histograms']
  if (!Array.isArray(list)) return []
  const findings: Finding[] = []
  const memory = new MemoryLeft(limit, 0)
  for (const [index, one] of (list as HistogramCommand[]).entries())
    try {
      specOf(one, { path: `/histograms/${index}`, index, sender: '' }, memory)
    } catch (error) {
      findings.push(findingOf(error))
    }
  return findings
}
