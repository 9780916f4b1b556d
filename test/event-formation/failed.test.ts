// A detector whose thread dies: told, the daemon is not ready until it is stopped or started again, and its figures go with its job.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../../core/root.js'
import { type Detectors, LiveFormation } from './live.js'

/** Takes its thread with it at the first packet. */
const plugin = (api: string): string => `
import { API, definePlugin, defineReadout } from ${JSON.stringify(api)}
const part = defineReadout({
  id: 'deadly', summary: 'Ends its thread.', detectorType: null, config: { type: 'object' },
  open: () => ({ process: () => process.exit(1) })
})
export default definePlugin({ name: 'readout-deadly', version: '1.0.0', api: API, summary: 'Ends its thread.', apply: (registry) => registry.readout(part) })
`

describe('a detector whose thread dies', () => {
  it('makes the daemon unready until it is stopped, and no longer', async () => {
    const live = await LiveFormation.open(({ names, ports }) => `[services.event_formation.detectors.deadly]
family = "deadly"
topic = "${names.events}"
host = "127.0.0.1"
port = ${ports[0]}
[[plugins]]
use = "./deadly.mjs"
`, {}, { more: (folder) => writeFileSync(join(folder, 'deadly.mjs'), plugin(pathToFileURL(join(packageRoot, 'dist/plugins/api.js')).href)) }) // prettier-ignore
    try {
      await live.up()
      await live.send([Buffer.from('packet')])
      const { not_ready: reasons } = await live.snapshot('the failure', ({ not_ready: why }) => why.length > 0)
      assert.match(reasons[0] ?? '', /^detector deadly has failed: its thread ended with code 1/)
      const heard = live.control.said.length
      const stopped = await live.command('stop', { job_id: 'deadly' })
      assert.equal(stopped['message'], 'deadly has failed before; that is forgotten')
      await live.control.wait((said) => {
        const services = said.json?.['services'] as Record<string, Detectors> | undefined
        return live.control.said.indexOf(said) >= heard && services?.['event_formation']?.not_ready.length === 0
      }, 'that it is ready')
      const again = await live.command('stop', { job_id: 'deadly' })
      assert.equal(again['response'], 'ERR')
    } finally {
      assert.equal(await live.close(), 0)
    }
  })
})
