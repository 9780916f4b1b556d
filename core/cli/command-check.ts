// What is wrong with a command, found without carrying it out.
import { check, nearest } from '../check.js'
import { commandSchema } from '../dispatcher.js'
import { type CommandDefinition, type Finding } from '../api/plugin.js'

/** As the daemon would find it; a missing `service` is a finding when several services know the command. */
export function commandFindings(value: unknown, definitions: readonly CommandDefinition[]): readonly Finding[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [{ code: 'COMMAND_JSON', path: '/', message: 'a command is a JSON object such as {"cmd": "status"}' }]
  const { cmd, service } = value as { cmd?: unknown; service?: unknown }
  if (typeof cmd !== 'string')
    return [{ code: 'COMMAND_INVALID', path: '/cmd', message: '\'cmd\' must be a string such as "start"' }]
  const named = definitions.filter((definition) => definition.cmd === cmd)
  if (named.length === 0) return [unknown(cmd, definitions)]
  const services = named.flatMap((definition) => definition.service ?? [])
  const definition = named.find((one) => one.service === service) ?? (service === undefined && named.length === 1 ? named[0] : undefined) // prettier-ignore
  if (definition !== undefined) return check(commandSchema(definition), structuredClone(value), '', 'COMMAND_INVALID')
  const message = service === undefined ? `'${cmd}' needs a service: one of ${services.join(', ')}` : `no '${cmd}' of service ${JSON.stringify(service)}; known services: ${services.join(', ')}` // prettier-ignore
  return [{ code: 'COMMAND_UNKNOWN', path: '/service', message }]
}

function unknown(cmd: string, definitions: readonly CommandDefinition[]): Finding {
  const known = [...new Set(definitions.map((definition) => definition.cmd))].toSorted()
  const near = nearest(cmd, known)
  const hint = near === undefined ? '' : `did you mean '${near}'? `
  return { code: 'COMMAND_UNKNOWN', path: '/cmd', message: `no command '${cmd.slice(0, 100)}'; ${hint}known are ${known.join(', ')}` } // prettier-ignore
}
