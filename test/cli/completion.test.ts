// What shells complete: sub-commands, options, converters, files, and topics of a real Kafka.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { kafka, testTopics } from '../support/kafka.js'
import { cleanEnv, nexstream, program } from './child.js'

const shell = promisify(execFile)

describe('completion', function () {
  this.timeout(180_000)
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'nexstream-completion-'))))
  after(() => rmSync(folder, { recursive: true }))

  it('is of sub-commands, options, files, converters and topics in bash, with scripts that zsh and fish would read', async () => {
    const brokers = (await kafka()).brokers.join(',')
    const { left, right } = await testTopics(['left', 'right'])
    for (const name of ['structure.json', 'run.nxs']) writeFileSync(join(folder, name), '')
    const itself = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`
    writeFileSync(join(folder, 'nexstream'), itself, { mode: 0o755 })
    const env = cleanEnv({ NEXSTREAM_BROKERS: brokers, PATH: `${folder}:${process.env['PATH']}` })
    const { stdout: script } = await nexstream(['completion', 'bash'])
    const complete = async (...words: string[]): Promise<string[]> => {
      const list = ['nexstream', ...words].map((word) => `'${word}'`).join(' ')
      const run = `${script}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length}; _nexstream; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout } = await shell('bash', ['--norc', '-c', run], { cwd: folder, env })
      return stdout.trim().split('\n')
    }
    const st = await complete('st')
    for (const word of ['start', 'stop', 'status', 'structure.json'])
      assert.ok(st.includes(word), `${word} in ${st.join(' ')}`)
    assert.deepEqual(await complete('tail', '--fo'), ['--follow'])
    assert.deepEqual(await complete('plugins', 'd'), ['docs'])
    assert.deepEqual(await complete('check', 'run.n'), ['run.nxs'])
    assert.deepEqual(await complete('forward', 'PV', '--converter', 'f1'), ['f142', 'f144'])
    assert.deepEqual(await complete('tail', left.slice(0, -1)), [left])
    assert.deepEqual(await complete('forward', 'PV', '--topic', right.slice(0, -1)), [right])
    const zsh = (await nexstream(['completion', 'zsh'])).stdout
    assert.ok(zsh.startsWith('#compdef nexstream\n') && zsh.includes(script.trim()))
    const fish = (await nexstream(['completion', 'fish'])).stdout.trim().split('\n')
    assert.match(fish.shift() ?? '', /^function _nexstream_topics; .*; end$/)
    assert.ok(fish.every((line) => /^complete -c nexstream -n '[^']+' (-l [a-z0-9_-]+( -x -a '.*')?|-a [a-z_-]+ -d '.*'|-a '\(_nexstream_topics\)')$/.test(line)), fish.find((line) => !line.startsWith('complete'))) // prettier-ignore
  })
})
