// Sends with librdkafka, over one Python process: any codec, transactions that stay open; gives the offsets.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../core/root.js'
import { python } from '../support/python.js'

export interface SentRecord {
  readonly partition: number
  readonly key: string | null
  /** In hex; null: a tombstone. */
  readonly value: string | null
  readonly timestamp: number
  readonly headers: readonly (readonly [string, string])[]
}
export interface Order {
  /** One producer for each name; that of a transaction has it as its transactional id. */
  readonly producer: string
  readonly topic: string
  readonly codec: string
  readonly transactional: boolean
  readonly begin: boolean
  readonly end: 'commit' | 'abort' | null
  /** Null: all producers are forgotten. */
  readonly records: readonly SentRecord[] | null
}

export class Sender {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #answers: AsyncIterator<string>
  #words = ''

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.#answers = createInterface(child.stdout)[Symbol.asyncIterator]()
    child.stderr.on('data', (text: Buffer) => (this.#words += text.toString()))
  }

  static async start(brokers: readonly string[]): Promise<Sender> {
    const script = join(packageRoot, 'test/support/python/kafka_producer.py')
    return new Sender(spawn(await python(), [script, brokers.join(',')], { stdio: ['pipe', 'pipe', 'pipe'] }))
  }

  async send(order: Order): Promise<readonly number[]> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`)
    const answer = await this.#answers.next()
    if (answer.done === true) throw new Error(`the producer ended: ${this.#words}`)
    const { offsets = [], error } = JSON.parse(answer.value) as { offsets?: (number | string)[]; error?: string }
    const bad = error ?? offsets.find((offset) => typeof offset !== 'number')
    if (bad !== undefined)
      throw new Error(`not sent: ${bad} (${JSON.stringify({ ...order, records: order.records?.length })})`)
    return offsets as number[]
  }

  async forget(): Promise<void> {
    await this.send({
      producer: '',
      topic: '',
      codec: '',
      transactional: false,
      begin: false,
      end: null,
      records: null
    })
  }

  async close(): Promise<void> {
    this.#child.stdin.end()
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
  }
}
