// What a page that takes no commands, or wants a token to be read, says in a real browser.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser } from 'playwright-core'
import { type Registry, type Reporter, type ReporterPart, type Kafka } from '../../core/api/plugin.js'
import { check } from '../../core/check.js'
import { start } from '../../plugins/service-filewriter/commands/start.js'
import plugin from '../../plugins/reporter-web/index.js'
import { openBrowser } from '../support/chromium.js'
import { serviceContext } from '../support/service-context.js'

const token = 'a-token-for-the-tests-of-the-page-0123456789'

describe('the page with little access', function () {
  this.timeout(90_000)
  let browser: Browser
  let folder: string
  const reporters: Reporter[] = []

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-read-only-'))
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    for (const reporter of reporters) await reporter.close?.()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A page of these options; its port. */
  const serve = async (options: Record<string, unknown>): Promise<string> => {
    let part: ReporterPart | undefined
    await plugin.apply({ reporter: (given: ReporterPart) => (part = given) } as unknown as Registry, {})
    const filled = { port: 0, ...options }
    assert.deepEqual(check(part!.config, filled), [])
    return new Promise<string>((resolve) => {
      const log = (_level: string, text: string): void => {
        const [, found] = /page at \S+:(\d+)\//.exec(text) ?? []
        if (found !== undefined) resolve(found)
      }
      const commands = () => [{ ...start, service: 'filewriter' }]
      const reporter = part!.open(filled, { ...serviceContext({} as Kafka), log, commands })
      if (reporter !== undefined) reporters.push(reporter)
    })
  }

  it('shows what a command would be, and says how to switch sending on', async () => {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${await serve({})}/#/commands`)
    await page.locator('[data-off]', { hasText: 'commands = true' }).waitFor()
    await page.locator('button', { hasText: 'Example' }).first().click()
    const shown: unknown = JSON.parse(await page.locator('[data-json]').innerText())
    assert.deepEqual(shown, JSON.parse(JSON.stringify(start.examples[0])))
    assert.equal(await page.locator('button', { hasText: /Send|token to send/ }).count(), 0)
  })

  it('asks for the token where reading needs it, and goes on with it', async () => {
    const file = join(folder, 'token')
    writeFileSync(file, token)
    const port = await serve({ host: '0.0.0.0', token_file: file, message_topics: ['SHOWN'] })
    for (const [id, shown] of [['messages', 'SHOWN'], ['commands', 'start (filewriter)'], ['files', 'No file has been written lately']] as const) {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${port}/#/${id}`)
      await page.locator('#token').fill(token)
      await page.keyboard.press('Enter')
      await page.locator('main', { hasText: shown }).waitFor()
      await page.close()
    } // prettier-ignore
  })
})
