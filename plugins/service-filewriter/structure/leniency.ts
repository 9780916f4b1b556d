// Who gets a file of a structure in which something is wrong: commands of the peers, whose file writers make one.

/** Dialects whose clients expect what is good to be written and the rest to be named. */
const peers: ReadonlySet<string> = new Set(['ess', 'filewriter-2018'])

/** What the command says goes before the option of the service, and that before the custom of its dialect. */
export function isLenient(command: unknown, option: boolean | undefined, dialect: string): boolean {
  return typeof command === 'boolean' ? command : (option ?? peers.has(dialect))
}
