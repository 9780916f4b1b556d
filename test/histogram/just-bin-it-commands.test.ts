// just-bin-it's commands: what is carried out, answered, refused; facts of recorded exchanges, but for the faults.
import assert from 'node:assert/strict'
import { events, infoOf, Live, T0 } from './live.js'
import { Peer } from './peer.js'

const hist1d = { type: 'hist1d', tof_range: [0, 100], num_bins: 5 }
const second = (n: number): bigint => T0 + BigInt(n) * 1_000_000_000n

describe('commands of just-bin-it', function () {
  this.timeout(120_000)
  let live: Live
  let peer: Peer

  before(async () => {
    live = await Live.open(8, 'update_ms = 50\nlate_data_ms = 300\nmemory_bytes = 2000000')
    peer = new Peer(live)
  })
  after(() => live?.close())

  it('waits for data at a start on a topic without any, and is driven as NICOS does it', async () => {
    const data = live.topic()
    const keys = { tof_range: [0, 100_000_000], det_range: [1, 12], num_bins: 50, width: 4, height: 3, left_edges: [], source: '' } // prettier-ignore
    const image = { ...peer.full({ ...keys, type: 'dethist' }, data, 'nicos-image_1-1') }
    const tof = { ...peer.full({ ...keys, type: 'hist1d', num_bins: 5, det_range: [0, 100] }, data, 'nicos-image_2-1') }
    const start = Math.floor(Date.now() / 1000) * 1000
    assert.equal((await peer.ask(peer.config([image, tof], { start })))['response'], 'ACK')
    await live.put(data, events({ time: second(1), tof: [100, 30_000_000, 50_000_000], pixel: [1, 6, 12] }))
    await live.peer.sendRaw('{"cmd": "stop"}')
    // NICOS leaves at FINISHED, and keeps the counts of the message before
    for (const id of ['nicos-image_1-1', 'nicos-image_2-1']) {
      await peer.finished(id)
      const [before, last] = live.of(id).slice(-2)
      assert.deepEqual([before!.state, before!.sum, last!.state, last!.sum], ['COUNTING', 3, 'FINISHED', 3])
    }
  })

  it('carries out and answers each of several commands that come at once', async () => {
    const data = live.topic()
    const ids = ['burst0', 'burst1', 'burst2']
    const commands = ids.map((id) => peer.config([peer.full(hist1d, data, id)], { msg_id: id }))
    for (const command of commands)
      live.peer.producer.send({ topic: live.peer.commandTopic, value: JSON.stringify(command) })
    for (const id of ids) assert.equal((await live.peer.json((json) => json['msg_id'] === id, id))['response'], 'ACK')
    for (const id of ids.slice(0, 2)) await peer.finished(id)
    // Without histograms everything ends
    assert.equal((await peer.ask({ cmd: 'config', msg_id: 'none' }))['response'], 'ACK')
    await peer.finished('burst2')
  })

  it('resets the counts of all, whose states and last pulses stay', async () => {
    const data = live.topic()
    const narrow = { ...hist1d, tof_range: [0, 50] }
    await peer.configure([peer.full(hist1d, data, 'wide'), peer.full(narrow, data, 'narrow')])
    await live.put(data, events({ time: second(3), tof: [10, 60], pixel: [1, 2] }))
    await peer.sum('wide', 2)
    await peer.sum('narrow', 1)
    assert.equal((await peer.ask({ cmd: 'reset_counts', msg_id: 'r' }))['response'], 'ACK')
    for (const id of ['wide', 'narrow']) {
      const { diff, last_pulse_time: last } = infoOf(await peer.sum(id, 0))
      assert.deepEqual([diff, last], [0, Number(second(3))])
    }
    await live.put(data, events({ time: second(4), tof: [10], pixel: [1] }))
    await peer.stop()
    const ends = [await peer.end('wide'), await peer.end('narrow')]
    assert.deepEqual(ends.map((end) => end.data), [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]]) // prettier-ignore
    // Of pulse time, also that of the first data after a reset
    assert.deepEqual(ends.map(({ says }) => [says.sum, says.diff, says.rate]), [[1, 1, 1], [1, 1, 1]]) // prettier-ignore
  })

  it('refuses what it cannot do, and says nothing where nobody asked', async () => {
    const data = live.topic()
    const one = (keys: object): object => peer.config([peer.full({ ...hist1d, ...keys }, data, 'no')])
    const big = { type: 'dethist', det_range: [1, 2], width: 4096, height: 4096 }
    const silent = [
      'nothing',
      '{"cmd": "nonsense"}',
      '{"cmd": "config"',
      '[1, 2]',
      '{}',
      '',
      '{"cmd": "stop", "msg_id": 0}'
    ]
    for (const text of silent) await live.peer.sendRaw(text)
    const answers = live.peer.said.length
    const refused: [object, RegExp][] = [
      [{ cmd: 'conf', msg_id: 'r1' }, /unknown command/],
      [{ msg_id: 'r2' }, /unknown command/],
      [one({ type: 'hist3d' }), /hist3d/],
      [one({ type: undefined }), /type/],
      [one({ num_bins: undefined }), /num_bins/],
      [one({ type: 'hist2d' }), /det_range/],
      [one({ type: 'dethist', det_range: [0, 1], height: 3 }), /width/],
      [one({ type: 'roihist', left_edges: [], width: 3 }), /left_edges/],
      [one({ tof_range: [100, 0] }), /tof_range/],
      [one({ num_bins: 0 }), /num_bins/],
      [one({ num_bins: [50, 10] }), /tof_edges/],
      [one({ topic: 'a b' }), /topic/],
      [one({ id: 5 }), /id/],
      [peer.config([peer.full(hist1d, data, 'x')], { input_schema: 'da00' }), /da00/],
      [peer.config([peer.full(hist1d, data, 'x')], { output_schema: 'da00' }), /da00/],
      [peer.config([peer.full(hist1d, data, 'x')], { interval: 5, start: 1 }), /interval/],
      [peer.config([peer.full(hist1d, data, 'x')], { interval: -5 }), /interval/],
      [peer.config([peer.full(hist1d, data, 'x')], { interval: '5' }), /interval/],
      [peer.config([peer.full(hist1d, data, 'x')], { start: 'now' }), /start/],
      [peer.config([peer.full(hist1d, data, 'x'), peer.full({ ...hist1d, num_bins: -1 }, data, 'y')]), /num_bins/],
      [peer.config([peer.full(hist1d, 'no-such-topic', 'x')]), /no-such-topic/],
      [{ ...peer.config([]), histograms: 'x' }, /list/],
      [peer.config([peer.full(big, data, 'x')]), /218103808 bytes; memory_bytes is 2000000/]
    ]
    for (const [command, why] of refused) {
      const answer = await peer.ask(command)
      assert.equal(answer['response'], 'ERR', JSON.stringify(command))
      assert.match(String(answer['message']), why)
    }
    assert.equal(live.peer.said.length - answers, refused.length)
    // With nothing running; as its clients find the answers by their text
    for (const id of ['"r4"', '7', '{"a": 1}']) {
      const said = live.peer.said.length
      await live.peer.sendRaw(`{"cmd": "${id === '7' ? 'reset_counts' : 'stop'}", "msg_id": ${id}}`)
      await live.peer.wait(() => live.peer.said.length > said, 'an answer')
      const text = id.replace(': ', ':')
      assert.equal(live.peer.said.at(-1)!.value.toString(), `{"msg_id": ${text}, "response": "ACK"}`)
    }
  })
})
