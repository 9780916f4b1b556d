// What was looked at, one after the other, with what was found: for people, for JUnit's XML.

export interface Outcome {
  readonly name: string
  readonly seconds: number
  /** What was found, in words. */
  readonly found: string
  /** What is wrong; undefined when all is well. */
  readonly failure: string | undefined
}

export class Checks {
  readonly outcomes: Outcome[] = []

  constructor(readonly told: (outcome: Outcome) => void) {}

  get failed(): number {
    return this.outcomes.filter(({ failure }) => failure !== undefined).length
  }

  /** Never rejects: what `look` throws is a failure. It gives what was found, in words. */
  async check(name: string, look: () => string | Promise<string>): Promise<void> {
    const begin = performance.now()
    let [found, failure]: [string, string | undefined] = ['', undefined]
    try {
      found = await look()
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error)
    }
    const outcome = { name, seconds: (performance.now() - begin) / 1000, found, failure }
    this.outcomes.push(outcome)
    this.told(outcome)
  }
}
