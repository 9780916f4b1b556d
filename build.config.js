// Transpiles every TypeScript file to dist/ (types are checked by `npm run typecheck`).
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const folders = ['core', 'plugins', 'schemas', 'commands', 'test', 'bench', 'examples', 'docs']
const files = folders
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)))
  // samples are programs of their own
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.startsWith('test/samples'))
if (process.argv.includes('--clean')) rmSync('dist', { recursive: true, force: true })
dropOrphans()
await build({
  entryPoints: files,
  outdir: 'dist',
  outbase: '.',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  // an import of types alone must not load its module: a daemon's thread would load the config's parsers
  tsconfigRaw: { compilerOptions: { target: 'es2023', verbatimModuleSyntax: false } },
  logLevel: 'warning'
})

/** What was made of files that have moved since: a plugin would be found twice. */
function dropOrphans() {
  if (!existsSync('dist')) return
  const sources = new Set(files)
  for (const name of readdirSync('dist', { recursive: true })) {
    const source = name.replace(/(\.js|\.js\.map|\.d\.ts)$/, '.ts')
    if (source !== name && !sources.has(source)) rmSync(join('dist', name))
  }
}
