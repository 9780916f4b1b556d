// What may know what: api ← core ← plugins, schemas on the api alone, and no import in a circle, types included.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { importsOf, sources, texts } from './sources.js'

const own = sources.filter((name) => !name.endsWith('.test.ts'))
const within = (folder: string): string[] => own.filter((name) => name.startsWith(folder))
/** `file: target` of every import that is not allowed. */
const strays = (names: readonly string[], allowed: (target: string, name: string) => boolean): string[] =>
  names.flatMap((name) =>
    importsOf(name)
      .filter((target) => !allowed(target, name))
      .map((target) => `${name}: ${target}`)
  )
const isOurs = (target: string): boolean => /^(core|plugins|schemas|commands|test|docs|bench|examples)\//.test(target)

/** The groups of files that import each other in a circle (Tarjan). */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = []
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const visit = (name: string): void => {
    index.set(name, index.size)
    low.set(name, index.get(name) ?? 0)
    stack.push(name)
    for (const target of graph.get(name) ?? []) {
      if (!index.has(target)) visit(target)
      if (stack.includes(target)) low.set(name, Math.min(low.get(name) ?? 0, low.get(target) ?? 0))
    }
    if (low.get(name) !== index.get(name)) return
    const group = stack.splice(stack.indexOf(name))
    if (group.length > 1 || (graph.get(name) ?? []).includes(name)) found.push(group.toSorted())
  }
  for (const name of graph.keys()) if (!index.has(name)) visit(name)
  return found
}

describe('imports', () => {
  it('go in no circle, types included', () => {
    const graph = new Map(
      sources.map((name) => [name, importsOf(name).map((target) => target.replace(/\.js$/, '.ts'))])
    )
    // The finder of circles finds one
    assert.deepEqual(circles(new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]])), [['b', 'c']]) // prettier-ignore
    assert.deepEqual(circles(graph), [])
  })

  it('of the API lead to nothing of ours but the API', () => {
    assert.deepEqual(strays(within('core/api/'), (target) => target.startsWith('core/api/') || !isOurs(target)), []) // prettier-ignore
  })

  it('of schemas lead to the API only', () => {
    const allowed = (target: string): boolean => /^(schemas|core\/api)\//.test(target) || !isOurs(target)
    // A program that makes code, not part of the product
    const names = within('schemas/').filter((name) => name !== 'schemas/generate.ts')
    assert.deepEqual(strays(names, allowed), [])
  })

  it('of core lead to no plugin, and core names none', () => {
    assert.deepEqual(strays(within('core/'), (target) => !/^(plugins|commands|test|docs|bench|examples)\//.test(target)), []) // prettier-ignore
    const names = readdirSync(join(packageRoot, 'plugins'))
    const naming = within('core/').flatMap(
      (name) =>
      names.filter((plugin) => new RegExp(`['"\`]${plugin}['"\`]`).test(texts.get(name) ?? '')).map((plugin) => `${name}: ${plugin}`) // prettier-ignore
    )
    assert.deepEqual(naming, [])
  })

  it('of core know no word of NeXus and HDF5', () => {
    const words = /nexus|hdf5|h5|\bnx|\bSTRUCTURE_/i
    const knowing = within('core/').flatMap(
      (name) =>
      (texts.get(name) ?? '').split('\n').flatMap((line, i) => (words.test(line) ? [`${name}:${i + 1}: ${line.trim()}`] : [])) // prettier-ignore
    )
    assert.deepEqual(knowing, [])
  })

  it('of plugins lead to the API, schemas and what siblings publish', () => {
    const published = ['service-filewriter/writer-kit', 'service-filewriter/nexus-kit', 'service-event-formation/readout-kit', 'service-adara/adara-kit', 'service-adara/topics-kit', 'service-adara/flow-kit', 'service-aggregator/frames-kit', 'tools-daemon/tool-kit', 'tools-recording/recording-kit', 'reporter-prometheus/daemon-metrics', 'reporter-graphite/sender'].map((name) => `plugins/${name}.js`) // prettier-ignore
    const parts = sources.filter((name) => name.startsWith('plugins/') && !name.endsWith('.test.ts'))
    const { dependencies, peerDependencies } = JSON.parse(texts.get('package.json') ?? '') as Record<string, object>
    // What is asked for when it is wanted is told to npm, too
    const packages = { ...dependencies, ...peerDependencies }
    const allowed = (name: string, target: string): boolean => {
      const [, plugin = ''] = name.split('/')
      if (target.startsWith('node:')) return true
      // The entry for plugins from elsewhere gathers what is theirs
      if (
        name === 'plugins/api.ts' &&
        /^plugins\/service-(filewriter\/writer-part|event-formation\/readout-kit)\.js$/.test(target)
      )
        return true
      if (target === 'core/api/plugin.js' || published.includes(target)) return true
      if (target.startsWith('schemas/')) return true
      if (target.startsWith(`plugins/${plugin}/`)) return true
      const [scope = '', second = ''] = target.split('/')
      return Object.hasOwn(packages, scope.startsWith('@') ? `${scope}/${second}` : scope)
    }
    const wrong = parts.flatMap((name) => importsOf(name).filter((target) => !allowed(name, target)).map((target) => `${name}: ${target}`)) // prettier-ignore
    assert.deepEqual(wrong, [])
  })

  it('a converter could leave as it is: it imports nexstream/plugin, nexstream/schemas and what is in its folder', () => {
    const { exports } = JSON.parse(texts.get('package.json') ?? '') as { exports: Record<string, { default: string }> }
    const entries = ['./plugin', './schemas'].map((name) => exports[name]?.default.replace('./dist/', ''))
    // All of the core's part is in the entry
    assert.ok(texts.get('plugins/api.ts')?.includes("export * from '../core/api/plugin.js'"))
    const published = [...entries, 'core/api/plugin.js']
    const own = sources.filter((name) => /^plugins\/converter-/.test(name) && !name.endsWith('.test.ts'))
    assert.ok(own.length >= 14)
    const wrong = own.flatMap((name) =>
      importsOf(name)
        .filter((target) => !published.includes(target) && !target.startsWith(`${posix.dirname(name)}/`))
        .map((target) => `${name}: ${target}`)
    )
    assert.deepEqual(wrong, [])
  })

  it('schemas/ imports nothing of nexstream but core/api/', () => {
    const own = sources.filter((name) => name.startsWith('schemas/') && !name.endsWith('.test.ts'))
    const wrong = own.flatMap((name) =>
      importsOf(name)
        .filter((target) => /^(core|plugins|commands|test)\//.test(target) && !target.startsWith('core/api/'))
        .map((target) => `${name}: ${target}`)
    )
    assert.deepEqual(wrong, [])
  })
})
