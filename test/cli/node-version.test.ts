// The command on a Node that is too old: said at once, in words, whatever else that Node could not read.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../core/root.js'
import { nodeOf } from '../support/node-versions.js'
import { program } from './child.js'

const run = promisify(execFile)

describe('the command on an older Node', function () {
  this.timeout(120_000)

  it('says which Node is needed, and which one runs it from where', async () => {
    const node = await nodeOf('18')
    const { engines } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      engines: { node: string }
    }
    await assert.rejects(run(node, [program, '--help']), {
      code: 1,
      stdout: '',
      stderr: `nexstream needs Node ${engines.node.replace('>=', '')} or later; this is 18.20.8 (${node})\n`
    })
  })
})
