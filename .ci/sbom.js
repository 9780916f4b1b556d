// Writes sbom.cdx.json, what is in the package as CycloneDX: by npm from package-lock.json, at `npm pack` and `npm publish`.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const json = (file) => JSON.parse(readFileSync(file, 'utf8'))
const [file = 'sbom.cdx.json'] = process.argv.slice(2)
const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--loglevel=error']
const sbom = JSON.parse(execFileSync('npm', args, { encoding: 'utf8', maxBuffer: 1 << 26 }))

// npm's `--omit=dev` also leaves out what we need as well as our tools (yaml), so the lock file says what is no tool
const shipped = new Set(
  Object.entries(json('package-lock.json').packages)
    .filter(([, { dev }]) => dev !== true)
    .map(([path, { name = path.replace(/^.*node_modules\//, ''), version }]) => `${name}@${version}`)
)
sbom.components = sbom.components.filter(({ name, version }) => shipped.has(`${name}@${version}`))
const refs = new Set([sbom.metadata.component['bom-ref'], ...sbom.components.map((part) => part['bom-ref'])])
sbom.dependencies = sbom.dependencies
  .filter(({ ref }) => refs.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }))
// npm takes the name of the folder
sbom.metadata.component.name = json('package.json').name
writeFileSync(file, `${JSON.stringify(sbom, null, 2)}\n`)
