import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a process that has run the code has loaded of the page's packages. */
const loadedBy = (code: string): string => {
  const script = `import { createRequire } from 'node:module'
${code}
console.log(Object.keys(createRequire(import.meta.url).cache).filter((name) => /node_modules.(fastify|uplot|preact|htm)/.test(name)).length)`
  return execFileSync(process.execPath, ['--input-type=module', '-e', script]).toString().trim()
}
const file = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)

describe('reporter-web', () => {
  it('costs a daemon without a page nothing: no package of it is loaded', function () {
    this.timeout(60_000)
    const load = `import { loadPlugins } from ${file('../../core/loader.js')}
const { host } = await loadPlugins({ plugins: [], baseFolder: ${JSON.stringify(fileURLToPath(new URL('.', import.meta.url)))} })
if (host.part('reporter', 'web') === undefined) throw new Error('not there')`
    assert.equal(loadedBy(load), '0')
    assert.notEqual(loadedBy(`await import(${file('server.js')})`), '0')
  })
})
