// A client of just-bin-it: its commands, answers, and histograms by their id.
import assert from 'node:assert/strict'
import { infoOf, type Info, type Live, type Read } from './live.js'

export type Keys = Readonly<Record<string, unknown>>

export class Peer {
  #count = 0

  constructor(readonly live: Live) {}

  /** Sends a command and waits for its answer. */
  ask(command: object): Promise<Keys> {
    return this.live.peer.send({ ...command })
  }

  config(histograms: readonly object[], more: object = {}): Keys {
    const schemas = { input_schema: 'ev44', output_schema: 'hs01' }
    return { cmd: 'config', msg_id: this.#id('m'), ...schemas, histograms, ...more }
  }

  /** With topics and an id, as all have them. */
  full(histogram: object, data: string, id: string): object {
    const topics = { data_brokers: ['elsewhere:1'], data_topics: [data], topic: this.live.histograms }
    return { ...topics, id, ...histogram }
  }

  async configure(histograms: readonly object[], more: object = {}): Promise<void> {
    const command = this.config(histograms, more)
    assert.deepEqual(await this.ask(command), { msg_id: command['msg_id'], response: 'ACK' })
  }

  /** One histogram of a topic (by default one that nobody has used). */
  async begin(histogram: object, more: object = {}, data = this.live.topic()): Promise<{ data: string; id: string }> {
    const id = this.#id('h')
    await this.configure([this.full(histogram, data, id)], more)
    return { data, id }
  }

  async stop(): Promise<void> {
    const id = this.#id('s')
    assert.deepEqual(await this.ask({ cmd: 'stop', msg_id: id }), { msg_id: id, response: 'ACK' })
  }

  /** The last message of a histogram. */
  finished(id: string): Promise<Buffer> {
    return this.live.wait(id, 'the end', ({ state }) => state === 'FINISHED')
  }

  /** The same, as Python reads it, and what its `info` says. */
  async end(id: string): Promise<Read & { readonly says: Info }> {
    const message = await this.finished(id)
    const [read] = await this.live.read(message)
    return { ...read!, says: infoOf(message) }
  }

  sum(id: string, sum: number): Promise<Buffer> {
    return this.live.wait(id, `sum ${sum}`, (info) => info.state === 'COUNTING' && info.sum === sum)
  }

  #id(prefix: string): string {
    return `${prefix}${++this.#count}`
  }
}
