// The page with much to show, on a narrow screen, and without a mouse.
import assert from 'node:assert/strict'
import { type Page } from 'playwright-core'
import { encodeMessage } from '../../schemas/index.js'
import { Watched } from './page.js'

const PVS = 10_000
const SIDE = 2048
const [PULSES, EVENTS] = [20, 500]

describe('the page with much to show', function () {
  this.timeout(180_000)
  let watched: Watched
  let page: Page

  before(async () => {
    watched = await Watched.open()
    ;({ page } = await watched.tab({ viewport: { width: 390, height: 800 } }))
    const { topics } = watched
    const options = { pulse_rate: 50, events_per_pulse: EVENTS, pulses: PULSES, seed: 3 }
    await watched.send({ cmd: 'start', service: 'simulator', job_id: 'beam', topic: topics.events, monitor_topic: topics.events, schema: 'ev44', options }) // prettier-ignore
    await watched.send({ cmd: 'start', service: 'filewriter', job_id: 'a-job-with-a-rather-long-name', file_name: 'a-file-with-a-rather-long-name.nxs', nexus_structure: { children: [{ type: 'group', name: 'entry' }] } }) // prettier-ignore
  })
  after(() => watched?.close())

  it('lists 10,000 PVs, and finds one', async () => {
    const { topics, control } = watched
    const timestamp = BigInt(Date.now()) * 1_000_000n
    for (let i = 0; i < PVS; i++)
      control.producer.send({ topic: topics.values, value: encodeMessage('f144', { source_name: `INST:MOTOR:${i}`, timestamp, value: { type: 'Double', value: { value: i } } }) }) // prettier-ignore
    await control.producer.flush()
    await page.goto(`${watched.address}#/pvs`)
    await page.locator('.controls', { hasText: `${PVS} of ${PVS}, the first 200 shown` }).waitFor({ timeout: 90_000 })
    assert.equal(await page.locator('[data-pv]').count(), 200)
    await page.keyboard.press('/')
    await page.keyboard.type('motor:9999')
    await page.locator('[data-pv="INST:MOTOR:9999"] .value', { hasText: '9999' }).waitFor()
    assert.equal(await page.locator('[data-pv]').count(), 1)
  })

  it('shows an image of 2048 × 2048 pixels, and sums of its regions', async () => {
    const { topics } = watched
    const image = { id: 'large', kind: 'image', data_topic: topics.events, source: 'amor_detector', topic: topics.histograms } // prettier-ignore
    await watched.send({ cmd: 'start', service: 'histogram', job_id: 'see', start_time: 0, histograms: [{ ...image, first_pixel: 1, width: SIDE, height: SIDE }] }) // prettier-ignore
    await page.goto(`${watched.address}#/detector`)
    await page.locator(`[data-roi-sum="${PULSES * EVENTS}"]`).waitFor({ timeout: 60_000 })
    await page
      .locator('.card', { hasText: `${SIDE} × ${SIDE} pixels, 2 × 2 in one` })
      .first()
      .waitFor()
    // In cells of 2 × 2 pixels
    const area = { x: 100, y: 2, width: 300, height: 8 }
    for (const [side, value] of Object.entries(area)) {
      await page.locator(`[name="roi-${side}"]`).fill(String(value))
      await page.keyboard.press('Tab')
    }
    const cells = await watched.cells('large')
    let sum = 0
    for (let y = 2 * area.y; y < 2 * (area.y + area.height); y++)
      for (let x = 2 * area.x; x < 2 * (area.x + area.width); x++) sum += cells[y * SIDE + x] ?? 0
    assert.ok(sum > 0 && sum < PULSES * EVENTS)
    await page.locator(`[data-roi-sum="${sum}"]`).waitFor()
  })

  it('shows what each source sends', async () => {
    const { control, topics } = watched
    let pulse = 0
    const sending = setInterval(() => {
      const reference_time = [BigInt(Date.now()) * 1_000_000n]
      const value = encodeMessage('ev44', { source_name: 'rated', message_id: BigInt(pulse++), reference_time, reference_time_index: [0], time_of_flight: [1, 2, 3], pixel_id: [1, 2, 3] }) // prettier-ignore
      control.producer.send({ topic: topics.events, value })
    }, 50)
    try {
      await page.goto(`${watched.address}#/rates`)
      const row = page.locator('[data-source="rated"]')
      await row.locator('[data-rate="events"]', { hasText: /[1-9]/ }).waitFor()
      await row.locator('[data-rate="pulses"]', { hasText: /[1-9]/ }).waitFor()
      await row.locator('button').click()
      await page.locator('h3', { hasText: 'rated' }).waitFor()
      await page.locator('.chart canvas').waitFor()
      assert.match(await page.locator('table.rates').innerText(), /amor_detector/)
    } finally {
      clearInterval(sending)
    }
  })

  it('shows other programs by their heartbeats, those that are silent first', async () => {
    const { topics, control } = watched
    const beat = (id: string, status: object, timestampMs: number): void => {
      const value = encodeMessage('x5f2', { software_name: `program ${id}`, software_version: '1.2', service_id: id, host_name: 'h', process_id: 7, update_interval: 600_000, status_json: JSON.stringify(status) }) // prettier-ignore
      control.producer.send({ topic: topics.beats, value, timestampMs })
    }
    beat('alive', { state: 'writing', file_being_written: 'other.nxs' }, Date.now())
    beat('away', { state: 'idle' }, Date.now() - 7_200_000)
    control.producer.send({ topic: topics.beats, value: 'no heartbeat' })
    await control.producer.flush()
    await page.goto(`${watched.address}#/overview`)
    await page.locator('[data-peer="alive"]', { hasText: /writing.*other\.nxs/s }).waitFor()
    const first = page.locator('[data-peer]').first()
    await first.filter({ hasText: /program away.*silent for 2 h/s }).waitFor()
    // The daemon's own services have their cards
    assert.equal(await page.locator('[data-peer]').count(), 2)
  })

  it('fits a screen of 390 pixels', async () => {
    for (const id of ['overview', 'jobs/a-job-with-a-rather-long-name', 'pvs', 'detector', 'rates', 'messages', 'commands', 'files']) {
      await page.goto(`${watched.address}#/${id}`)
      await page.locator(`main[data-page="${id.split('/')[0]}"] .card`).first().waitFor()
      const width = await page.evaluate<number>('document.documentElement.scrollWidth')
      assert.ok(width <= 390, `${id} is ${width} pixels wide`)
    } // prettier-ignore
  })

  it('needs no mouse', async () => {
    await page.goto(`${watched.address}#/overview`)
    await page.reload()
    await page.locator('[data-page="overview"] .card').first().waitFor()
    const { keyboard } = page
    const focused = (): Promise<string> => page.evaluate('document.activeElement.innerText')
    await keyboard.press('Tab')
    assert.equal(await focused(), 'To the content')
    await keyboard.press('Enter')
    await page.locator('main:focus').waitFor()
    await keyboard.press('?')
    await page.locator('dialog').waitFor()
    await keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' })
    await keyboard.press('t')
    await page.locator('html[data-theme="light"]').waitFor({ state: 'attached' })
    const places = ['Overview', 'Jobs', 'PVs', 'Detector', 'Rates', 'Messages', 'Commands', 'Files']
    for (const [i, title] of places.entries()) {
      await keyboard.press(String(i + 1))
      await page.locator('nav [aria-current]', { hasText: title }).waitFor()
      assert.equal(await page.title(), `${title} · nexstream`)
    }
    // Every field of the page has a name
    for (const id of ['pvs', 'detector', 'messages', 'commands']) {
      await page.goto(`${watched.address}#/${id}`)
      await page.locator('main select, main input').first().waitFor()
      const nameless = await page.evaluate<number>(
        `[...document.querySelectorAll('main input, main select, main textarea')].filter((field) => field.labels.length === 0 && !field.hasAttribute('aria-label')).length` // prettier-ignore
      )
      assert.equal(nameless, 0, id)
    }
  })

  it('asked nobody else, and nothing went wrong', () => {
    assert.deepEqual(watched.strangers, [])
    assert.deepEqual(watched.errors, [])
  })
})
