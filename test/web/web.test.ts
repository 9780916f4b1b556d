// The page in a real browser, with a daemon that has something to show.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Page } from 'playwright-core'
import { vector } from '../../plugins/service-histogram/thread/vectors.js'
import { encodeMessage } from '../../schemas/index.js'
import { openConverter } from '../support/converters.js'
import { brightPixels, token, Watched } from './page.js'

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
    const values = {
      module: 'f144',
      config: { topic: topics.values, source: 'SE:TEMP', dtype: 'double', value_units: 'K' }
    }
    const log = { type: 'group', name: 'temperature', attributes: { NX_class: 'NXlog' }, children: [values] }
    const entry = { type: 'group', name: 'entry', attributes: { NX_class: 'NXentry' }, children: [events, log] }
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
    // Signs are drawn: a font may lack them
    for (const label of await page.locator('.top button').allInnerTexts()) assert.match(label, /^[ -~\s]*$/)
  })

  it('shows a job in detail', async () => {
    await page.keyboard.press('2')
    await page.locator('[data-job="run"] a').click()
    await page.locator('.detail', { hasText: '/entry/events' }).waitFor()
    assert.match(await page.locator('.detail').innerText(), new RegExp(`/entry/events\\s+${PULSES}`))
  })

  it('shows the image of a detector as it grows, and sums of its regions', async () => {
    const { topics } = watched
    const amor = { data_topic: topics.events, source: 'amor_detector', topic: topics.histograms }
    const histograms = [
      { id: 'image', kind: 'image', ...amor, first_pixel: 1, width: 256, height: 256 },
      { id: 'times', kind: 'tof', ...amor, tof_range: [0, 71_428_571], num_bins: 50 }
    ]
    await watched.send({ cmd: 'start', service: 'histogram', job_id: 'see', start_time: 0, histograms })
    await page.keyboard.press('4')
    const total = page.locator('[data-roi-sum]')
    await page.locator(`[data-roi-sum="${PULSES * EVENTS}"]`).waitFor()
    await page.locator('[data-spectrum="times"] canvas').waitFor()
    const area = { x: 100, y: 90, width: 70, height: 60 }
    for (const [side, value] of Object.entries(area)) {
      await page.locator(`[name="roi-${side}"]`).fill(String(value))
      await page.keyboard.press('Tab')
    }
    // The same from the message itself
    const cells = await watched.cells('image')
    let sum = 0
    for (let y = area.y; y < area.y + area.height; y++)
      for (let x = area.x; x < area.x + area.width; x++) sum += cells[y * 256 + x] ?? 0
    assert.ok(sum > 0 && sum < PULSES * EVENTS)
    await page.locator(`[data-roi-sum="${sum}"]`).waitFor()
    assert.equal(await total.count(), 1)
  })

  it('lays a histogram out as the detector that the config describes', async () => {
    const { topics, control } = watched
    const region = async (area: Readonly<Record<string, number>>): Promise<void> => {
      for (const [side, value] of Object.entries(area)) {
        await page.locator(`[name="roi-${side}"]`).fill(String(value))
        await page.keyboard.press('Tab')
      }
    }
    // Pixels of 40 × 25 from 5001 on, in no order, and others: an L of two lines
    const isLit = (x: number, y: number): boolean => (x === 3 && y < 20) || (y === 0 && x >= 3 && x < 9)
    const pixels = Array.from({ length: 1000 }, (_, i) => 5001 + ((i * 7) % 1000))
    const counts = pixels.map((pixel) => (isLit((pixel - 5001) % 40, Math.floor((pixel - 5001) / 40)) ? 5 : 0))
    const array = (name: string, values: readonly number[]): object => ({ name, unit: '', label: null, source: null, axes: ['detector_number'], shape: [values.length], data: vector('float64', Float64Array.from(values)), isText: false }) // prettier-ignore
    const variables = [array('signal', [...counts, 99]), array('detector_number', [...pixels, 6001])]
    const value = (await openConverter('da00')).encode?.({
      source: 'bank',
      timestampNs: BigInt(Date.now()) * 1_000_000n,
      variables
    })
    control.producer.send({ topic: topics.histograms, value: Buffer.from(value!) })
    await control.producer.flush()
    await page.locator('select', { hasText: 'bank' }).first().selectOption(`${topics.histograms}:bank`)
    await page.locator('h3', { hasText: 'Bank <b>5</b>, x–y' }).waitFor()
    await page.locator('[data-roi-sum="125"]').waitFor()
    // Row 0 is at the bottom
    const lit = await brightPixels(page)
    const expected = Array.from({ length: 1000 }, (_, i) => [i % 40, Math.floor(i / 40)] as const).filter(([x, y]) => isLit(x, y)) // prettier-ignore
    assert.deepEqual([lit.width, lit.height], [40, 25])
    assert.deepEqual(lit.places.toSorted(), expected.map(([x, y]) => `${x} ${y}`).toSorted())
    await region({ x: 3, y: 1, width: 1, height: 30 })
    await page.locator('[data-roi-sum="95"]').waitFor()

    // A part of what is counted from another pixel on, in three dimensions
    const tubes = { id: 'tubes', kind: 'image', data_topic: topics.events, source: 'amor_detector', topic: topics.histograms, first_pixel: 28_161, width: 512, height: 20, order: 'xy' } // prettier-ignore
    await watched.send({ cmd: 'start', service: 'histogram', job_id: 'tubes', start_time: 0, histograms: [tubes] })
    await page.locator('select', { hasText: 'tubes' }).first().selectOption(`${topics.histograms}:tubes`)
    // Others are in it: shown whole until one is chosen
    await page.locator('h3', { hasText: /^tubes$/ }).waitFor()
    await page.locator('[name="layout"]').selectOption('1:xz')
    await page.locator('h3', { hasText: 'Tubes, x–z' }).waitFor()
    await page.locator('label', { hasText: /^z/ }).waitFor()
    const cells = await watched.cells('image')
    let sum = 0
    for (let z = 2; z < 7; z++)
      for (let y = 0; y < 10; y++) for (let x = 0; x < 45; x++) sum += cells[30_720 + (z * 10 + y) * 64 + x] ?? 0
    assert.ok(sum > 0)
    await region({ x: 0, y: 2, width: 45, height: 5 })
    await page.locator(`[data-roi-sum="${sum}"]`).waitFor()
  })

  it('shows values of PVs, their alarms and how they changed', async () => {
    const { topics, control } = watched
    const sent = Array.from({ length: 5 }, (_, i) => {
      const time = BigInt(Date.now() + i * 10) * 1_000_000n
      return encodeMessage('f144', {
        source_name: 'SE:TEMP',
        timestamp: time,
        value: { type: 'Double', value: { value: 20.5 + i } }
      })
    })
    for (const value of sent) control.producer.send({ topic: topics.values, value })
    const hostile = '<img src=x onerror=alert(1)>'
    control.producer.send({ topic: topics.values, value: encodeMessage('f144', { source_name: hostile, timestamp: BigInt(Date.now()) * 1_000_000n, value: { type: 'Double', value: { value: 1 } } }) }) // prettier-ignore
    await control.producer.flush()
    await page.keyboard.press('3')
    const row = page.locator('[data-pv="SE:TEMP"]')
    await row.filter({ hasText: '24.5' }).waitFor()
    await row.locator('polyline').waitFor()
    await page.locator('td button', { hasText: hostile }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('temp')
    await page.keyboard.press('Escape')
    await row.locator('button').focus()
    await page.keyboard.press('Enter')
    await page.locator('.chart canvas').waitFor()
    assert.equal(await page.locator('[data-pv]').count(), 1)
  })

  it('shows messages of a topic, as bytes and as a tree', async () => {
    const { topics } = watched
    await page.keyboard.press('6')
    const choice = page.locator('select')
    await choice.locator('option', { hasText: topics.events }).waitFor({ state: 'attached' })
    assert.ok(!(await choice.innerText()).includes(topics.commands))
    await choice.selectOption(topics.events)
    // Nothing was read until now
    assert.equal(await page.locator('[data-rows]').count(), 0)
    await page.locator('button', { hasText: 'Latest' }).click()
    await page.locator(`[data-rows="${2 * PULSES}"]`).waitFor()
    await page.locator('tr', { hasText: 'amor_detector' }).first().locator('button').focus()
    await page.keyboard.press('Enter')
    await page.locator('.leaf', { hasText: /source_name.*amor_detector/ }).waitFor()
    assert.match(await page.locator('.hex').innerText(), /^000000 .* ·*.*ev44/)
    await page.locator('.branch summary', { hasText: 'pixel_id' }).click()
    await page.locator('.leaf', { hasText: `… ${EVENTS - 200} more` }).waitFor()
  })

  it('records messages, and pages through them', async () => {
    const { topics, control } = watched
    await page.locator('select').selectOption(topics.values)
    await page.locator('[name="seconds"]').fill('600')
    await page.locator('button', { hasText: 'Record' }).click()
    await page.locator('[role="status"]', { hasText: 'recording' }).waitFor()
    const sent = 120
    for (let i = 0; i < sent; i++) control.producer.send({ topic: topics.values, key: `k${i}`, value: encodeMessage('f144', { source_name: 'SE:MANY', timestamp: 1n, value: { type: 'Double', value: { value: i } } }) }) // prettier-ignore
    await control.producer.flush()
    await page.locator('button', { hasText: 'Enough' }).click()
    await page.locator('h3', { hasText: new RegExp(`^Recorded in \\d+ s: ${sent} messages`) }).waitFor()
    const keys = async (): Promise<string[]> => page.locator('[data-offset] td:nth-child(6)').allInnerTexts()
    const seen = await keys()
    for (let at = 2; at <= 3; at++) {
      await page.locator('button', { hasText: 'Next' }).click()
      await page.locator('.card header', { hasText: `page ${at}` }).waitFor()
      seen.push(...(await keys()))
    }
    assert.ok(await page.locator('button', { hasText: 'Next' }).isDisabled())
    assert.deepEqual(
      seen,
      Array.from({ length: sent }, (_, i) => `k${i}`)
    )
    await page.locator('[name="schema"]').fill('ev44')
    await page.locator('button', { hasText: 'Latest' }).click()
    await page.locator('[data-rows="0"]', { hasText: 'No message of ev44' }).waitFor()
  })

  it('sends commands, made by forms and shown before, with the token only', async () => {
    await page.keyboard.press('Escape')
    await page.keyboard.press('7')
    await page.locator('select').first().selectOption('filewriter/start')
    const sent = async (): Promise<unknown> => JSON.parse(await page.locator('[data-json]').innerText())
    await page.locator('[name="job_id"]').fill('typed')
    await page.locator('[name="file_name"]').fill('typed.nxs')
    await page.locator('[name="lenient"]').selectOption({ label: 'true' })
    await page.locator('[name="nexus_structure"]').fill('{"children": [')
    await page.locator('.field', { hasText: 'no JSON' }).waitFor()
    await page.locator('button', { hasText: 'Give the token to send' }).click()
    await page.locator('#token').fill(token)
    await page.keyboard.press('Enter')
    const send = page.locator('button', { hasText: /^Send$/ })
    await send.waitFor()
    assert.ok(await send.isDisabled())
    const structure = { children: [{ type: 'group', name: 'entry' }] }
    await page.locator('[name="nexus_structure"]').fill(JSON.stringify(structure))
    assert.deepEqual(await sent(), { cmd: 'start', service: 'filewriter', job_id: 'typed', file_name: 'typed.nxs', nexus_structure: structure, lenient: true }) // prettier-ignore
    await page.locator('[name="start_time"]').fill('soon')
    await send.click()
    await page.locator('[data-answer="ERR"]', { hasText: 'start_time' }).waitFor()
    await page.locator('[name="start_time"]').fill('')
    await send.click()
    await page.locator('[data-answer="ACK"]', { hasText: '201' }).waitFor()
    assert.equal(await page.locator('[data-json]', { hasText: token }).count(), 0)
    await page.keyboard.press('2')
    await page.locator('[data-job="typed"]', { hasText: 'typed.nxs' }).waitFor()
    await page.locator('[data-job="typed"] a').click()
    await page.locator('button', { hasText: 'in 10 min' }).click()
    await page.locator('.stop-time button[type="submit"]').click()
    await page.locator('.stop-time [role="status"]', { hasText: 'set' }).waitFor()
    await page.locator('dt', { hasText: 'stop time' }).waitFor()
    await page.locator('[data-stop]').click()
    await page.locator('[data-stop]', { hasText: 'Stop it now' }).click()
    await page.locator('[data-job="typed"] .pill', { hasText: 'done' }).waitFor()
  })

  it('has spectra of regions counted that are drawn, and the image of a window of times', async () => {
    const { topics } = watched
    await page.keyboard.press('4')
    await page.locator('select', { hasText: 'tubes' }).first().selectOption(`${topics.histograms}:image`)
    await page.locator('h3', { hasText: /^image$/ }).waitFor()
    await page.locator('button', { hasText: '+ Polygon' }).click()
    const image = page.locator('.image')
    const box = (await image.boundingBox())!
    const corners = [[60, 60], [190, 110], [150, 200], [120, 120], [60, 60]] as const // prettier-ignore
    for (const [x, y] of corners)
      await image.click({ position: { x: (x / 256) * box.width, y: (1 - y / 256) * box.height } })
    const drawn = (await page.locator('[name="roi-corners"]').inputValue()).split(' ').map((pair) => pair.split(',').map(Number) as [number, number]) // prettier-ignore
    assert.equal(drawn.length, 4)
    for (const [i, [x, y]] of drawn.entries())
      assert.ok(Math.hypot(x - corners[i]![0], y - corners[i]![1]) < 1, JSON.stringify(drawn))
    // A pixel is within when a line from its centre to the right crosses the border an odd number of times
    const isWithin = (x: number, y: number): boolean =>
      drawn.filter(([x1, y1], i) => {
        const [x2, y2] = drawn[(i + 1) % drawn.length]!
        return y1 > y !== y2 > y && x < x1 + ((x2 - x1) * (y - y1)) / (y2 - y1)
      }).length % 2 === 1 // prettier-ignore
    const pixels = await watched.cells('image')
    let sum = 0
    for (let i = 0; i < pixels.length; i++)
      if (isWithin((i % 256) + 0.5, Math.floor(i / 256) + 0.5)) sum += pixels[i] ?? 0
    assert.ok(sum > 0 && sum < PULSES * EVENTS)
    await page.locator(`[data-roi-sum="${sum}"]`).waitFor()
    await page.locator('button', { hasText: 'Count the spectra' }).click()
    const spectra = page.locator('[data-spectrum^="image, regions"]', { hasText: `${sum.toLocaleString('en').replace(',', '\u202f')} counts` }) // prettier-ignore
    await spectra.locator('canvas').waitFor()
    // Ends of bins 7 and 20
    for (const [side, ms] of Object.entries({ from: 10, to: 29.999999 })) await page.locator(`[name="tof-${side}"]`).fill(String(ms)) // prettier-ignore
    await page.locator('button', { hasText: 'Count this window' }).click()
    await page.locator('h3', { hasText: /^image, window/ }).waitFor()
    const times = await watched.cells('times')
    // The same axis as wavelengths: bin 7 begins at 10 ms
    await page.locator('[name="flight"]').selectOption('wavelength')
    await page.locator('[name="metres"]').fill('39.56034')
    await page.locator('[data-spectrum="times"]', { hasText: 'wavelength (Å)' }).locator('canvas').waitFor()
    const within = times.slice(7, 21).reduce((total, n) => total + n, 0)
    assert.ok(within > 0 && within < PULSES * EVENTS)
    await page.locator(`[data-roi-sum="${within}"]`).waitFor()
    await page.locator('button', { hasText: 'Begin at 0' }).click()
    await page.locator('[data-roi-sum="0"]').waitFor()
    await page.locator('button', { hasText: 'Count the last seconds' }).click()
    await page.locator('h3', { hasText: /^image, recent/ }).waitFor()
  })

  it('reads a file that was written in the browser, in parts', async () => {
    await watched.send({ cmd: 'stop', service: 'filewriter', job_id: 'run' })
    await page.keyboard.press('8')
    const row = page.locator('[data-file="run"]')
    await row.locator('a', { hasText: 'run.nxs' }).click()
    const node = (path: string) => page.locator(`[data-path="${path}"]`)
    const open = async (path: string): Promise<void> => {
      await node(path).locator('> summary').focus()
      await page.keyboard.press('Enter')
    }
    await node('/entry').waitFor()
    await open('/entry')
    await node('/entry/events').waitFor()
    await open('/entry/events')
    await node('/entry/events/event_id')
      .locator('.short', { hasText: String(PULSES * EVENTS) })
      .waitFor()
    await node('/entry/temperature').locator('> summary button').click()
    const object = page.locator('[data-object="/entry/temperature"]')
    await object.locator('canvas').waitFor()
    assert.match(await object.innerText(), /5 values[^]*s since the first value[^]*NX_class\s+NXlog/)
    await open('/entry/temperature')
    await node('/entry/temperature/value').locator('button').click()
    const text = await page.locator('[data-object="/entry/temperature/value"] pre').innerText()
    assert.deepEqual(JSON.parse(text), [20.5, 21.5, 22.5, 23.5, 24.5])
    const download = page.waitForEvent('download')
    await row.locator('a', { hasText: 'Download' }).click()
    const taken = await (await download).path()
    assert.deepEqual(readFileSync(taken), readFileSync(join(watched.folder, 'run.nxs')))
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
