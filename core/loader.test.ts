import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadPlugins } from './loader.js'

const manifest = (extra: string, apply = ''): string =>
  `export default { name: 'third-party', version: '1.0.0', api: 2, summary: 'A test.', ${extra} apply(registry, options) { ${apply} } }`

describe('loader', () => {
  let baseFolder: string
  beforeEach(() => (baseFolder = mkdtempSync(join(tmpdir(), 'nexstream-plugins-'))))
  afterEach(() => rmSync(baseFolder, { recursive: true }))

  const load = (code: string, options?: Record<string, unknown>) => {
    mkdirSync(join(baseFolder, 'p'), { recursive: true })
    writeFileSync(join(baseFolder, 'p', 'index.mjs'), code)
    return loadPlugins({
      plugins: [{ use: './p', ...(options === undefined ? {} : { options }) }],
      builtin: [],
      baseFolder
    })
  }
  const fails = (code: string, expected: { code: string; path?: string }, options?: Record<string, unknown>) =>
    assert.rejects(load(code, options), expected)

  it('loads a plugin by path and finds its parts, which may import nexstream/plugin', async () => {
    const code = `import { defineWriter } from 'nexstream/plugin'
      const writer = defineWriter({ id: 'xx00', summary: 's', accepts: ['xx00'], nxClass: 'NXlog', keepsLast: true, config: { type: 'object' }, open() { return { write() {} } } })
      ${manifest("options: { type: 'object', properties: { size: { type: 'integer', default: 4, description: 'd' } } },", 'registry.writer({ ...writer, summary: String(options.size) })')}`
    const loaded = await load(code)
    const { host, plugins } = loaded
    assert.equal(host.part('writer', 'xx00')?.summary, '4')
    assert.equal(host.owner('writer', 'xx00'), 'third-party')
    assert.deepEqual(host.ids('writer'), ['xx00'])
    assert.deepEqual(
      plugins.map(({ name, builtin }) => [name, builtin]),
      [['third-party', false]]
    )
    await loaded.close()
  })

  it('refuses what is not a plugin', () =>
    fails('export const a = 1', { code: 'PLUGIN_MANIFEST', path: '/plugins/0/use' }))
  it('refuses what cannot be imported', () =>
    fails('export default {', { code: 'PLUGIN_NOT_FOUND', path: '/plugins/0/use' }))
  it('refuses another API major', () =>
    fails(manifest('').replace('api: 2', 'api: 1'), { code: 'PLUGIN_API', path: '/plugins/0/use' }))
  it('refuses an option schema that is wrong or undescribed', async () => {
    await fails(manifest("options: { type: 'objekt' },"), { code: 'PLUGIN_SCHEMA' })
  })
  it('refuses an option without description', () =>
    fails(manifest("options: { type: 'object', properties: { a: { type: 'string' } } },"), { code: 'PLUGIN_SCHEMA' }))
  it('refuses unknown options with their path', () =>
    fails(manifest(''), { code: 'PLUGIN_OPTIONS', path: '/plugins/0/options/typo' }, { typo: 1 }))
  it('names the plugin whose apply throws', () =>
    fails(manifest('', "throw new Error('boom')"), {
      code: 'PLUGIN_FAILED',
      message: /\[plugin third-party\] apply: boom/
    } as never))
  it('refuses two parts of one id, naming both plugins', () =>
    fails(manifest('', "const p = { id: 'a', config: { type: 'object' } }; registry.source(p); registry.source(p)"), {
      code: 'PLUGIN_DUPLICATE_ID'
    }))
  it('says where it looked for a missing plugin', async () => {
    await assert.rejects(loadPlugins({ plugins: [{ use: './absent' }], builtin: [], baseFolder }), {
      code: 'PLUGIN_NOT_FOUND',
      path: '/plugins/0/use'
    })
    await assert.rejects(loadPlugins({ plugins: [{ use: 'nexstream-plugin-absent' }], builtin: [], baseFolder }), {
      code: 'PLUGIN_NOT_FOUND',
      message: /npm install/
    })
    await assert.rejects(loadPlugins({ plugins: [], builtin: ['absent'], baseFolder }), {
      code: 'PLUGIN_NOT_FOUND',
      path: '/daemon/builtin_plugins/0'
    })
  })
  it('says where the part is that a plugin of its own brought before', async () => {
    const home = { code: 'PLUGIN_NOT_FOUND', message: /'converter-f142'.* is part of converter-logs$/ }
    await assert.rejects(loadPlugins({ plugins: [], builtin: ['converter-f142'], baseFolder }), home)
    await assert.rejects(loadPlugins({ plugins: [{ use: 'converter-f142' }], baseFolder }), home)
  })

  it('loads all built-in plugins together', async () => {
    const loaded = await loadPlugins({ plugins: [], baseFolder })
    assert.ok(loaded.plugins.length > 0)
    await loaded.close()
  })
})
