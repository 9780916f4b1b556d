// The page in a real browser, with a daemon that has something to show.
import assert from 'node:assert/strict'
import { type Page } from 'playwright-core'
import { Watched } from './page.js'

const PULSES = 20
const EVENTS = 500

/** The number that a stage of a funnel shows. */
const stage = async (page: Page, funnel: string, name: string): Promise<number> => {
  const text = await page.locator(`[data-funnel="${funnel}"] [data-stage="${name}"]`).innerText()
  return Number(text.replaceAll(/\D/g, ''))
}

describe('the page', function () {
  this.timeout(120_000)
  let watched: Watched
  let page: Page

  before(async () => {
    watched = await Watched.open()
    const { topics } = watched
    const stream = { module: 'ev44', config: { topic: topics.events, source: 'amor_detector' } }
    const events = { type: 'group', name: 'events', attributes: { NX_class: 'NXevent_data' }, children: [stream] }
    const entry = { type: 'group', name: 'entry', attributes: { NX_class: 'NXentry' }, children: [events] }
    await watched.send({ cmd: 'start', service: 'filewriter', job_id: 'run', file_name: 'run.nxs', nexus_structure: { children: [entry] } }) // prettier-ignore
    const options = { pulse_rate: 50, events_per_pulse: EVENTS, pulses: PULSES, seed: 7 }
    await watched.send({ cmd: 'start', service: 'simulator', job_id: 'beam', topic: topics.events, monitor_topic: topics.events, schema: 'ev44', options }) // prettier-ignore
    ;({ page } = await watched.tab({ viewport: { width: 1280, height: 800 } }))
  })
  after(() => watched?.close())

  it('shows the way of the data, each loss with its reason, as it changes', async () => {
    await page.goto(watched.address)
    // Detector and monitor on one topic: the job wants one of them
    await page.locator('[data-funnel="run"] .loss', { hasText: 'other source' }).waitFor()
    const written = page.locator('[data-funnel="run"] [data-stage="written"]')
    await written.filter({ hasText: new RegExp(`^${PULSES}$`) }).waitFor()
    assert.equal(await stage(page, 'run', 'received'), 2 * PULSES)
    assert.equal(await stage(page, 'run', 'decoded'), PULSES)
    const loss = await page.locator('[data-funnel="run"] .loss').innerText()
    assert.match(loss.replaceAll(/\s+/g, ' '), new RegExp(`${PULSES} other source`))
    await page.locator('[data-service="filewriter"]', { hasText: 'writing' }).waitFor()
    await page.locator('[data-job="run"]', { hasText: 'run.nxs' }).waitFor()
  })

  it('shows a job in detail', async () => {
    await page.keyboard.press('2')
    await page.locator('[data-job="run"] a').click()
    await page.locator('.detail', { hasText: '/entry/events' }).waitFor()
    assert.match(await page.locator('.detail').innerText(), new RegExp(`/entry/events\\s+${PULSES}`))
  })

  it('goes on when the daemon comes back', async () => {
    await watched.stop()
    await page.locator('.top .pill', { hasText: 'no connection' }).waitFor()
    await watched.start()
    await page.locator('.top .pill', { hasText: 'running' }).waitFor()
  })

  it('asks nobody but the daemon, and nothing went wrong in it', () => {
    assert.deepEqual(watched.strangers, [])
    assert.deepEqual(watched.errors, [])
  })
})
