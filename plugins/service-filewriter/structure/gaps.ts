// What a file lacks of what Kafka holds for a stream: the times of messages held against the times in the file.

/** Pulses of events or values of a log. */
export interface Gap {
  readonly fromNs: bigint
  readonly toNs: bigint
  readonly count: number
}

export interface Compared {
  readonly inFile: number
  readonly inKafka: number
  readonly missing: number
  /** Of the pulses that are missing. */
  readonly missingEvents: number
  /** In the file and no more, or never, in Kafka. */
  readonly onlyInFile: number
  /** What is missing, in the order of time; nothing of the file lies between the ends of one. */
  readonly gaps: readonly Gap[]
}

/** Times in ns in any order, each with a count of events. */
export class MessageTimes {
  length = 0
  #times = new BigInt64Array(1024)
  #events = new Uint32Array(1024)

  add(timeNs: bigint, events = 0): void {
    if (this.length === this.#times.length) {
      const [times, counts] = [new BigInt64Array(2 * this.length), new Uint32Array(2 * this.length)]
      times.set(this.#times)
      counts.set(this.#events)
      ;[this.#times, this.#events] = [times, counts]
    }
    this.#times[this.length] = timeNs
    this.#events[this.length++] = events
  }

  /** In the order of time, those from `startNs` to `stopNs`; both vectors are as long. */
  sorted(startNs: bigint, stopNs: bigint): { readonly times: BigInt64Array; readonly events: Uint32Array } {
    const all = this.#times
    const order = new Uint32Array(this.length)
    let count = 0
    let isSorted = true
    for (let i = 0; i < this.length; i++) {
      if (all[i]! < startNs || all[i]! > stopNs) continue
      isSorted &&= count === 0 || all[order[count - 1]!]! <= all[i]!
      order[count++] = i
    }
    const kept = order.subarray(0, count)
    if (!isSorted) kept.sort((a, b) => (all[a]! < all[b]! ? -1 : all[a]! > all[b]! ? 1 : 0))
    const [times, events] = [new BigInt64Array(count), new Uint32Array(count)]
    for (const [to, from] of kept.entries()) {
      times[to] = all[from]!
      events[to] = this.#events[from]!
    }
    return { times, events }
  }
}

/** Within the window alone, both ends included; a time that is there twice has to be there twice. */
export function compare(kafka: MessageTimes, file: MessageTimes, startNs: bigint, stopNs: bigint): Compared {
  const there = file.sorted(startNs, stopNs).times
  const { times, events } = kafka.sorted(startNs, stopNs)
  const gaps: Gap[] = []
  let [missing, missingEvents, next, onlyInFile] = [0, 0, 0, 0]
  let open: Gap | undefined
  const end = (): void => {
    if (open !== undefined) gaps.push(open)
    open = undefined
  }
  for (const [i, timeNs] of times.entries()) {
    for (; next < there.length && there[next]! < timeNs; next++) {
      onlyInFile++
      end()
    }
    if (there[next] === timeNs) {
      next++
      end()
      continue
    }
    missing++
    missingEvents += events[i]!
    open = { fromNs: open?.fromNs ?? timeNs, toNs: timeNs, count: (open?.count ?? 0) + 1 }
  }
  end()
  onlyInFile += there.length - next
  return { inFile: there.length, inKafka: times.length, missing, missingEvents, onlyInFile, gaps }
}
