// What a fault is to the campaign: a name, what it does, and one function that does it and makes everything whole again.
import { type Job } from './job.js'
import { type World } from './world.js'

export interface Round {
  readonly world: World
  readonly job: Job
  /** Ms from the start of the job to its stop. */
  readonly lastsMs: number
  /** A random whole number from 0 to less than `n`, from the seed of the round. */
  readonly below: (n: number) => number
  /** The file of the job is elsewhere now. */
  moved: (path: string) => string
  isMoved: boolean
  /** How often something fails in it. */
  events: number
}

export interface Fault {
  readonly name: string
  readonly what: string
  readonly brokers: 1 | 3
  /** The job is stopped while the fault lasts; without it, when all is whole again. */
  readonly stopsMeanwhile?: boolean
  /** Folder below that of the files where the job writes, with a slash at its end. */
  readonly folder?: string
  /** Why it cannot be done on this machine. */
  impossible?(): Promise<string | undefined>
  /** Before the job starts. */
  prepare?(round: Omit<Round, 'job'>): Promise<void>
  /** Does it, at a moment after the start of the job, and resolves when all is whole again; gives what was done when, in words. */
  run(round: Round): Promise<string>
  /** After the files were looked at. */
  clear?(world: World): Promise<void>
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
/** Any moment while the job runs. */
export const moment = ({ below, lastsMs }: Round): number => below(lastsMs)
