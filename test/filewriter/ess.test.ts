// The file writer in a pool, steered by pl72 and 6s4t of the reference package as NICOS and file-writer-control steer it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Said } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { entry, group, Harness, type Json } from './harness.js'
import { Nicos } from './nicos.js'

describe('file writer in a pool, by pl72 and 6s4t', function () {
  this.timeout(180_000)
  const serviceId = `writer-${randomUUID()}`
  let h: Harness
  let nicos: Nicos
  let pool: string
  let control: string
  let status: string
  before(async () => {
    h = await Harness.start({ max_jobs: 1 }, ({ pool, commands }) => ({
      'daemon.service_id': serviceId,
      reporters: JSON.stringify({ json: false, x5f2: { interval_ms: 1000 } }),
      'commands.listen': JSON.stringify([
        { topic: pool, dialects: ['ess'], group: 'kafka-to-nexus-worker-pool' },
        { topic: commands, dialects: ['ess', 'filewriter-2018', 'json'] }
      ])
    }))
    ;({ pool, control, status } = h.topics)
    nicos = await Nicos.open((await kafka()).brokers, pool, [control, status])
  })
  after(async () => {
    await nicos?.close()
    await h?.close()
  })

  const structure = (...children: (object | string)[]): string => JSON.stringify(entry(...children))
  const state = ({ status_json: json }: Json): Json => JSON.parse(json as string) as Json
  /** The next idle heartbeat: the daemon is in the pool (again). */
  const idle = (): Promise<Json> => {
    const before = nicos.control.said.length
    return nicos.wait('x5f2', status, (x) => state(x)['state'] === 'idle' && nicos.control.said.length > before)
  }

  it('says idle, then start, answer, heartbeats, stop, answer, end in this order on the control topic, then idle again', async () => {
    const beat = await nicos.wait('x5f2', status, () => true)
    assert.deepEqual(
      [state(beat)['state'], state(beat)['job_id'], beat['service_id'], beat['update_interval']],
      ['idle', '', serviceId, 1000]
    )
    const { data } = await testTopics(['data'])
    const id = randomUUID()
    const now = Date.now()
    h.log(data, 'pv', now - 3_600_000, 1)
    await h.producer.flush()
    const sent = await nicos.start({
      job_id: id,
      filename: 'order.nxs',
      start_time: now,
      // As NICOS has it: ten years
      stop_time: now + 10 * 365 * 86_400_000,
      nexus_structure: structure(group('pv', 'f144', data, 'pv')),
      metadata: '{"proposal": "p1"}',
      control_topic: control,
      broker: 'ignored:9092',
      // Whoever the pool chose has it
      service_id: 'somebody-else'
    })
    const started = await nicos.answer(control, id)
    assert.deepEqual(
      [started['service_id'], started['job_id'], started['outcome'], started['action'], started['status_code']],
      [serviceId, id, 0, 0, 201],
      JSON.stringify(started)
    )
    h.log(data, 'pv', Date.now(), 2)
    await h.producer.flush()
    const busy = await nicos.wait('x5f2', control, (x) => state(x)['job_id'] === id)
    const file = join(h.folder, 'order.nxs')
    assert.deepEqual([state(busy)['state'], state(busy)['file_being_written']], ['writing', file])
    const idleBeats = nicos.control.said.filter(({ topic }) => topic === status).length
    await nicos.wait('x5f2', control, (x) => x !== busy && state(x)['job_id'] === id)

    // Stops that are not for this job or this daemon are ignored, without an answer
    await nicos.stop(control, { job_id: randomUUID(), command_id: 'other-job', stop_time: now + 1 })
    await nicos.stop(h.topics.commands, { job_id: randomUUID(), command_id: 'other-job', stop_time: now + 1 })
    await nicos.stop(control, { job_id: id, command_id: 'other', service_id: 'else', stop_time: now + 1 })
    assert.equal(nicos.control.said.filter(({ topic }) => topic === status).length, idleBeats, 'silent while busy')
    const stopId = randomUUID()
    const stopMs = Date.now() + 200
    await nicos.stop(control, { job_id: id, command_id: stopId, service_id: serviceId, stop_time: stopMs })
    const stopping = await nicos.answer(control, stopId)
    assert.deepEqual([stopping['outcome'], stopping['action'], stopping['stop_time']], [0, 1, stopMs])
    const end = await nicos.end(control, id)
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
    assert.equal(end['file_name'], file)
    const metadata = JSON.parse(end['metadata'] as string) as Json
    assert.equal(metadata['proposal'], 'p1')
    assert.equal((metadata['nexstream_report'] as Json)['written'], 2)
    await idle()

    const ids = (await nicos.heard(control)).map(({ id }) => id)
    const order = ids.filter((id, i) => id !== ids[i - 1]).join(' ')
    assert.match(order, /^pl72 answ x5f2( 6s4t x5f2| 6s4t)* answ (x5f2 )?wrdn$/)
    assert.equal(ids.filter((id) => id === 'answ').length, 2)
    assert.ok(nicos.control.said.find((said) => said.topic === control)?.value.equals(sent), 'the start is repeated')
    assert.deepEqual(await readNexus(file, ['entry/pv/value']), { 'entry/pv/value': [1, 2] })
  })

  it('answers what it refuses on the status topic, with the reason, and makes nothing', async () => {
    const start = { filename: 'refused.nxs', nexus_structure: structure(), control_topic: control }
    const cases: [Json, RegExp][] = [
      [{ ...start, job_id: 'no-uuid' }, /job_id must be a UUID/],
      [{ ...start, job_id: randomUUID(), nexus_structure: '{"children":[' }, /NeXus structure JSON/],
      [{ ...start, job_id: randomUUID(), nexus_structure: structure(group('a', 'f999', 't', 's')) }, /WRITER_UNKNOWN|no writer module 'f999'/],
      [{ ...start, job_id: randomUUID(), filename: '' }, /filename is missing/],
      [{ ...start, job_id: randomUUID(), filename: '../x.nxs' }, /leaves the output folder/],
      [{ ...start, job_id: randomUUID(), filename: 'order.nxs' }, /exists already/],
      [{ ...start, job_id: randomUUID(), control_topic: 'no-such-topic' }, /control topic/],
      [{ ...start, job_id: randomUUID(), start_time: 2 ** 53 }, /is not a time/]
    ] // prettier-ignore
    for (const [fields, reason] of cases) {
      await nicos.start(fields)
      const answer = await nicos.answer(status, fields['job_id'] as string)
      assert.deepEqual(
        [answer['outcome'], answer['action'], answer['status_code']],
        [1, 0, 400],
        JSON.stringify(answer)
      )
      assert.match(answer['message'] as string, reason)
    }
    assert.equal(existsSync(join(h.folder, 'refused.nxs')), false)
  })

  it('keeps a stop that was sent before the start was read, and the next start waits for its place', async () => {
    const { data } = await testTopics(['data'])
    const t0 = Date.now() - 3_600_000
    for (let i = 0; i < 20; i++) h.log(data, 'pv', t0 + i * 1000, i)
    await h.producer.flush()
    const [first, second] = [randomUUID(), randomUUID()]
    const fields = { nexus_structure: structure(group('pv', 'f144', data, 'pv')), control_topic: control }
    const begin = Date.now() - 1000
    await nicos.start({ ...fields, job_id: first, filename: 'first.nxs', start_time: begin })
    await nicos.answer(control, first)
    // The daemon is busy: this start waits in the pool, its stop on the control topic
    await nicos.start({ ...fields, job_id: second, filename: 'second.nxs', start_time: t0 + 5000 })
    await nicos.stop(control, { job_id: second, command_id: 'early-stop', stop_time: t0 + 9000 })
    await nicos.stop(control, { job_id: first, command_id: 'now', stop_time: 0 })
    const end = await nicos.end(control, first)
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
    assert.equal((await nicos.answer(control, second))['outcome'], 0)
    assert.equal((await nicos.answer(control, 'early-stop'))['outcome'], 0)
    const late = await nicos.end(control, second)
    assert.equal(late['error_encountered'], false, JSON.stringify(late))
    const content = await readNexus(join(h.folder, 'second.nxs'), ['entry/pv/value'])
    assert.deepEqual(content['entry/pv/value'], [4, 5, 6, 7, 8, 9])
  })

  it('writes an old start again when it is sent again, from history and at once', async () => {
    const { data } = await testTopics(['data'])
    const t0 = Date.now() - 86_400_000
    for (let i = 0; i < 10; i++) h.events(data, 'det', t0 + i * 1000, [i, i])
    await h.producer.flush()
    const id = randomUUID()
    const fields = {
      job_id: id,
      start_time: t0 + 2000,
      stop_time: t0 + 5000,
      nexus_structure: structure(group('det', 'ev44', data, 'det')),
      control_topic: control
    }
    const old = await nicos.start({ ...fields, filename: 'old.nxs' })
    const ends = (): Promise<Json[]> =>
      nicos.heard(control).then((all) => all.filter(({ id: schema, fields }) => schema === 'wrdn' && fields['job_id'] === id).map(({ fields }) => fields)) // prettier-ignore
    await nicos.end(control, id)
    // The same bytes: the file is there, so it is refused
    await nicos.control.sendRaw(old)
    assert.match((await nicos.answer(status, id))['message'] as string, /exists already/)
    await nicos.start({ ...fields, filename: 'again.nxs' })
    await nicos.wait('wrdn', control, (x) => x['job_id'] === id && String(x['file_name']).endsWith('again.nxs'))
    assert.deepEqual(
      (await ends()).map((end) => end['error_encountered']),
      [false, false]
    )
    const content = await readNexus(join(h.folder, 'again.nxs'), ['entry/det/event_id', 'entry/det/event_index'])
    assert.deepEqual(content['entry/det/event_id'], [2, 2, 3, 3, 4, 4, 5, 5])
    assert.deepEqual(content['entry/det/event_index'], [0, 2, 4, 6])
  })

  it('is as lenient as the field’s file writer, lists what is left out, and is strict when the service says so', async () => {
    const make = async (filename: string): Promise<Buffer> => {
      const bad = { module: 'dataset', config: { name: 'mixed', values: [1, [2, 3]] } }
      const good = { module: 'dataset', config: { name: 'title', values: 'x' } }
      const link = { module: 'link', config: { name: 'l', source: '../none' } }
      const times = { start_time: 1000, stop_time: 2000 }
      const fields = {
        job_id: randomUUID(),
        filename,
        nexus_structure: structure(bad, good, link, '$USERS$'),
        ...times
      }
      return nicos.make('pl72', fields)
    }
    const listen = ({ commands }: { commands: string }): Record<string, string> => ({
      'commands.listen': JSON.stringify([{ topic: commands, dialects: ['ess'] }])
    })
    const lenient = await Harness.start({}, listen)
    const strict = await Harness.start({ lenient: false }, listen)
    try {
      await lenient.control.sendRaw(await make('l.nxs'))
      const heard = (schema: string): Promise<Said> =>
        lenient.control.wait((said) => said.id === schema, schema, 60_000)
      const answer = await nicos.read(await heard('answ'))
      assert.equal(answer.fields['outcome'], 0)
      const at = '/nexus_structure/children/0/children'
      const message = String(answer.fields['message'])
      assert.match(message, /3 warnings: /)
      for (const path of [`${at}/0/config/values/0`, `${at}/2/config`, `${at}/3 `])
        assert.ok(message.includes(path), message)
      const { metadata, error_encountered: failed } = (await nicos.read(await heard('wrdn'))).fields
      assert.match(String(metadata), /warning: .*there are lists beside it/)
      assert.ok(!failed)
      assert.deepEqual(await readNexus(join(lenient.folder, 'l.nxs'), ['entry/title', 'entry/mixed', 'entry/l']), {
        'entry/title': 'x',
        'entry/mixed': null,
        'entry/l': null
      })
      await strict.control.sendRaw(await make('s.nxs'))
      const refused = await nicos.read(await strict.control.wait(({ id }) => id === 'answ', 'answ', 60_000))
      assert.equal(refused.fields['outcome'], 1)
      assert.ok(String(refused.fields['message']).includes(`${at}/0/config/values/0`))
    } finally {
      await Promise.all([lenient.close(), strict.close()])
    }
  })
})
