// `nexstream completion`: scripts that complete sub-commands and options, made from the program itself.
import { CodedError, type ProgramEntry, type ToolRun } from '../../core/api/plugin.js'

interface Entry {
  readonly path: string
  readonly words: readonly string[]
  readonly description: string
}

/** Every sub-command with what may follow it. */
function entries({ options, summary, tools }: ProgramEntry, path: readonly string[] = []): Entry[] {
  const names = tools.map(({ name }) => name)
  const own = { path: path.join(' '), words: [...names, ...options, '--help'], description: summary }
  return [own, ...tools.flatMap((child) => entries(child, [...path, child.name]))]
}

const makers: Readonly<Record<string, (list: readonly Entry[]) => string>> = { bash, zsh, fish }

const completion: ToolRun = async ([shell = ''], _flags, { print, program }) => {
  const make = Object.hasOwn(makers, shell) ? makers[shell] : undefined
  if (make === undefined)
    throw new CodedError('CLI_USAGE', `no completion for '${shell}'; there is ${Object.keys(makers).join(', ')}`)
  await print(make(entries(program())))
}

export default completion

function bash(list: readonly Entry[]): string {
  const cases = list.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`)
  return `_nexstream() {
  local path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case "\${path:+$path }$word" in ${known(list)}) path="\${path:+$path }$word" ;; esac ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"; compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o filenames -F _nexstream nexstream`
}

const known = (list: readonly Entry[]): string =>
  list
    .filter(({ path }) => path !== '')
    .map(({ path }) => `'${path}'`)
    .join('|')

function zsh(list: readonly Entry[]): string {
  return `#compdef nexstream\nautoload -U +X bashcompinit && bashcompinit\n${bash(list)}`
}

function fish(list: readonly Entry[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`
  const lines = list.flatMap(({ path, words }) => {
    const names = path.split(' ').filter(Boolean)
    const condition = names.length === 0 ? '__fish_use_subcommand' : names.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ') // prettier-ignore
    return words.map((word) => {
      const child = list.find((entry) => entry.path === [...names, word].join(' '))
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word} -d ${quoted(child?.description ?? '')}`
      return `complete -c nexstream -n ${quoted(condition)} ${what}`
    })
  })
  return lines.join('\n')
}
