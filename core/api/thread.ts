// Worker threads of services: an entry module of the plugin, run with the daemon's plugins and Kafka at hand.
import { type MessagePort, type Worker } from 'node:worker_threads'
import { type Kafka } from './kafka.js'
import { type PartLookup } from './lookup.js'
import { type LogLevel } from './part.js'

/** Kinds of parts that a thread can have; it has no services. */
export type ThreadPartKind = 'converter' | 'writer' | 'readout'

/** What the thread's entry is given. */
export interface ThreadContext {
  /** To the thread's owner, who has the `Worker`. */
  readonly port: MessagePort
  /** Parts of the kinds that the thread was started with, of the daemon's plugins, applied once more in this thread; plugins that are not ours bring all of theirs. */
  readonly parts: PartLookup
  /** A client of the daemon's Kafka, or of other brokers without TLS; close it. */
  readonly kafka: (log: (level: LogLevel, message: string) => void, brokers?: readonly string[]) => Kafka
  /** Starts a thread of this one, without parts: its module exports a ThreadMain, too. */
  readonly thread: (entry: URL) => Worker
  /** Closes plugins and port: the thread ends when it has nothing left to do. */
  close(): Promise<void>
}

/** The default export of the entry. What it throws is the `error` of the Worker. */
export type ThreadMain = (context: ThreadContext) => void | Promise<void>
