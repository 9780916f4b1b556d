// `nexstream completion`: scripts that complete sub-commands, options, converters and topics, made from the program itself.
import { CodedError, type ProgramEntry, type ToolRun } from '../../core/api/plugin.js'

interface Entry {
  readonly path: string
  readonly words: readonly string[]
  readonly description: string
  /** Its arguments may be topics. */
  readonly takesTopics: boolean
}

/** Every sub-command with what may follow it. */
function entries({ options, summary, arguments: args, tools }: ProgramEntry, path: readonly string[] = []): Entry[] {
  const names = tools.map(({ name }) => name)
  const takesTopics = args.some((one) => /\btopics?\b/.test(one.summary))
  const own = { path: path.join(' '), words: [...names, ...options, '--help'], description: summary, takesTopics }
  return [own, ...tools.flatMap((child) => entries(child, [...path, child.name]))]
}

type Maker = (list: readonly Entry[], converters: readonly string[]) => string
const makers: Readonly<Record<string, Maker>> = { bash, zsh, fish }

/** Options whose value is a topic. */
const ofTopics = ['--topic', '--reply-topic', '--command-topic']

/** Asked of Kafka when they are wanted, where brokers are known without another word. */
const askTopics = `[ -n "$NEXSTREAM_CONFIG$NEXSTREAM_BROKERS" ] && nexstream topics --json --timeout 5s 2>/dev/null | sed -n 's/.*"topic":"\\([^"]*\\)".*/\\1/p' | sort -u`

const completion: ToolRun = async ([shell = ''], _flags, { parts, print, program }) => {
  const make = Object.hasOwn(makers, shell) ? makers[shell] : undefined
  if (make === undefined)
    throw new CodedError('CLI_USAGE', `no completion for '${shell}'; there is ${Object.keys(makers).join(', ')}`)
  await print(make(entries(program()), parts.ids('converter')))
}

export default completion

function bash(list: readonly Entry[], converters: readonly string[]): string {
  const topical = list.filter(({ takesTopics }) => takesTopics)
  const cases = list.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`)
  return `_nexstream_topics() { ${askTopics}; }
_nexstream() {
  local path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case "\${path:+$path }$word" in ${known(list)}) path="\${path:+$path }$word" ;; esac ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    --converter) words='${converters.join(' ')}' ;;
    ${ofTopics.join('|')}) words="$(_nexstream_topics)" ;;
    *) case "\${COMP_WORDS[COMP_CWORD]}" in -*) ;; *) case "$path" in ${known(topical)}) words="$words $(_nexstream_topics)" ;; esac ;; esac ;;
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

function zsh(list: readonly Entry[], converters: readonly string[]): string {
  return `#compdef nexstream\nautoload -U +X bashcompinit && bashcompinit\n${bash(list, converters)}`
}

function fish(list: readonly Entry[], converters: readonly string[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`
  const lines = list.flatMap(({ path, words }) => {
    const names = path.split(' ').filter(Boolean)
    const condition = names.length === 0 ? '__fish_use_subcommand' : names.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ') // prettier-ignore
    return words.map((word) => {
      const child = list.find((entry) => entry.path === [...names, word].join(' '))
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word} -d ${quoted(child?.description ?? '')}`
      const values = word === '--converter' ? ` -x -a ${quoted(converters.join(' '))}` : ofTopics.includes(word) ? ` -x -a '(_nexstream_topics)'` : '' // prettier-ignore
      return `complete -c nexstream -n ${quoted(condition)} ${what}${values}`
    })
  })
  const topical = list.filter(({ takesTopics }) => takesTopics).map(({ path }) => path.split(' ')[0])
  const topics = `function _nexstream_topics; test -n "$NEXSTREAM_CONFIG$NEXSTREAM_BROKERS"; and ${askTopics.slice(askTopics.indexOf('nexstream topics'))}; end`
  return [
    topics,
    ...lines,
    `complete -c nexstream -n '__fish_seen_subcommand_from ${topical.join(' ')}' -a '(_nexstream_topics)'`
  ].join('\n')
}
