// Static dataset nodes of both grammars.
import { plainNumbers } from '../../../core/api/plugin.js'
import { readAttributes, readType } from './attributes.js'
import { below, isObject, nameTrouble, own, type Findings, type JsonObject } from './findings.js'
import { type PlanDataset } from './plan.js'
import { typedValue } from './values.js'

/**
 * `node` is the dataset node (old grammar) or its config (new). The old one types integers as int64 and takes shape and
 * type from `dataset: { type, size, string_size }`; the new one makes numbers without a dtype double.
 */
export function readDataset(
  node: JsonObject,
  grammar: 'old' | 'new',
  at: string,
  findings: Findings
): PlanDataset | undefined {
  const name = own(node, 'name')
  const bad = nameTrouble(name)
  if (bad !== undefined) findings.add(below(at, 'name'), bad)
  const type = typeNode(node, grammar, at, findings)
  const options = readType(type.node, type.at, findings)
  const key = Object.hasOwn(node, 'values') ? 'values' : 'value'
  const attributes = Object.fromEntries(readAttributes(node, at, findings))
  if (!Object.hasOwn(node, key)) {
    findings.add(below(at, 'values'), 'is missing; a dataset needs values')
    return undefined
  }
  const guess = grammar === 'old' ? 'integer' : 'float64'
  const full = { dtype: options.dtype, stringSize: options.stringSize, guess } as const
  const typed = typedValue(own(node, key), full, below(at, key), findings)
  if (typed === undefined || bad !== undefined) return undefined
  const size = readSize(plainNumbers(own(type.node, 'size')), typed.shape, grammar, below(type.at, 'size'), findings)
  if (size === undefined) return undefined
  const { dtype, value } = typed
  if (size.unlimited && dtype === 'string') {
    findings.add(type.at, 'an unlimited dataset of strings needs string_size')
    return undefined
  }
  return { name: name as string, dtype, shape: typed.shape, value, unlimited: size.unlimited, attributes, at }
}

function typeNode(
  node: JsonObject,
  grammar: 'old' | 'new',
  at: string,
  findings: Findings
): { node: JsonObject; at: string } {
  if (grammar === 'new') return { node, at }
  const inner = own(node, 'dataset')
  // In the old grammar `type` of the node itself is the kind of node.
  if (inner === undefined) return { node: { dtype: own(node, 'dtype') }, at }
  const where = below(at, 'dataset')
  if (!isObject(inner)) {
    findings.add(where, 'must be an object')
    return { node: {}, at: where }
  }
  for (const key of Object.keys(inner))
    if (!['type', 'dtype', 'size', 'string_size', 'space', 'encoding'].includes(key))
      findings.add(below(where, key), 'unknown key')
  return { node: inner, at: where }
}

function readSize(
  size: unknown,
  shape: readonly number[],
  grammar: 'old' | 'new',
  at: string,
  findings: Findings
): { unlimited: boolean } | undefined {
  if (size === undefined) return { unlimited: false }
  const list: unknown[] = Array.isArray(size) ? (size as unknown[]) : [size]
  const unlimited = list[0] === 'unlimited'
  const sound = list.every((n, i) => (i === 0 && unlimited) || (Number.isInteger(n) && (n as number) >= 0))
  if (!sound) {
    findings.add(at, "must be a list of sizes; only the first may be 'unlimited'")
    return undefined
  }
  if (unlimited && shape.length === 0) {
    findings.add(at, 'an unlimited dataset needs a list of values')
    return undefined
  }
  // The newer grammar takes the shape from the values whatever size says.
  const scalar = shape.length === 0 && list.length === 1 && list[0] === 1
  const same = list.length === shape.length && list.every((n, i) => n === 'unlimited' || n === shape[i])
  if (grammar === 'old' && !same && !scalar) {
    findings.add(at, `says [${list.join(', ')}] but the values have the shape [${shape.join(', ')}]`)
    return undefined
  }
  return { unlimited }
}
