// Transpiles every TypeScript file to dist/ (types are checked by `npm run typecheck`).
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const page = 'plugins/reporter-web/page'
const folders = ['core', 'plugins', 'schemas', 'commands', 'test', 'bench', 'examples', 'docs']
const files = folders
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)))
  // samples are programs of their own, the page is for browsers
  .filter(
    (name) =>
      name.endsWith('.ts') &&
      !name.endsWith('.d.ts') &&
      !name.startsWith('test/samples') &&
      !name.startsWith(`${page}/`)
  )
if (process.argv.includes('--clean')) rmSync('dist', { recursive: true, force: true })
// an import of types alone must not load its module: a daemon's thread would load the config's parsers
const tsconfigRaw = { compilerOptions: { target: 'es2023', verbatimModuleSyntax: false } }
dropOrphans()
await build({
  entryPoints: files,
  outdir: 'dist',
  outbase: '.',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  tsconfigRaw,
  logLevel: 'warning'
})

await buildPage()

/** The page in the browser, with preact, htm and uPlot in it: nothing is fetched from elsewhere. */
async function buildPage() {
  const outdir = join('dist', page, '../public')
  rmSync(outdir, { recursive: true, force: true })
  await build({
    entryPoints: ['main.ts', 'file-worker.ts', 'style.css'].map((name) => join(page, name)),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    tsconfigRaw,
    legalComments: 'inline',
    logLevel: 'warning'
  })
  for (const name of ['index.html', 'icon.svg']) copyFileSync(join(page, name), join(outdir, name))
}

/** What was made of files that have moved since: a plugin would be found twice. */
function dropOrphans() {
  if (!existsSync('dist')) return
  const sources = new Set(files)
  for (const name of readdirSync('dist', { recursive: true })) {
    const source = name.replace(/(\.js|\.js\.map|\.d\.ts)$/, '.ts')
    if (source !== name && !sources.has(source)) rmSync(join('dist', name))
  }
}
