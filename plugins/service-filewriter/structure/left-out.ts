// Which streams of a structure did not make it into its plan: data that a lenient job will miss.
import { below, isObject, own, type JsonObject } from './findings.js'
import { type StructurePlan } from './plan.js'
import { writerOf, type WriterParts } from './parts.js'

export interface LeftOut {
  /** JSON path of the stream's node. */
  readonly at: string
  readonly module: string
  readonly topic: string
  readonly source: string
}

/** `root` is the parsed structure, whatever is wrong with it; static modules (no topic, no schemas) are no streams. */
export function leftOutStreams(root: unknown, at: string, plan: StructurePlan, parts: WriterParts): LeftOut[] {
  const taken = new Set(plan.streams.map((stream) => stream.at))
  const left: LeftOut[] = []
  // Not recursive: what is nested too deep is among what is left out
  const waiting: [node: unknown, at: string][] = [[root, at]]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [node, path] = next
    if (!isObject(node)) continue
    const stream = streamOf(node, path, parts)
    if (stream !== undefined && !taken.has(path)) left.push(stream)
    const children = own(node, 'children')
    if (!Array.isArray(children)) continue
    for (let i = children.length - 1; i >= 0; i--) waiting.push([children[i], below(below(path, 'children'), i)])
  }
  return left
}

function streamOf(node: JsonObject, at: string, parts: WriterParts): LeftOut | undefined {
  const old = own(node, 'type') === 'stream'
  const config = old ? own(node, 'stream') : own(node, 'config')
  const keys = isObject(config) ? config : {}
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const module = text(own(node, 'module') ?? own(keys, 'writer_module') ?? own(keys, 'module'))
  if (!old && (module === '' || module === 'dataset' || module === 'link')) return undefined
  const topic = text(own(keys, 'topic'))
  if (topic === '' && writerOf(parts, module)?.accepts.length === 0) return undefined
  return { at, module, topic, source: text(own(keys, 'source')) }
}
