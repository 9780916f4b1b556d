// nexus_structure → plan: both node grammars of the field. Everything wrong is found here, before a file exists.
import { type Finding, numberText } from '../../../core/api/plugin.js'
import { readAttributes } from './attributes.js'
import { readDataset } from './datasets.js'
import { below, Findings, isObject, nameTrouble, own, type JsonObject } from './findings.js'
import { leftOutStreams, type LeftOut } from './left-out.js'
import { checkLinks, readLink } from './links.js'
import { type WriterParts } from './parts.js'
import { allGroups, planGroup, type StructurePlan, type PlanDataset, type PlanGroup } from './plan.js'
import { type Flavour, flavours, isFlavour } from './flavour.js'
import { makeMantid } from './mantid.js'
import { checkMoreFiles } from './more-files.js'
import { addCompanions, checkNames, checkPartitions, readStream } from './streams.js'
import { type Template } from './template.js'
import { readJson } from '../../../schemas/index.js'

export type { WriterParts } from './parts.js'

export interface StructureOptions {
  /** JSON path of the structure in what the user sent. */
  readonly at?: string
  /** Most bytes of JSON text; default 512 MiB, the longest string of the run time. */
  readonly maxBytes?: number
  /** What this structure is laid over: the static part of an instrument's files. */
  readonly template?: Template
  /** Where the structure says none; default usual. */
  readonly flavour?: Flavour | undefined
}

export interface Checked {
  /** What is good; all of it only when there are no findings. */
  readonly plan: StructurePlan
  readonly findings: readonly Finding[]
  /** Streams that are not in the plan because of what was found. */
  readonly leftOut: readonly LeftOut[]
  /** No JSON, no object, or too large: not even a lenient job can begin. */
  readonly unreadable: boolean
}

const MAX_DEPTH = 64
const MAX_NODES = 1_000_000
const legacyKeys = ['nexus_class', 'comment', 'description_text']
/** What the control program keeps in its structures for itself. */
const foreignKey = /^required_/

/**
 * Checks a structure, given as JSON text or as an object. Never throws for what a user can get wrong: all of it is in
 * `findings`, each with code and JSON path, and `plan` holds the good rest.
 */
export function checkStructure(structure: unknown, parts: WriterParts, options: StructureOptions = {}): Checked {
  const at = options.at ?? ''
  const findings = new Findings()
  const { template } = options
  const root = typeof template === 'object' ? template.root : planGroup('', undefined, at)
  const walk = new Walk(parts, findings, root)
  if (template !== undefined) {
    walk.template(template, options.maxBytes)
    walk.beginOverlay()
  }
  const json = typeof structure === 'string' ? parse(structure, options.maxBytes, at, findings) : structure
  if (isObject(json)) walk.root(json, at)
  else if (findings.list.length === 0) findings.add(at, 'must be an object with children')
  if (isObject(json))
    checkMoreFiles(json, at, findings, (further, its) => {
      const { flavour, maxBytes } = options
      const { findings: found } = checkStructure(further, parts, {
        at: its,
        flavour,
        ...(maxBytes !== undefined && { maxBytes })
      })
      for (const { path, message, code } of found) findings.add(path, message, code)
    })
  addCompanions(walk.plan, parts, findings)
  if ((walk.plan.flavour ?? options.flavour) === 'mantid') makeMantid(walk.plan, parts, findings)
  checkPartitions(walk.plan, findings)
  checkNames(walk.plan, findings)
  checkLinks(walk.plan, findings)
  const leftOut = findings.list.length === 0 ? [] : leftOutStreams(json, at, walk.plan, parts)
  return { plan: walk.plan, findings: findings.list, leftOut, unreadable: !isObject(json) }
}

function parse(text: string, maxBytes: number | undefined, at: string, findings: Findings): unknown {
  const limit = maxBytes ?? 512 * 1024 * 1024
  if (text.length > limit) {
    findings.add(at, `has ${text.length} characters; the limit is ${limit}`)
    return undefined
  }
  try {
    return readJson(text)
  } catch (error) {
    findings.add(at, `NeXus structure JSON cannot be parsed: ${(error as Error).message}`)
    return undefined
  }
}

