// The check of a nexus_structure, given as text: both grammars, every writer's options, templates.
import { lookupOf } from '../../../core/lookup.js'
import { loadPlugins } from '../../../core/loader.js'
import { packageRoot } from '../../../core/root.js'
import { checkStructure } from '../../../plugins/service-filewriter/structure/structure.js'
import { cases } from '../../hostile/damage.js'
import { promise, type Target } from '../target.js'

const { host } = await loadPlugins({ plugins: [], baseFolder: packageRoot })
const parts = lookupOf(host)
const text = (...children: readonly object[]): Buffer => Buffer.from(JSON.stringify({ children: [{ type: 'group', name: 'entry', attributes: { NX_class: 'NXentry' }, children }] })) // prettier-ignore

export default {
  isText: true,
  maxSteps: 2_000_000,
  maxBytes: 64 << 20,
  seeds: () => [
    ...Object.entries(cases).map(([id, { config }]) => text({ module: id, config: { topic: id, source: 'src', ...config } })), // prettier-ignore
    text(
      { type: 'dataset', name: 'a', values: [[1, 2], [3, 4]], dataset: { type: 'int32', size: [2, 2] }, attributes: [{ name: 'units', dtype: 'string', values: 'mm' }] }, // prettier-ignore
      { module: 'dataset', config: { name: 'b', dtype: 'string', values: ['x', 'y'] }, attributes: { u: 'm' } },
      { module: 'link', config: { name: 'l', source: '../entry/a' } },
      { type: 'link', name: 'm', target: '/entry/a' },
      { type: 'stream', stream: { topic: 't', source: 's', writer_module: 'f142', dtype: 'double' } },
      { type: 'group', name: 'g', children: [], attributes: [{ name: 'NX_class', values: 'NXlog' }] }
    )
  ],
  run: (input) => {
    const given = input.toString()
    const { findings, unreadable } = checkStructure(given, parts)
    for (const { path, message } of findings)
      promise(typeof path === 'string' && message !== '', 'a finding without words')
    promise(!unreadable || findings.length > 0, 'unreadable without a reason')
    checkStructure({ children: [] }, parts, { template: given })
  },
  allows: () => false
} satisfies Target
