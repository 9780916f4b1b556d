// docs/reference/errors.md: every error code, what it means, what to do, and what clients and shells see of it.
import { exitCodeOf } from '../../commands/cli/exit.js'
import { refusal } from '../../core/dispatcher.js'
import { type Loaded } from '../../core/loader.js'
import { CodedError, type ErrorCode, errorCodes } from '../../core/api/errors.js'
import { code, type Page, reference, table } from './markdown.js'

const intro = `Every error that a person can act on has a code, in the answer to a command (\`errors[].code\`), in the log (\`code=\`), and on the command line
(\`CODE: message at /path\`). Codes are never reused. *Status* is the number in the answer to a command, *exit* the exit code of the command line.`

const classes = `## Four classes of trouble

- **message**: one message is bad. It is counted by reason and skipped; the job goes on. Only \`MESSAGE_BAD\`.
- **job**: one job cannot go on. Its file is finished as far as it is good, the end is reported, other jobs go on.
- **part**: a plugin is faulty. What it did is logged with plugin, part and method, and counted; the other parts go on. \`PLUGIN_FAILED\`, \`PLUGIN_TIMEOUT\`.
- **process**: the daemon cannot run. It says why and leaves with a non-zero exit code.`

/** Code → text, of the core and of all plugins. */
export const allErrors = ({ plugins }: Loaded): Record<string, string> =>
  Object.assign({}, errorCodes, ...plugins.map(({ plugin }) => plugin.errors)) as Record<string, string>

export function errorsPage(loaded: Loaded): Page {
  const rows = Object.entries(allErrors(loaded)).map(([name, text]) => {
    const error = new CodedError(name as ErrorCode, text)
    return [code(name), String(refusal(error).status), String(exitCodeOf(error)), text]
  })
  const listed = table([['code', 'status', 'exit', 'meaning and what to do'], ...rows])
  return reference('errors', 'Errors', 'core/api/errors.ts and the plugins', intro, listed, classes)
}
