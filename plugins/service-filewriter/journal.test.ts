import assert from 'node:assert/strict'
import { once, EventEmitter } from 'node:events'
import { type Kafka, type Producer, type ProducerMessage } from '../../core/api/plugin.js'
import { MemoryKafka } from '../../test/support/memory-kafka.js'
import { Journal, type JournalPlace, type JobRun } from './journal.js'

const topic = 'journal'
const LEASE_MS = 60
const place = (offset: number): JournalPlace => ({
  dialect: 'ess',
  topic: 'pool',
  replyTopic: 'status',
  timestampMs: 1000,
  partition: 0,
  offset
})

/** A daemon's side of the journal; what it is told is kept. */
class Daemon extends EventEmitter {
  readonly told: string[] = []
  readonly adopted: JobRun[] = []
  free = true
  readonly journal: Journal
  /** Its messages do not reach Kafka while it is stuck. */
  stuck = false
  readonly #late: (() => void)[] = []

  constructor(
    readonly name: string,
    kafka: MemoryKafka
  ) {
    super()
    const tell = (what: string, run?: JobRun): void => {
      this.told.push(what)
      this.emit(what, run)
    }
    const mine: Kafka = {
      connected: true,
      topics: (names) => kafka.topics(names),
      offsets: (topic, partitions, at) => kafka.offsets(topic, partitions, at),
      reader: (options) => kafka.reader(options),
      membership: (options) => kafka.membership(options),
      producer: () => this.#producer(kafka),
      close: () => kafka.close()
    }
    this.journal = new Journal(mine, { topic, leaseMs: LEASE_MS, serviceId: name }, {
      lost: (run) => tell('lost', run),
      orphaned: () => this.free,
      released: () => tell('released'),
      adopt: (run) => {
          this.adopted.push(run)
          tell('adopt', run)
        },
      log: (_level, message) => assert.fail(message)
    }) // prettier-ignore
  }

  static async open(name: string, kafka: MemoryKafka): Promise<Daemon> {
    const daemon = new Daemon(name, kafka)
    await daemon.journal.open()
    return daemon
  }

  /** Waits until it has adopted so many jobs. */
  async adopts(n: number): Promise<readonly JobRun[]> {
    while (this.adopted.length < n) await once(this, 'adopt')
    return this.adopted
  }

  unstick(): void {
    this.stuck = false
    for (const send of this.#late.splice(0)) send()
  }

  #producer(kafka: MemoryKafka): Producer {
    const real = kafka.producer()
    const send = (message: ProducerMessage, delivered?: (error: Error | null, offset: number) => void): boolean => {
      if (!this.stuck) return real.send(message, delivered)
      this.#late.push(() => real.send(message, delivered))
      return true
    }
    return {
      send,
      bufferedBytes: 0,
      drained: () => real.drained(),
      flush: () => real.flush(),
      close: () => real.close()
    }
  }
}

describe('journal of a pool', () => {
  let kafka: MemoryKafka
  let a: Daemon
  let b: Daemon
  beforeEach(async () => {
    kafka = new MemoryKafka(topic)
    a = await Daemon.open('a', kafka)
    b = await Daemon.open('b', kafka)
  })
  afterEach(async () => {
    await a.journal.close()
    await b.journal.close()
  })

  it('gives a command that two claim to exactly one, and an ended one to nobody', async () => {
    const runs = await Promise.all([a.journal.claim('j', place(1)), b.journal.claim('j', place(1))])
    const won = runs.filter((run) => run !== undefined)
    assert.equal(won.length, 1)
    const [run] = won
    assert.ok(run)
    const winner = runs[0] === undefined ? b : a
    await winner.journal.end(run)
    assert.equal(await a.journal.claim('j', place(1)), undefined)
    // The same job id, started by another command
    assert.equal((await b.journal.claim('j', place(2)))?.attempt, 1)
  })

  it('lets one of the others have the job of a daemon that is gone, with its stop time, and leaves jobs that live', async () => {
    const gone = await Daemon.open('gone', kafka)
    const run = await gone.journal.claim('lost', place(1))
    assert.ok(run)
    assert.ok(await a.journal.claim('alive', place(2)))
    await gone.journal.stopAt(run, 5_000_000n, 7)
    b.free = false
    await gone.journal.close()
    const [adopted] = await a.adopts(1)
    assert.deepEqual(
      [adopted?.jobId, adopted?.attempt, adopted?.stopNs, adopted?.heardMs, adopted?.place],
      ['lost', 2, 5_000_000n, 7, place(1)]
    )
    // B had no place; it gets the job when a is gone, too: the third attempt
    b.free = true
    await a.journal.close()
    const seen = (await b.adopts(2)).map(({ jobId, attempt }) => `${jobId} ${attempt}`)
    assert.deepEqual(seen.toSorted(), ['alive 2', 'lost 3'])
  })

  it('adopts once when several are free', async () => {
    const gone = await Daemon.open('gone', kafka)
    await gone.journal.claim('lost', place(1))
    await gone.journal.close()
    await Promise.race([a.adopts(1), b.adopts(1)])
    const c = await Daemon.open('c', kafka)
    // Several leases later still only one has it
    for (let i = 0; i < 3; i++) assert.ok(await c.journal.claim(`other-${i}`, place(10 + i)))
    assert.equal([...a.told, ...b.told].filter((what) => what === 'adopt').length, 1)
    await c.journal.close()
  })

  it('tells a daemon that was only stuck that its job is another one’s now', async () => {
    const run = await a.journal.claim('j', place(1))
    assert.ok(run)
    a.stuck = true
    const lost = once(a, 'lost')
    assert.equal((await b.adopts(1))[0]?.attempt, 2)
    await lost
    a.unstick()
    // What it says late about the job counts no more
    await a.journal.end(run)
    const c = await Daemon.open('c', kafka)
    await b.journal.close()
    const [next] = await Promise.race([a.adopts(1), c.adopts(1)])
    assert.equal(next?.attempt, 3)
    await c.journal.close()
  })

  it('passes over whatever else lies on its topic', async () => {
    for (const value of ['', '{', '[]', '{"type":"claim"}', '{"type":"claim","run":5,"attempt":"x"}', '\0\x01'])
      kafka.producer().send({ topic, value })
    kafka.producer().send({ topic, value: null })
    assert.equal((await a.journal.claim('j', place(1)))?.attempt, 1)
  })

  it('needs a topic of its own', async () => {
    const none = new Journal(kafka, { topic: 'none', leaseMs: LEASE_MS, serviceId: 'x' }, {} as never)
    await assert.rejects(none.open(), { code: 'TOPIC_MISSING', path: '/services/filewriter/journal_topic' })
    await none.close()
  })
})
