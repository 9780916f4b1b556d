// What `nexstream init` must know, from flags, from answers to questions, or the usual.
import { basename } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { CodedError, type ToolFlags } from '../../core/api/plugin.js'
import { isPvName } from '../tools-daemon/tool-kit.js'

export const roles = ['forwarder', 'filewriter', 'histogram', 'simulator'] as const
export type Role = (typeof roles)[number]

/** `sim` is made up: for the time before there is an EPICS server. */
const protocols = ['ca', 'pva', 'sim'] as const

export interface ForwardedPv {
  readonly name: string
  readonly protocol: (typeof protocols)[number]
}

export interface Answers {
  readonly instrument: string
  readonly brokers: readonly string[]
  readonly roles: readonly Role[]
  readonly pvs: readonly ForwardedPv[]
  /** Source name of the detector's events. */
  readonly detector: string | undefined
}

const wrong = (message: string): CodedError => new CodedError('CLI_USAGE', message)
const listOf = (text: string): string[] => text.split(',').map((word) => word.trim()).filter((word) => word !== '') // prettier-ignore

function instrumentOf(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(text)) throw wrong(`'${text}' is no name of an instrument: letters, digits, '.', '_' and '-' only, as its topics begin with it`) // prettier-ignore
  return text
}

function brokersOf(text: string): string[] {
  const brokers = listOf(text)
  for (const broker of brokers)
    if (!/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/.test(broker))
      throw wrong(`'${broker}' is no broker; write host:port`)
  if (brokers.length === 0) throw wrong('no broker; write host:port')
  return brokers
}

function rolesOf(text: string): Role[] {
  const isRole = (word: string): word is Role => (roles as readonly string[]).includes(word)
  const words = [...new Set(listOf(text))]
  const unknown = words.find((word) => !isRole(word))
  if (unknown !== undefined || words.length === 0) throw wrong(`${unknown === undefined ? 'no role' : `'${unknown}' is no role`}; there are ${roles.join(', ')}`) // prettier-ignore
  return words.filter(isRole)
}

const pvsOf = (text: string): ForwardedPv[] =>
  listOf(text).map((word) => {
    const [, given = 'ca', name = ''] = /^(?:(\w+):\/\/)?(.+)$/.exec(word) ?? []
    const protocol = protocols.find((known) => known === given)
    if (protocol === undefined || name.includes('://') || !isPvName(name))
      throw wrong(`'${word}' is no PV; write NAME, ca://NAME, pva://NAME or sim://NAME`)
    return { name, protocol }
  })

/** Asks for what the flags do not say, each question until the answer is good. Throws CLI_USAGE for a wrong flag, or when answers end. */
export async function answersFor(folder: string, flags: ToolFlags, tell: (line: string) => void): Promise<Answers> {
  const questions = flags['yes'] === true ? undefined : new Questions(tell)
  /** `read` throws for what is not good. */
  const know = async <T>(flag: string, question: string, usual: string, read: (text: string) => T): Promise<T> => {
    const given = flags[flag]
    if (typeof given === 'string') return read(given)
    if (questions === undefined) return read(usual)
    return questions.ask(`${question} [${usual}] `, flag, (text) => read(text === '' ? usual : text))
  }
  try {
    const name = basename(folder).replaceAll(/[^A-Za-z0-9._-]/g, '')
    const instrument = await know('instrument', 'Name of the instrument', name === '' ? 'AMOR' : name, instrumentOf)
    const brokers = await know('brokers', 'Kafka brokers, host:port,…', 'localhost:9092', brokersOf)
    const wanted = await know('roles', `What it does, of ${roles.join(', ')}`, 'forwarder,filewriter', rolesOf)
    const pvs = wanted.includes('forwarder')
      ? await know('pvs', 'PVs to forward, NAME or pva://NAME, …', '', pvsOf)
      : []
    const usual = wanted.includes('simulator') ? 'amor_detector' : 'detector'
    const detector = await know('detector', 'Source name of the detector events', usual, (text) => text.trim())
    return { instrument, brokers, roles: wanted, pvs, detector: detector === '' ? undefined : detector }
  } finally {
    questions?.close()
  }
}

/** One line of standard input is one answer. */
class Questions {
  readonly #lines: Interface
  readonly #tell: (line: string) => void
  readonly #waiting: string[] = []
  #isClosed = false
  #wake: () => void = () => undefined

  constructor(tell: (line: string) => void) {
    this.#tell = tell
    this.#lines = createInterface({ input: process.stdin })
    this.#lines.on('line', (line) => {
      this.#waiting.push(line.trim())
      this.#wake()
    })
    this.#lines.once('close', () => {
      this.#isClosed = true
      this.#wake()
    })
  }

  async ask<T>(question: string, flag: string, read: (text: string) => T): Promise<T> {
    for (;;) {
      this.#tell(question)
      const line = await this.#next(flag)
      try {
        return read(line)
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
        this.#tell(error.message)
      }
    }
  }

  async #next(flag: string): Promise<string> {
    while (this.#waiting.length === 0) {
      if (this.#isClosed) throw wrong(`no answer; give --${flag}, or --yes to take the usual`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return this.#waiting.shift() ?? ''
  }

  close(): void {
    this.#lines.close()
  }
}
