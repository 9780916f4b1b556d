// What a page that takes no commands says in a real browser.
import assert from 'node:assert/strict'
import { type Registry, type Reporter, type ReporterPart, type Kafka } from '../../core/api/plugin.js'
import { check } from '../../core/check.js'
import { start } from '../../plugins/service-filewriter/commands/start.js'
import plugin from '../../plugins/reporter-web/index.js'
import { openBrowser } from '../support/chromium.js'
import { serviceContext } from '../support/service-context.js'

describe('the page without commands', function () {
  this.timeout(60_000)
  let reporter: Reporter | undefined

  after(() => reporter?.close?.())

  it('shows what a command would be, and says how to switch sending on', async () => {
    let part: ReporterPart | undefined
    await plugin.apply({ reporter: (given: ReporterPart) => (part = given) } as unknown as Registry, {})
    const options = { port: 0 }
    assert.deepEqual(check(part!.config, options), [])
    const address = new Promise<string>((resolve) => {
      const log = (_level: string, text: string): void => {
        const [, found] = /page at (\S+)/.exec(text) ?? []
        if (found !== undefined) resolve(found)
      }
      const commands = () => [{ ...start, service: 'filewriter' }]
      reporter = part!.open(options, { ...serviceContext({} as Kafka), log, commands })
    })
    const browser = await openBrowser()
    try {
      const page = await browser.newPage()
      await page.goto(`${await address}#/commands`)
      await page.locator('[data-off]', { hasText: 'commands = true' }).waitFor()
      await page.locator('button', { hasText: 'Example' }).first().click()
      const shown: unknown = JSON.parse(await page.locator('[data-json]').innerText())
      assert.deepEqual(shown, JSON.parse(JSON.stringify(start.examples[0])))
      assert.equal(await page.locator('button', { hasText: /Send|token to send/ }).count(), 0)
    } finally {
      await browser.close()
    }
  })
})
