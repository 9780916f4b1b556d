// An experiment control program as NICOS and file-writer-control are: speaks and hears run messages by the reference package.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { Control, type Said } from '../support/control.js'
import { PATIENCE_MS } from '../support/patience.js'
import { python } from '../support/python.js'
import { type Json } from './harness.js'

/** A message as the reference package reads it. */
export interface Heard {
  readonly topic: string
  readonly id: string
  readonly fields: Json
}

export class Nicos {
  readonly #waiting: ((line: string) => void)[] = []

  readonly #child: ChildProcess

  private constructor(
    child: ChildProcess,
    readonly control: Control
  ) {
    this.#child = child

    createInterface({ input: child.stdout! }).on('line', (line) => this.#waiting.shift()?.(line))
    child.once('exit', () => this.#waiting.splice(0).forEach((answer) => answer('{"died": true}')))
  }

  /** Listens to topics; starts go to the pool. */
  static async open(brokers: readonly string[], pool: string, topics: readonly string[]): Promise<Nicos> {
    const script = join(packageRoot, 'test/support/python/ess_messages.py')
    const child = spawn(await python(), [script], { stdio: ['pipe', 'pipe', 'inherit'] })
    return new Nicos(child, await Control.open(brokers, pool, topics))
  }

  /** A pl72 or 6s4t as the reference package builds it. */
  async make(id: 'pl72' | '6s4t', fields: Json): Promise<Buffer> {
    return Buffer.from((await this.#ask({ make: id, fields })) as string, 'base64')
  }

  /** A start for the pool. */
  async start(fields: Json): Promise<Buffer> {
    const message = await this.make('pl72', fields)
    await this.control.sendRaw(message)
    return message
  }

  async stop(topic: string, fields: Json): Promise<void> {
    this.control.producer.send({ topic, value: await this.make('6s4t', fields) })
    await this.control.producer.flush()
  }

  /** Everything heard so far on a topic, in order. */
  async heard(topic: string): Promise<Heard[]> {
    const said = this.control.said.filter((message) => message.topic === topic)
    return Promise.all(said.map((message) => this.read(message)))
  }

  /** The first message of a schema that fits, heard already or to come. */
  async wait(id: string, topic: string, fits: (fields: Json) => boolean, timeoutMs = PATIENCE_MS): Promise<Json> {
    const seen = new Set<Said>()
    for (;;) {
      const said = await this.control.wait(
        (message) => message.id === id && message.topic === topic && !seen.has(message),
        `${id} on ${topic}`,
        timeoutMs
      )
      seen.add(said)
      const { fields } = await this.read(said)
      if (fits(fields)) return fields
    }
  }

  answer(topic: string, commandId: string): Promise<Json> {
    return this.wait('answ', topic, (fields) => fields['command_id'] === commandId)
  }

  end(topic: string, jobId: string, timeoutMs?: number): Promise<Json> {
    return this.wait('wrdn', topic, (fields) => fields['job_id'] === jobId, timeoutMs)
  }

  async close(): Promise<void> {
    this.#child.stdin?.end()
    if (this.#child.exitCode === null) await new Promise((resolve) => this.#child.once('exit', resolve))
    await this.control.close()
  }

  /** Any message of the field, as the reference package reads it. */
  async read({ topic, id, value }: Said): Promise<Heard> {
    return { topic, id: id ?? '', fields: (await this.#ask({ read: value.toString('base64') })) as Json }
  }

  async #ask(job: object): Promise<unknown> {
    const answer = new Promise<string>((resolve) => this.#waiting.push(resolve))
    this.#child.stdin?.write(`${JSON.stringify(job)}\n`)
    return JSON.parse(await answer)
  }
}
