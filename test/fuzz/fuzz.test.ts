// That fuzzing finds what is planted, comes to the same with the same seed, and finds its way in real decoders.
import assert from 'node:assert/strict'
import { FuzzTree, targets } from './run.js'

describe('fuzzing', function () {
  this.timeout(120_000)
  let tree: FuzzTree
  before(() => void (tree = new FuzzTree()))
  after(() => tree.close())

  const options = { seed: 1, executions: 60_000, seconds: 1e6, saves: false, hangMs: 60_000 }
  const planted = async (name: string, hangMs = options.hangMs) => {
    const { found } = await tree.run(name, { ...options, hangMs }, undefined, 'planted')
    assert.equal(found.length, 1, `${name}: ${found.map(({ what }) => what).join(' ')}`)
    assert.equal(found[0]!.input.toString('latin1', 0, 3), 'pla')
    return found[0]!
  }

  it('finds an error that is not documented, and shortens the input', async () => {
    const { what, stack, input } = await planted('throws')
    assert.equal(what, 'TypeError: planted')
    assert.match(stack, /planted\/decoder\.js/)
    assert.ok(input.length < 10, `${input.length} bytes`)
  })
  it('finds a loop without end, also where the order to stop is swallowed', async () => {
    for (const name of ['loops', 'swallows']) assert.match((await planted(name)).what, /TooManySteps/)
  })
  it('finds memory that nothing asked for', async () => {
    assert.match((await planted('grows')).what, /memory: 6\d MiB/)
  })
  it('finds the end of a process and code that hangs', async () => {
    assert.match((await planted('crashes')).what, /the process ended with SIGKILL/)
    assert.match((await planted('hangs', 5000)).what, /no end after 5 s/)
  })

  it('reaches more than the samples do, the same with the same seed', async () => {
    const run = async (executions: number, seed = 1) => {
      const { figures, found } = await tree.run('kafka-answers', { ...options, executions, seed, corpus: false })
      assert.deepEqual(found, [])
      const { blocks, bits, inputs } = figures!
      return { blocks, bits, inputs }
    }
    const [samples, first] = [await run(1), await run(5000)]
    assert.ok(first.bits > samples.bits, `${first.bits} of ${samples.bits}`)
    assert.deepEqual(await run(5000), first)
    assert.notDeepEqual(await run(5000, 2), first)
  })

  for (const name of targets)
    it(`finds nothing in some inputs of ${name}`, async () => {
      const { figures, found } = await tree.run(name, { ...options, executions: 100 })
      assert.deepEqual(found.map(({ what, stack }) => `${what} ${stack}`), []) // prettier-ignore
      assert.ok(figures!.blocks > 20, `${figures!.blocks} blocks`)
    })
})
