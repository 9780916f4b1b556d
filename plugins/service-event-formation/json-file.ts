// JSON files that a tool is given by options.
import { CodedError, type ToolContext } from '../../core/api/plugin.js'

/** Undefined when none is given. Throws FILE_READ. */
export async function jsonOf(context: ToolContext, file: string | boolean | undefined): Promise<unknown> {
  if (typeof file !== 'string') return undefined
  try {
    return JSON.parse(await context.readText(file))
  } catch (error) {
    if (error instanceof CodedError) throw error
    throw new CodedError('FILE_READ', `${file} is no JSON: ${(error as Error).message}`)
  }
}
