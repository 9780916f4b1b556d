// Members of one consumer group, each a process of its own and of one of several clients; what they took of what was posted.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type KafkaClient } from '../../core/kafka/client.js'
import { packageRoot } from '../../core/root.js'
import { kafkaJars } from '../../plugins/tools-dev/broker/kafka-jars.js'
import { findJava } from '../../plugins/tools-dev/fetched/java.js'
import { groupMember } from '../support/java.js'
import { python } from '../support/python.js'

export type Kind = 'ours' | 'librdkafka' | 'java'

interface Line {
  readonly joined?: unknown
  readonly taking?: string
  readonly took?: string
  readonly log?: string
}

export class Member {
  readonly ended: Promise<void>
  joined = false
  readonly log: string[] = []
  /** It may have been killed between taking the last one and saying so. */
  doubtful: string | undefined

  constructor(
    readonly name: string,
    readonly kind: Kind,
    readonly process: ChildProcess,
    heard: (member: Member, line: Line) => void
  ) {
    this.ended = once(process, 'close').then(() => undefined)
    createInterface({ input: process.stdout! }).on('line', (text) => {
      const line = JSON.parse(text) as Line
      this.log.push(text)
      this.joined ||= line.joined !== undefined
      this.doubtful = line.took === undefined ? (line.taking ?? this.doubtful) : undefined
      heard(this, line)
    })
    createInterface({ input: process.stderr! }).on('line', (text) => this.log.push(text))
  }
}

export class Members {
  readonly all: Member[] = []
  /** Command → the members that took it. */
  readonly taken = new Map<string, string[]>()
  #posted: string[] = []
  #wake: () => void = () => undefined

  constructor(
    readonly client: KafkaClient,
    readonly brokers: readonly string[],
    readonly group: string,
    readonly topic: string
  ) {}

  get living(): Member[] {
    return this.all.filter(({ process }) => process.exitCode === null && process.signalCode === null)
  }

  async start(kind: Kind): Promise<Member> {
    const args = [this.brokers.join(','), this.group, this.topic]
    const child = spawn(...(await this.#command(kind, args)), { stdio: ['ignore', 'pipe', 'pipe'] })
    const member = new Member(`${kind} ${this.all.length}`, kind, child, (who, line) => {
      if (line.took !== undefined) this.taken.set(line.took, [...(this.taken.get(line.took) ?? []), who.name])
      this.#wake()
    })
    this.all.push(member)
    void member.ended.then(() => this.#wake())
    return member
  }

  async #command(kind: Kind, [brokers = '', group = '', topic = '']: readonly string[]): Promise<[string, string[]]> {
    if (kind === 'ours')
      return [process.execPath, [join(packageRoot, 'dist/test/interop/group-member.js'), brokers, group, topic]]
    if (kind === 'librdkafka')
      return [await python(), [join(packageRoot, 'test/support/python/group_member.py'), brokers, group, topic]]
    const logging = '-Dorg.slf4j.simpleLogger.defaultLogLevel=off'
    return [
      await findJava(),
      [logging, '-cp', await groupMember(await kafkaJars()), 'GroupMember', brokers, group, topic]
    ]
  }

  /** Waits for what a member says; rejects with all that was said when it takes longer than `ms`. */
  async until(what: string, fits: () => boolean, ms = 120_000): Promise<void> {
    const end = performance.now() + ms
    while (!fits()) {
      const left = end - performance.now()
      const said = (): string =>
        this.all.map(({ name, log }) => `${name}:\n  ${log.slice(-30).join('\n  ')}`).join('\n')
      if (left <= 0) throw new Error(`${what}: not within ${ms} ms; missing ${this.missing().join(', ')}\n${said()}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  async post(values: readonly string[], partition: (value: string) => number): Promise<void> {
    const producer = this.client.producer({ lingerMs: 0 })
    for (const value of values) producer.send({ topic: this.topic, partition: partition(value), value })
    await producer.close()
    this.#posted.push(...values)
  }

  /** Posted, not taken by anybody, and not such that a killed member may have taken it. */
  missing(): string[] {
    const doubtful = new Set(this.all.filter(({ process }) => process.signalCode === 'SIGKILL').map((m) => m.doubtful))
    return this.#posted.filter((value) => !this.taken.has(value) && !doubtful.has(value))
  }

  /** Waits until everything that was posted was taken, and says that nothing was taken twice. */
  async allTaken(ms?: number): Promise<void> {
    await this.until('all commands taken', () => this.missing().length === 0, ms)
    const twice = [...this.taken].filter(([, by]) => by.length > 1)
    assert.deepEqual(twice, [], 'taken twice')
  }

  async close(): Promise<void> {
    for (const { process } of this.living) process.kill('SIGKILL')
    await Promise.all(this.all.map(({ ended }) => ended))
  }
}
