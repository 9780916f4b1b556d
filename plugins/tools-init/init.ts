// `nexstream init`: writes the first files of an instrument.
import { lstatSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CodedError, errorText, type ToolRun } from '../../core/api/plugin.js'
import { answersFor } from './answers.js'
import { filesFor } from './files.js'

const init: ToolRun = async ([where = '.'], flags, { print, say }) => {
  const folder = resolve(where)
  const answers = await answersFor(folder, flags, say)
  const files = filesFor(answers, folder)
  // A link that leads nowhere is there, too
  const isThere = (name: string): boolean => lstatSync(join(folder, name), { throwIfNoEntry: false }) !== undefined
  const there = [...files.keys()].filter(isThere)
  if (there.length > 0 && flags['force'] !== true)
    throw new CodedError('CLI_USAGE', `${there.join(', ')} in ${folder} would be written over; give another folder, or --force`) // prettier-ignore
  try {
    await mkdir(answers.roles.includes('filewriter') ? join(folder, 'files') : folder, { recursive: true })
    for (const [name, text] of files)
      await writeFile(join(folder, name), text, { flag: flags['force'] === true ? 'w' : 'wx' })
  } catch (cause) {
    throw new CodedError('CLI_USAGE', `${folder}: ${errorText(cause)}`, { cause })
  }
  for (const name of files.keys()) await print(join(folder, name))
  const config = join(where, 'nexstream.toml')
  say('Next:')
  for (const line of [
    `nexstream check ${config} ${join(where, 'structure.json')}`,
    `nexstream provision --config ${config}    # makes the topics`,
    `nexstream run ${config}`
  ])
    say(`  ${line}`)
}

export default init
