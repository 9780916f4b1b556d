// Source part `ca`: one Channel Access channel to updates.
import { NO_ALARM } from '../shared/alarm.js'
import { type CaChannel, type CaListener } from './channel.js'
import { type CaClient } from './client.js'
import { Dbr, NO_META, type CaMeta, type CaValue } from './dbr.js'
import { lendVector } from '../shared/loan.js'
import { Connection, type Alarm, nowNs, type Update } from '../../../schemas/index.js'

export interface CaChannelConfig {
  readonly name: string
  readonly longString: boolean
  readonly isArray: boolean
}

/** Monitors one channel until `close`. With `longString`, string fields are asked for as `.VAL$`, whole. */
export class CaSubscription implements CaListener {
  readonly #client: CaClient
  readonly #name: string
  readonly #longString: boolean
  readonly #isArray: boolean
  readonly #emit: (update: Update) => void
  #channel: CaChannel
  #isFirst = true
  #isPaused = false
  #isClosed = false
  #alarm: Alarm = NO_ALARM
  #meta: CaMeta = NO_META

  constructor(client: CaClient, { name, longString, isArray }: CaChannelConfig, emit: (update: Update) => void) {
    this.#client = client
    this.#name = name
    this.#longString = longString
    this.#isArray = isArray
    this.#emit = emit
    this.#channel = client.monitor({ name, isText: longString, isAlwaysArray: isArray }, this)
    // Not from within `open`: the receiver has no subscription yet.
    queueMicrotask(() => {
      if (!this.#isClosed) this.#connection(Connection.NEVER_CONNECTED)
    })
  }

  close(): void {
    this.#isClosed = true
    this.#client.remove(this.#channel)
  }

  pause(): void {
    this.#isPaused = true
    this.#client.setPaused(this.#channel, true)
  }

  resume(): void {
    this.#isPaused = false
    this.#client.setPaused(this.#channel, false)
  }

  onConnect(type: number, count: number, readable: boolean): void {
    if (type === Dbr.STRING && count === 1 && this.#longString && !this.#channel.name.endsWith('$')) {
      // DBR_STRING ends after 39 bytes; the same field as array of CHAR does not.
      this.#client.remove(this.#channel)
      const name = longStringName(this.#name)
      this.#channel = this.#client.monitor({ name, isText: true, isAlwaysArray: this.#isArray }, this)
      this.#client.setPaused(this.#channel, this.#isPaused)
      return
    }
    this.onAccess(readable)
  }

  onValue({ dtype, value, alarm, timestampNs }: CaValue, meta: CaMeta): void {
    const first = this.#isFirst
    this.#isFirst = false
    this.#alarm = alarm
    this.#meta = meta
    this.#emit({
      kind: 'value',
      source: this.#name,
      timestampNs,
      dtype,
      value,
      alarm,
      units: meta.units,
      precision: meta.precision,
      enumStrings: meta.enumStrings,
      connection: Connection.CONNECTED,
      first,
      repeat: false,
      giveBack: lendVector(value)
    })
  }

  onAccess(readable: boolean): void {
    this.#isFirst = true
    this.#connection(readable ? Connection.CONNECTED : Connection.REMOTE_ERROR)
  }

  onDisconnect(_reason: string, isRefused: boolean): void {
    this.#connection(isRefused ? Connection.REMOTE_ERROR : Connection.DISCONNECTED)
  }

  #connection(state: number): void {
    this.#emit({
      kind: 'connection',
      source: this.#name,
      timestampNs: nowNs(),
      dtype: 'float64',
      value: null,
      alarm: this.#alarm,
      units: this.#meta.units,
      precision: this.#meta.precision,
      enumStrings: this.#meta.enumStrings,
      connection: state,
      first: false,
      repeat: false
    })
  }
}

/** `REC` and `REC.FIELD` to the name of the field as CHAR array. */
export const longStringName = (name: string): string => (name.includes('.') ? `${name}$` : `${name}.VAL$`)
