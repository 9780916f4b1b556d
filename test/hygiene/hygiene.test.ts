// What must hold for every file of the repository, found by looking at all of them.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { files, importsOf, isSource, sources, texts } from './sources.js'

/** `file:line` of every line that fits; this file, which names what it looks for, aside. */
function linesWith(pattern: RegExp, within: (name: string) => boolean = () => true): string[] {
  return [...texts]
    .filter(([name]) => within(name) && name !== 'test/hygiene/hygiene.test.ts')
    .flatMap(([name, text]) =>
      text
        .split('\n')
        .flatMap((line, i) => (pattern.test(line) ? [`${name}:${i + 1}: ${line.trim().slice(0, 80)}`] : []))
    )
}

describe('hygiene', () => {
  it('finds the files', () => {
    assert.ok(files.length > 900, String(files.length))
    assert.ok(sources.length > 300, String(sources.length))
    // The finder of imports sees all forms
    assert.ok(importsOf('commands/cli/program.ts').includes('commands/cli/run.js'))
    assert.ok(importsOf('commands/cli/program.ts').includes('commander'))
  })

  it('no file is over 1 MB, and no build output, data file or lock of another tool is tracked', () => {
    const large = files.filter((name) => statSync(join(packageRoot, name)).size > 1_000_000)
    assert.deepEqual(large, [])
    const stray = files.filter((name) =>
      /^(dist|out|node_modules|coverage)\/|\.(log|part|orig|rej|swp)$|^(yarn\.lock|pnpm-lock\.yaml)$/.test(name)
    )
    assert.deepEqual(stray, [])
  })

  it("no path of somebody's machine is in it", () => {
    assert.deepEqual(linesWith(/(^|[\s"'`(=:])\/(?:work|root|home\/[a-z]+|Users\/[A-Za-z]+)\//), [])
  })

  it('no host of a package registry or mirror is named', () => {
    // package-lock.json without resolved addresses installs from whatever registry the user has
    assert.deepEqual(
      linesWith(/"resolved":\s*"(?!file:)/, (name) => name.endsWith('package-lock.json')),
      []
    )
    const hosts =
      /https?:\/\/[^\s/"']*(?:npmjs\.org|pypi\.org|pythonhosted\.org|maven\.org|artifactory|nexus\d?\.|verdaccio)/
    assert.deepEqual(linesWith(hosts), [])
    assert.deepEqual(
      linesWith(/^\s*(registry|index-url|extra-index-url|proxy)\s*=/, (name) => !name.endsWith('.ts')),
      []
    )
  })

  it('a type that others may import has a name of its own', () => {
    const named = new Map<string, Set<string>>()
    const exported = new Set<string>()
    for (const name of sources.filter(
      (name) => /^(core|plugins|schemas|commands)\//.test(name) && !/\.test\./.test(name)
    ))
      for (const [, out, type = ''] of (texts.get(name) ?? '').matchAll(
        /^(export )?(?:interface|type|(?:abstract )?class) (\w+)/gm
      )) {
        // prettier-ignore
        named.set(type, (named.get(type) ?? new Set()).add(name))
        if (out !== undefined) exported.add(type)
      }
    const doubled = [...exported].filter((type) => (named.get(type)?.size ?? 0) > 1)
    assert.deepEqual(doubled.map((type) => `${type}: ${[...(named.get(type) ?? [])].join(', ')}`), []) // prettier-ignore
  })

  it('nothing is left for later', () => {
    assert.deepEqual(linesWith(/\b(TODO|FIXME|XXX|HACK)\b|\b(it|describe)\.(only|skip)\(|\bdebugger\b/, isSource), [])
    // Generated code alone is not checked
    assert.deepEqual(linesWith(/eslint-disable(?!-next-line)|@ts-ignore|@ts-nocheck/, (name) => isSource(name) && name !== 'schemas/generate.ts'), []) // prettier-ignore
  })

  it("core does not grow: what is not the daemon's goes to a plugin", () => {
    const core = sources.filter((name) => name.startsWith('core/') && !name.endsWith('.test.ts'))
    const lines = core.reduce((sum, name) => sum + (texts.get(name) ?? '').split('\n').length - 1, 0)
    assert.ok(lines <= 10_000, `core has ${lines} lines`)
  })

  it('every source says in its first line what it is for', () => {
    const silent = sources.filter((name) => {
      const [first = '', second = ''] = (texts.get(name) ?? '').split('\n')
      const line = first.startsWith('#!') ? second : first
      // Tests of one module stand beside it and need no words
      return !/^\/\/ \S.{9,}/.test(line) && !name.endsWith('.test.ts')
    })
    assert.deepEqual(silent, [])
  })

  it('only plugins/tools-topics/admin/ knows a Kafka client besides ours, only plugins/service-filewriter/file/ and the page in the browser the HDF5 library', () => {
    const home: Readonly<Record<string, RegExp>> = {
      kafkajs: /^(plugins\/tools-topics\/admin|test|bench|examples|docs)\/|\.test\.ts$/,
      h5wasm: /^(plugins\/service-filewriter\/file|plugins\/reporter-web\/page|test|bench)\/|\.test\.ts$/
    }
    const strays = sources.flatMap((name) =>
      importsOf(name)
        .filter((target) => Object.hasOwn(home, target.split('/')[0] ?? ''))
        .filter((target) => home[target.split('/')[0] ?? '']?.test(name) === false)
        .map((target) => `${name}: ${target}`)
    )
    assert.deepEqual(strays, [])
  })

  it('dependencies have exact versions and are all used', () => {
    const { dependencies, devDependencies } = JSON.parse(texts.get('package.json') ?? '') as Record<string, Record<string, string>> // prettier-ignore
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      assert.match(version, /^\d+\.\d+\.\d+$/, name)
    const code = sources.map((name) => texts.get(name) ?? '')
    const unused = Object.keys(dependencies ?? {}).filter((name) => !code.some((text) => text.includes(`'${name}'`) || text.includes(`'${name}/`))) // prettier-ignore
    assert.deepEqual(unused, [])
  })
})
