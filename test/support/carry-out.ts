// Carries out a command of a service without a dispatcher, for unit tests of services.
import assert from 'node:assert/strict'
import { check } from '../../core/check.js'
import { commandSchema } from '../../core/commands.js'
import { type Command, type CommandPart, type Origin, type Reply } from '../../core/api/plugin.js'

/** With the defaults of its schema filled in, as the service gets it. */
export async function carryOut(
  commands: readonly CommandPart[],
  service: unknown,
  command: Command,
  origin: Origin
): Promise<Reply> {
  const part = commands.find(({ cmd }) => cmd === command.cmd)
  assert.ok(part, `no command '${command.cmd}'`)
  check(commandSchema(part), command)
  return part.run(command as never, origin, service as never)
}
