// Start commands of many megabytes: carried out, or refused with the limit.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { decodeJson, encodeMessage } from '../../schemas/index.js'
import { readNexus } from '../support/nexus.js'
import { entry, Harness, type Json } from './harness.js'

const MI_B = 1 << 20
const limit = 80 * MI_B

describe('start commands of many megabytes', function () {
  this.timeout(240_000)
  let h: Harness
  before(async () => {
    h = await Harness.start(
      {},
      ({ commands }) => ({
        'commands.listen': JSON.stringify([{ topic: commands, dialects: ['ess', 'json'] }]),
        'commands.max_bytes': String(limit)
      }),
      undefined,
      { 'max.message.bytes': String(100 * MI_B) }
    )
  })
  after(async () => h?.close())

  const heard = async (schema: string, jobId: string): Promise<Json> => {
    const fields = (value: Buffer): Json => decodeJson(value).message
    const said = await h.control.wait(
      ({ id, value }) => id === schema && fields(value)['job_id'] === jobId,
      `${schema} of ${jobId}`,
      120_000
    )
    return fields(said.value)
  }

  for (const size of [1, 16, 64])
    it(`${size} MiB`, async () => {
      // Eight characters a number
      const values = `[${Array.from({ length: (size * MI_B) / 8 }, (_, i) => `${1_000_000 + (i % 1_000_000)}`).join(',')}]`
      const nodes = entry({ module: 'dataset', config: { name: 'positions', dtype: 'float32', values: '@' } })
      const id = randomUUID()
      const start = encodeMessage('pl72', {
        job_id: id,
        filename: `${size}.nxs`,
        nexus_structure: JSON.stringify(nodes).replace('"@"', values),
        start_time: 1000n,
        stop_time: 2000n
      })
      assert.ok(start.length >= size * MI_B, `${start.length} bytes`)
      await h.control.sendRaw(start)
      const answer = await heard('answ', id)
      assert.equal(answer['status_code'], 201, JSON.stringify(answer))
      assert.equal((await heard('wrdn', id))['error_encountered'], false)
      const path = 'entry/positions#shape'
      assert.deepEqual(await readNexus(join(h.folder, `${size}.nxs`), [path]), { [path]: [(size * MI_B) / 8] })
    })

  it('refuses more than commands.max_bytes, saying so', async () => {
    const large = Buffer.alloc(limit + 1, ' ')
    large.write('{"cmd": "start"')
    await h.control.sendRaw(large)
    await h.control.wait(
      ({ id, value }) => id === 'answ' && value.includes(`commands.max_bytes is ${limit}`),
      'the refusal with the limit',
      60_000
    )
  })
})
