// Sends with librdkafka, over one Python process: any codec, transactions that stay open; gives the offsets.
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { type PythonLines, pythonLines } from '../support/python.js'

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
  readonly #python: PythonLines

  private constructor(lines: PythonLines) {
    this.#python = lines
  }

  static async start(brokers: readonly string[]): Promise<Sender> {
    const script = join(packageRoot, 'test/support/python/kafka_producer.py')
    return new Sender(await pythonLines(script, [brokers.join(',')]))
  }

  async send(order: Order): Promise<readonly number[]> {
    const { offsets = [], error } = (await this.#python.ask(order)) as { offsets?: (number | string)[]; error?: string }
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

  close(): Promise<void> {
    return this.#python.close()
  }
}
