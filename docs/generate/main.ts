// `npm run docs`: writes the generated docs; --check says which are stale; --record asks a real daemon for the examples first.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../core/root.js'
import { allPages, isFresh } from './pages.js'
import { recordedFile } from './recorded.js'

const { values } = parseArgs({
  options: { check: { type: 'boolean', default: false }, record: { type: 'boolean', default: false } }
})

if (values.record) {
  // Brings Kafka along, so it is loaded only when asked for
  const { record } = await import('./record.js')
  mkdirSync(dirname(recordedFile), { recursive: true })
  writeFileSync(recordedFile, JSON.stringify(await record(), null, 2) + '\n')
}
const stale: string[] = []
for (const { path, content } of await allPages()) {
  if (isFresh({ path, content })) continue
  stale.push(path)
  if (!values.check) {
    const file = join(packageRoot, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}
const verb = values.check ? 'is stale' : 'written'
for (const path of stale) console.log(`${path} ${verb}`)
if (values.check && stale.length > 0) {
  console.error(`${stale.length} of the generated docs are stale; run 'npm run docs'`)
  process.exitCode = 1
} else if (stale.length === 0) console.log('the generated docs are fresh')
