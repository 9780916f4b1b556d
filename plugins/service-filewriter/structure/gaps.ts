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

  /** In the order of time. */
  *sorted(): Generator<{ readonly timeNs: bigint; readonly events: number }> {
    const times = this.#times
    const order = Uint32Array.from({ length: this.length }, (_, i) => i)
    const isSorted = order.every((i) => i === 0 || times[i - 1]! <= times[i]!)
    if (!isSorted) order.sort((a, b) => (times[a]! < times[b]! ? -1 : times[a]! > times[b]! ? 1 : 0))
    for (const i of order) yield { timeNs: times[i]!, events: this.#events[i]! }
  }
}

/** Within the window alone, both ends included; a time that is there twice has to be there twice. */
export function compare(kafka: MessageTimes, file: MessageTimes, startNs: bigint, stopNs: bigint): Compared {
  const isIn = (timeNs: bigint): boolean => timeNs >= startNs && timeNs <= stopNs
  const inFile = [...file.sorted()].filter(({ timeNs }) => isIn(timeNs))
  const gaps: Gap[] = []
  let [inKafka, missing, missingEvents, next, onlyInFile] = [0, 0, 0, 0, 0]
  let open: Gap | undefined
  const end = (): void => {
    if (open !== undefined) gaps.push(open)
    open = undefined
  }
  for (const { timeNs, events } of kafka.sorted()) {
    if (!isIn(timeNs)) continue
    inKafka++
    for (; next < inFile.length && inFile[next]!.timeNs < timeNs; next++) {
      onlyInFile++
      end()
    }
    if (inFile[next]?.timeNs === timeNs) {
      next++
      end()
      continue
    }
    missing++
    missingEvents += events
    open = { fromNs: open?.fromNs ?? timeNs, toNs: timeNs, count: (open?.count ?? 0) + 1 }
  }
  end()
  onlyInFile += inFile.length - next
  return { inFile: inFile.length, inKafka, missing, missingEvents, onlyInFile, gaps }
}
