// What must hold for every file of the repository, found by looking at all of them.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { packageRoot } from '../../core/root.js'

/** What git has, or in a copy without git what lies here. */
function trackedFiles(): string[] {
  if (existsSync(join(packageRoot, '.git')))
    return execFileSync('git', ['ls-files', '-z'], { cwd: packageRoot, maxBuffer: 1 << 24 })
      .toString()
      .split('\0')
      .filter((name) => name !== '' && existsSync(join(packageRoot, name)))
  const skipped = /^(node_modules|dist|out|coverage)\//
  return readdirSync(packageRoot, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !skipped.test(name) && statSync(join(packageRoot, name)).isFile()
  )
}

const files = trackedFiles()
const binary = /\.(bin|nxs|h5|hdf|png|ico|woff2?|gz|zst)$/
const texts = new Map(
  files.filter((name) => !binary.test(name)).map((name) => [name, readFileSync(join(packageRoot, name), 'utf8')])
)
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

// what flatc makes is not held to our style
const isSource = (name: string): boolean =>
  /\.ts$/.test(name) && !/^(schemas\/generated|examples\/plugins\/converter-rd00\/rd00)\//.test(name)
const sources = files.filter((name) => isSource(name) && !name.startsWith('test/samples/'))

/** The modules that a source imports, also lazily and as types, as paths in the repository or package names. */
function importsOf(name: string): string[] {
  const text = texts.get(name) ?? ''
  const found = [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom '([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g)
  ]
  return found.map(([, plain, lazy]) => {
    const target = plain ?? lazy ?? ''
    return target.startsWith('.') ? posix.join(posix.dirname(name), target) : target
  })
}

describe('hygiene', () => {
  it('finds the files', () => {
    assert.ok(files.length > 900, String(files.length))
    assert.ok(sources.length > 300, String(sources.length))
    // the finder of imports sees all forms
    assert.ok(importsOf('core/cli/program.ts').includes('core/cli/check.js'))
    assert.ok(importsOf('core/cli/program.ts').includes('commander'))
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

  it('no word of how we worked is in it, and nothing is left for later', () => {
    assert.deepEqual(
      linesWith(/\b(agents?|farm|helpers?)\b/i, (name) => name !== 'package-lock.json'),
      []
    )
    assert.deepEqual(linesWith(/\b(TODO|FIXME|XXX|HACK)\b|\b(it|describe)\.(only|skip)\(|\bdebugger\b/, isSource), [])
    // generated code alone is not checked
    assert.deepEqual(linesWith(/eslint-disable(?!-next-line)|@ts-ignore|@ts-nocheck/, (name) => isSource(name) && name !== 'schemas/generate.ts'), []) // prettier-ignore
  })

  it('every source says in its first line what it is for', () => {
    const silent = sources.filter((name) => {
      const [first = '', second = ''] = (texts.get(name) ?? '').split('\n')
      const line = first.startsWith('#!') ? second : first
      // tests of one module stand beside it and need no words
      return !/^\/\/ \S.{9,}/.test(line) && !name.endsWith('.test.ts')
    })
    assert.deepEqual(silent, [])
  })

  it('core knows no plugin: it imports none and names none', () => {
    const importing = sources.filter((name) => name.startsWith('core/') && importsOf(name).some((to) => to.startsWith('plugins/'))) // prettier-ignore
    assert.deepEqual(importing, [])
    const names = readdirSync(join(packageRoot, 'plugins'))
    const own = sources.filter((name) => name.startsWith('core/') && !name.endsWith('.test.ts'))
    const naming = own.flatMap(
      (name) =>
      names.filter((plugin) => new RegExp(`['"\`]${plugin}['"\`]`).test(texts.get(name) ?? '')).map((plugin) => `${name}: ${plugin}`) // prettier-ignore
    )
    assert.deepEqual(naming, [])
  })

  it('plugins import only the plugin API, schemas and types of their siblings', () => {
    const parts = sources.filter((name) => name.startsWith('plugins/') && !name.endsWith('.test.ts'))
    const { dependencies } = JSON.parse(texts.get('package.json') ?? '') as { dependencies: Record<string, string> }
    const allowed = (name: string, target: string): boolean => {
      const [, plugin = ''] = name.split('/')
      if (target.startsWith('node:')) return true
      if (target === 'core/api/plugin.js' || target === 'plugins/service-filewriter/writer-kit.js') return true
      if (target.startsWith('schemas/')) return true
      if (target.startsWith(`plugins/${plugin}/`)) return true
      const [scope = '', second = ''] = target.split('/')
      return Object.hasOwn(dependencies, scope.startsWith('@') ? `${scope}/${second}` : scope)
    }
    const wrong = parts.flatMap((name) => importsOf(name).filter((target) => !allowed(name, target)).map((target) => `${name}: ${target}`)) // prettier-ignore
    assert.deepEqual(wrong, [])
  })

  it('a converter could leave as it is: it imports nexstream/plugin, nexstream/schemas and what is in its folder', () => {
    const { exports } = JSON.parse(texts.get('package.json') ?? '') as { exports: Record<string, { default: string }> }
    const published = ['./plugin', './schemas'].map((name) => exports[name]?.default.replace('./dist/', ''))
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

  it('only core/kafka/ knows Kafka clients, only plugins/service-filewriter/file/ the HDF5 library', () => {
    const home: Readonly<Record<string, RegExp>> = {
      kafkajs: /^(core\/kafka|test|bench|examples|docs)\/|\.test\.ts$/,
      h5wasm: /^(plugins\/service-filewriter\/file|test|bench)\/|\.test\.ts$/
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