function notANode(node: unknown): string {
  const left =
    typeof node === 'string' ? `; '${node.slice(0, 60)}' looks like a placeholder that nothing took the place of` : ''
  return `must be an object${left}`
}

/** The config of a stream node, the key that it stands at, and the module where the node names it. */
interface StreamNode {
  readonly config: unknown
  readonly key: 'stream' | 'config'
  readonly module: string | undefined
}

class Walk {
  readonly plan: StructurePlan
  #nodes = 0
  /** What the template has made: a structure may add to it. */
  readonly #given = new WeakSet<PlanGroup | PlanDataset>()

  readonly #parts: WriterParts
  readonly #findings: Findings

  constructor(parts: WriterParts, findings: Findings, root: PlanGroup) {
    this.#parts = parts
    this.#findings = findings

    this.plan = { root, streams: [] }
  }

  template(template: Template, maxBytes: number | undefined): void {
    if (typeof template === 'object') {
      for (const { path, message, code } of template.findings) this.#findings.add(path, message, code)
      return
    }
    const json = parse(template, maxBytes, '/template', this.#findings)
    if (isObject(json)) this.root(json, '/template')
    else if (this.#findings.list.length === 0) this.#findings.add('/template', 'must be an object with children')
  }

  /** What is there by now is the template. */
  beginOverlay(): void {
    for (const group of allGroups(this.plan.root)) {
      this.#given.add(group)
      for (const dataset of group.datasets.values()) this.#given.add(dataset)
    }
  }

  root(node: JsonObject, at: string): void {
    const rootKeys = [
      'children',
      'attributes',
      'flavour',
      'more_files',
      'dynamic_version',
      'template_version',
      'name',
      'type',
      ...legacyKeys
    ]
    this.#keys(node, rootKeys, at)
    const { root } = this.plan
    const flavour = own(node, 'flavour')
    if (isFlavour(flavour)) this.plan.flavour = flavour
    else if (flavour !== undefined) this.#findings.add(below(at, 'flavour'), `must be one of ${flavours.join(', ')}`)
    for (const key of ['dynamic_version', 'template_version']) {
      const value = own(node, key)
      if (typeof value === 'string' || typeof value === 'number')
        root.attributes.set(key, numberText(value) ?? String(value))
      else if (value !== undefined) this.#findings.add(below(at, key), 'must be a string or number')
    }
    this.#content(node, root, at, 0)
  }

  #content(node: JsonObject, group: PlanGroup, at: string, depth: number): void {
    for (const [name, value] of readAttributes(node, at, this.#findings)) group.attributes.set(name, value)
    const children = own(node, 'children')
    if (children === undefined || children === null) return
    if (!Array.isArray(children)) return this.#findings.add(below(at, 'children'), 'must be a list')
    if (depth >= MAX_DEPTH)
      return this.#findings.add(below(at, 'children'), `groups are nested deeper than ${MAX_DEPTH} levels`)
    for (const [i, child] of (children as unknown[]).entries()) {
      if (++this.#nodes === MAX_NODES) this.#findings.add(at, `the structure has more than ${MAX_NODES} nodes`)
      if (this.#nodes >= MAX_NODES) return
      this.#child(child, group, below(below(at, 'children'), i), depth + 1)
    }
  }

  #child(node: unknown, parent: PlanGroup, at: string, depth: number): void {
    if (!isObject(node)) return this.#findings.add(at, notANode(node))
    const type = own(node, 'type')
    const module = own(node, 'module')
    if (typeof module === 'string') return this.#moduleNode(module, node, parent, at)
    switch (type) {
      case 'group':
        return this.#group(node, parent, at, depth)
      case 'dataset':
        this.#keys(node, ['type', 'name', 'values', 'value', 'dataset', 'attributes', 'dtype', ...legacyKeys], at)
        return this.#dataset(parent, readDataset(node, 'old', at, this.#findings))
      case 'link':
        this.#keys(node, ['type', 'name', 'target', 'source', 'kind', 'file', ...legacyKeys], at)
        return this.#put(parent, parent.links, readLink(node, parent, at, this.#findings))
      case 'stream':
        this.#keys(node, ['type', 'name', 'stream', 'attributes', 'run_parallel', 'children', ...legacyKeys], at)
        return this.#stream(node, { config: own(node, 'stream'), module: undefined, key: 'stream' }, parent, at)
      default:
        this.#findings.add(
          type === undefined ? at : below(at, 'type'),
          'needs `type` (group, dataset, stream, link) or `module` with `config`' +
            (type === undefined ? '' : `; ${JSON.stringify(type)} is neither`)
        )
    }
  }

  #moduleNode(module: string, node: JsonObject, parent: PlanGroup, at: string): void {
    this.#keys(node, ['module', 'type', 'name', 'config', 'attributes', 'children', ...legacyKeys], at)
    const config = own(node, 'config')
    const where = below(at, 'config')
    if (module !== 'dataset' && module !== 'link')
      return this.#stream(node, { config, module, key: 'config' }, parent, at)
    if (!isObject(config)) return this.#findings.add(where, 'is missing; it must be an object')
    if (module === 'link') {
      this.#keys(config, ['name', 'source', 'target', 'kind', 'file', 'type'], where)
      return this.#put(parent, parent.links, readLink(config, parent, where, this.#findings))
    }
    const known = ['name', 'values', 'value', 'dtype', 'type', 'size', 'string_size', 'space', 'attributes']
    this.#keys(config, known, where)
    const attributes = own(node, 'attributes') ?? own(config, 'attributes')
    this.#dataset(parent, readDataset({ ...config, attributes }, 'new', where, this.#findings))
  }

  #group(node: JsonObject, parent: PlanGroup, at: string, depth: number): void {
    this.#keys(node, ['type', 'name', 'children', 'attributes', ...legacyKeys], at)
    const name = own(node, 'name')
    const bad = nameTrouble(name)
    if (bad !== undefined) return this.#findings.add(below(at, 'name'), bad)
    const old = parent.groups.get(name as string)
    if (old !== undefined) {
      // The peers go on in the group that is there
      if (!this.#given.has(old)) this.#taken(parent, old.name, below(at, 'name'))
      return this.#content(node, old, at, depth)
    }
    const group = planGroup(name as string, parent, at)
    if (this.#taken(parent, group.name, below(at, 'name'))) return
    parent.groups.set(group.name, group)
    this.#content(node, group, at, depth)
  }

  #stream(node: JsonObject, { module, key, config: given }: StreamNode, parent: PlanGroup, at: string): void {
    const children = own(node, 'children')
    if (Array.isArray(children) && children.length > 0)
      this.#findings.add(below(at, 'children'), 'a stream has no children; put them into its group')
    // Attributes of a stream node belong to the group that it writes into.
    for (const [name, value] of readAttributes(node, at, this.#findings))
      if (!parent.attributes.has(name)) parent.attributes.set(name, value)
    const where = below(at, key)
    const config = given === undefined && module !== undefined ? {} : given
    if (!isObject(config)) return this.#findings.add(where, 'is missing; it must be an object')
    const reading = { plan: this.plan, parts: this.#parts, findings: this.#findings }
    readStream(config, module, { group: parent, at, where }, reading)
  }

  /** Values of a template stay as they are; attributes are added to and replaced. */
  #dataset(parent: PlanGroup, dataset: PlanDataset | undefined): void {
    const old = dataset === undefined ? undefined : parent.datasets.get(dataset.name)
    if (dataset === undefined || old === undefined || !this.#given.has(old))
      return this.#put(parent, parent.datasets, dataset)
    const merged = { ...old, attributes: { ...old.attributes, ...dataset.attributes } }
    this.#given.add(merged)
    parent.datasets.set(old.name, merged)
  }

  #put<T extends { name: string; at: string }>(parent: PlanGroup, into: Map<string, T>, item: T | undefined): void {
    if (item !== undefined && !this.#taken(parent, item.name, below(item.at, 'name'))) into.set(item.name, item)
  }

  #taken(parent: PlanGroup, name: string, at: string): boolean {
    const taken = parent.groups.has(name) || parent.datasets.has(name) || parent.links.has(name)
    if (taken) this.#findings.add(at, `'${name}' exists twice in ${parent.path}`)
    return taken
  }

  #keys(node: JsonObject, known: readonly string[], at: string): void {
    for (const key of Object.keys(node))
      if (!known.includes(key) && !foreignKey.test(key))
        this.#findings.add(below(at, key), `unknown key; known are ${known.slice(0, 8).join(', ')}`)
  }
}
