// Boards of ISIS: datagrams of several messages to ev44 and pu00, each loss counted; hostile ones end nothing.
import assert from 'node:assert/strict'
import { decodeJson } from '../../schemas/index.js'
import { random as randomOf } from '../support/random.js'
import { addressNumber } from '../../plugins/service-event-formation/readout-kit.js'
import { formationOf, type RecordedCase } from './cases.js'

const recorded = (config: Readonly<Record<string, unknown>>): RecordedCase => ({ family: 'isis', config, packets: [], messages: [], counters: {} }) // prettier-ignore

interface BoardMessage {
  readonly kind?: number
  readonly frame?: number
  readonly time?: readonly [year: number, day: number, h: number, m: number, s: number, ms: number, us: number, ns: number] // prettier-ignore
  readonly period?: number
  readonly protons?: number
  readonly vetoes?: number
  readonly events?: readonly (readonly [first: number, second: number])[]
  readonly length?: number
}

/** Boards tell the time of now. */
const NOW = new Date()
const YEAR = NOW.getUTCFullYear()
const DAY = 1 + Math.floor((NOW.getTime() - Date.UTC(YEAR, 0)) / 86_400_000)
const TIME = [YEAR - 2000, DAY, NOW.getUTCHours(), NOW.getUTCMinutes(), NOW.getUTCSeconds(), 20, 300, 7] as const
const TIME_NS = BigInt(Math.floor(NOW.getTime() / 1000)) * 1_000_000_000n + 20_300_007n

/** By big integers, unlike what is tested. */
function board({
  kind = 0xff,
  frame = 1,
  time = TIME,
  period = 0,
  protons = 0,
  vetoes = 0,
  events = [],
  length = 16 + 2 * events.length
}: BoardMessage): Buffer {
  // prettier-ignore
  const gps = time.reduce((bits, value, i) => (bits << BigInt([8, 9, 5, 6, 6, 10, 10, 10][i] ?? 0)) | BigInt(value), 0n)
  const words = [0xffffffff, ((kind << 24) | 0xffffff) >>> 0, 0, frame, Number(gps >> 32n), Number(gps & 0xffffffffn), period << 16, events.length, protons * 2 ** 24, vetoes * 2 ** 16, 0, 0, 0, length, 0, 0, ...events.flat()] // prettier-ignore
  const out = Buffer.alloc(4 * words.length)
  for (const [i, word] of words.entries()) out.writeUInt32BE(word, 4 * i)
  return out
}

const tubes = { board: 'PC3544MS', channels: [{ channel: 1, start: 1000, length: 256 }, { channel: 7, start: 5000, length: 4096 }] } // prettier-ignore

/** @param calibration - a wiring table @param senders - of the packets */
async function run(
  config: Readonly<Record<string, unknown>>,
  packets: readonly Buffer[],
  calibration?: string,
  senders: readonly string[] = []
) {
  const { formation, messages } = await formationOf({ ...recorded(config), calibration }, false)
  for (const [i, one] of packets.entries()) formation.packet(one, addressNumber(senders[i] ?? ''))
  const counters = Object.fromEntries(Object.entries(formation.counters.values()).filter(([name, n]) => name.startsWith('messages.') && n > 0)) // prettier-ignore
  return { messages, counters, decoded: messages.map(({ value }) => decodeJson(Buffer.from(value))) }
}

/** Twenty thousand datagrams, cut and with wrong bytes. */
function damaged(formation: { packet(bytes: Buffer): void }, whole: Buffer, pick: (below: number) => number): void {
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(whole.subarray(0, pick(whole.length) + 1))
    for (let k = 0; k <= pick(4); k++) bytes[pick(bytes.length)] = pick(256)
    formation.packet(bytes)
  }
}

describe('boards of ISIS by UDP', () => {
  it('events of tubes and vetoes of a frame become ev44 and pu00, several messages in one datagram', async () => {
    const events = [[0x01000064, (1 << 26) | (77 << 12) | 0x020], [0xffffff, 7 * 2 ** 26 + 0xfff], [5, 3 << 26]] as const // prettier-ignore
    const packet = Buffer.concat([board({ events, period: 3 }), board({ kind: 0xbf, period: 3, protons: 200, vetoes: 0x8001 }), Buffer.alloc(100)]) // prettier-ignore
    const { decoded, messages, counters } = await run(tubes, [packet])
    assert.deepEqual(decoded, [
      { file_identifier: 'ev44', message: { source_name: 'rust_proc', message_id: '0', reference_time: [String(TIME_NS)], reference_time_index: [0], time_of_flight: [100, 0xffffff], pixel_id: [1002, 9095] } }, // prettier-ignore
      { file_identifier: 'pu00', message: { source_name: 'rust_proc', message_id: '0', reference_time: String(TIME_NS), vetos: 0x8001, period_number: 3, proton_charge: Math.fround(200 * 1.738e-6) } } // prettier-ignore
    ])
    assert.deepEqual(messages.map(({ source, events: n, timestampMs }) => [source, n, timestampMs]), [['', 2, Number(TIME_NS / 1_000_000n)], ['', 0, Number(TIME_NS / 1_000_000n)]]) // prettier-ignore
    assert.deepEqual(counters, { 'messages.neutrons': 1, 'messages.vetoes': 1, 'messages.error_channel': 1 })
  })

  it('the other boards', async () => {
    const first = await run({ board: 'PC3634M1S', start: 10, source: 'M' }, [board({ events: [[7, 32], [8, 0x80000000]] })]) // prettier-ignore
    assert.deepEqual([first.decoded[0]?.message['pixel_id'], first.decoded[0]?.message['source_name']], [[42], 'M'])
    const second = await run({ board: 'PC3877MS', start: 10 }, [board({ events: [[0x01000007, 0x10020]] })])
    assert.deepEqual([second.decoded[0]?.message['pixel_id'], second.decoded[0]?.message['time_of_flight']], [[42], [140]]) // prettier-ignore
  })

  it('what cannot be understood is counted; what is whole before it goes on', async () => {
    const good = board({ events: [[1, 1 << 26]], frame: 10 })
    const { messages, counters } = await run(tubes, [
      Buffer.concat([good, Buffer.from('no marker'.padEnd(64, '!'))]),
      Buffer.concat([board({ frame: 14, events: [[1, 1 << 26]] }), good.subarray(0, 66)]),
      Buffer.concat([board({ frame: 14, kind: 0xdf }), Buffer.alloc(7), Buffer.from([1])]),
      board({ frame: 14, time: [26, 0, 1, 1, 1, 1, 1, 1] }),
      board({ frame: 14, kind: 0x12 }),
      board({ frame: 14, kind: 0xdf, length: 20 }).subarray(0, 64),
      Buffer.concat([board({ kind: 0xdf }), board({ kind: 0x7f })]),
      board({ frame: 13, events: [[1, 1 << 26]], length: 3 }),
      board({ frame: 15 })
    ])
    assert.equal(messages.length, 3)
    assert.deepEqual(counters, {
      'messages.neutrons': 4,
      'messages.environment': 2,
      'messages.end': 1,
      'messages.error_marker': 1,
      'messages.error_size': 3,
      'messages.error_time': 1,
      'messages.error_kind': 1,
      'messages.error_length': 1,
      'messages.missing': 3
    })
  })

  it('a board whose clock is far off: its time is told, but is not that of Kafka', async () => {
    const events = [[1, 1 << 26]] as const
    const { messages, counters, decoded } = await run(tubes, [board({ events, time: [255, 1, 0, 0, 0, 0, 0, 0] }), board({ events, frame: 2 })]) // prettier-ignore
    assert.deepEqual(messages.map(({ timestampMs }) => timestampMs), [undefined, Number(TIME_NS / 1_000_000n)]) // prettier-ignore
    assert.deepEqual(decoded[0]?.message['reference_time'], [String(BigInt(Date.UTC(2255, 0, 1)) * 1_000_000n)])
    assert.deepEqual(counters, { 'messages.neutrons': 2, 'messages.error_clock': 1 })
  })

  it('a board that begins anew is followed from there; what is late is not', async () => {
    const frames = [30_000, 30_001, 29_990, 30_002, 1, 2, 5, 4, 6]
    const { counters } = await run(tubes, frames.map((frame) => board({ frame }))) // prettier-ignore
    assert.deepEqual(counters, { 'messages.neutrons': 9, 'messages.missing': 2 })
  })

  it('events in are events out or counted, whatever is lost on the way; damaged datagrams end nothing', async () => {
    const pick = randomOf(7)
    const { formation, messages } = await formationOf(recorded(tubes), false)
    let sent = 0
    for (let frame = 1; frame <= 2000; frame++) {
      const events = Array.from({ length: pick(20) }, () => [pick(2 ** 24), 2 ** 26 * pick(8) + pick(4096)] as const)
      const bytes = board({ frame, events })
      // Lost now and then
      if (pick(10) === 0 && frame > 1 && frame < 2000) continue
      formation.packet(bytes)
      sent += events.length
    }
    const of = (name: string): number => formation.counters.get(`messages.${name}`).value
    assert.equal(messages.reduce((sum, one) => sum + one.events, 0) + of('error_channel'), sent) // prettier-ignore
    assert.equal(of('neutrons') + of('missing'), 2000)
    const whole = Buffer.concat([board({ events: [[1, 1 << 26], [2, 2]] }), board({ kind: 0xbf })]) // prettier-ignore
    damaged(formation, whole, pick)
    const before = messages.length
    formation.packet(whole)
    assert.equal(messages.length, before + 2)
  })

  it('a channel that is there twice is refused', async () => {
    const channels = [{ channel: 1, start: 0, length: 2 }, { channel: 1, start: 2, length: 2 }] // prettier-ignore
    await assert.rejects(run({ board: 'PC3544MS', channels }, []), { code: 'DETECTOR_INVALID', path: '/channels/1' })
  })
})

interface NewMessage extends BoardMessage {
  readonly flags?: number
  readonly format?: number
  readonly delay?: number
  readonly bits?: readonly [channel: number, diagnostic: number, position: number]
  readonly firstId?: number
  /** Words of the header. */
  readonly words?: number
}

/** With the newer header, by big integers. */
function newBoard({
  flags = 0xff,
  format = 1,
  frame = 1,
  time = TIME,
  period = 0,
  protons = 0,
  vetoes = 0,
  delay = 0,
  events = [],
  bits = [8, 12, 12],
  firstId = 0,
  words: header = 16,
  length = header + 2 * events.length
}: NewMessage): Buffer {
  // prettier-ignore
  const gps = time.reduce((sum, value, i) => (sum << BigInt([8, 9, 5, 6, 6, 10, 10, 10][i] ?? 0)) | BigInt(value), 0n)
  const [channel, diagnostic, position] = bits
  const fixed = [0xffffffff, 0xff000000 + format * 256 + header, 3544 * 65536 + flags, Number(gps >> 32n), Number(gps & 0xffffffffn), frame, period * 65536, events.length, length * 65536 + protons, vetoes, 0, 0, delay] // prettier-ignore
  const own = [0x78 * 2 ** 24 + channel * 65536 + diagnostic * 256 + position, firstId, ...Array<number>(Math.max(0, header - 16)).fill(0)] // prettier-ignore
  const words = [...fixed, ...own.slice(0, Math.max(0, header - 14)), 0xc0ffee, ...events.flat()]
  const out = Buffer.alloc(4 * words.length)
  for (const [i, word] of words.entries()) out.writeUInt32BE(word, 4 * i)
  return out
}

const MARK = 0xe0000000
const isNew = { header: 'new', source: 'B' }

describe('boards of ISIS with the newer header', () => {
  it('events have the ids of their channel and position; the control board tells period and charge', async () => {
    // An event as ISIS' own code has it for its tests: 456 µs, channel 2, position 1234
    const event = [0xe0005910, 0x02fff4d2] as const
    const control = { ...isNew, control: '192.168.1.5' }
    const sent = [newBoard({ events: [event, [MARK + 0x1ffffff, 0]], firstId: 282_828, vetoes: 0x80001, period: 3 }), newBoard({ frame: 1, vetoes: 2, period: 3, protons: 200, flags: 0xfd }), newBoard({ events: [event] })] // prettier-ignore
    const { decoded, counters } = await run(control, [Buffer.concat([sent[0]!, Buffer.alloc(99)]), sent[1]!, sent[2]!], undefined, ['192.168.1.7', '192.168.1.5', '192.168.1.6']) // prettier-ignore
    const common = { source_name: 'B', reference_time: String(TIME_NS) }
    const [vetoes, events, pulse, last] = decoded.map(({ message }) => message)
    assert.deepEqual(vetoes, { ...common, message_id: '0', vetos: 0x80001, period_number: null, proton_charge: null }) // prettier-ignore
    assert.deepEqual(events, { ...common, message_id: '0', reference_time: [String(TIME_NS)], reference_time_index: [0], time_of_flight: [456_000, 0x1ffffff * 20], pixel_id: [282_828 + 1234 + 2 * 4096, 282_828] }) // prettier-ignore
    assert.deepEqual(pulse, { ...common, message_id: '1', vetos: 2, period_number: 3, proton_charge: Math.fround(200 * 1.738e-6) }) // prettier-ignore
    assert.deepEqual([last?.['pixel_id'], decoded.length], [[1234 + 2 * 4096], 4])
    assert.deepEqual(counters, { 'messages.neutrons': 2, 'messages.vetoes': 1 })
  })

  it('the frame sync delay goes from the time of the frame to the times of flight', async () => {
    const { decoded } = await run({ ...isNew, delay_ns: 20, period_half: 'lower' }, [newBoard({ events: [[MARK + 5, 0]], delay: 1_500_000, period: 9 })]) // prettier-ignore
    const [pulse, events] = decoded.map(({ message }) => message)
    assert.deepEqual(events?.['reference_time'], [String(TIME_NS - 30_000_000n)])
    assert.deepEqual(events['time_of_flight'], [30_000_100])
    assert.deepEqual([pulse?.['reference_time'], pulse?.['period_number']], [String(TIME_NS - 30_000_000n), 0])
  })

  it('what cannot be understood is counted; each event is in a message or in a count', async () => {
    const good = newBoard({ events: [[MARK, 0]] })
    const { messages, counters } = await run(isNew, [
      Buffer.concat([good, Buffer.from('no marker'.padEnd(64, '!'))]),
      Buffer.concat([good, good.subarray(0, 66)]),
      newBoard({ length: 3 }),
      newBoard({ words: 13, length: 16 }),
      newBoard({ events: [[MARK, 0]], format: 2 }),
      newBoard({ events: [[MARK, 0]], bits: [33, 0, 0] }),
      newBoard({ events: [[MARK, 0], [0, 0]] }),
      newBoard({ events: [[MARK, 0], [MARK, 0xffffffff]], firstId: 2 ** 31 - 1 }),
      newBoard({ flags: 0xfb }),
      Buffer.concat([newBoard({ flags: 0xfe }), newBoard({ flags: 0x12 }), newBoard({ time: [26, 0, 1, 1, 1, 1, 1, 1] })]),
      newBoard({ frame: 4 })
    ]) // prettier-ignore
    assert.deepEqual(counters, { 'messages.neutrons': 7, 'messages.pause': 1, 'messages.end': 1, 'messages.error_marker': 1, 'messages.error_size': 3, 'messages.error_kind': 1, 'messages.error_time': 1, 'messages.error_format': 2, 'messages.error_event': 1, 'messages.error_channel': 1, 'messages.missing': 2 }) // prettier-ignore
    assert.equal(messages.reduce((sum, { events }) => sum + events, 0), 4) // prettier-ignore
  })

  it('damaged datagrams end nothing', async () => {
    const pick = randomOf(11)
    const { formation, messages } = await formationOf(recorded(isNew), false)
    const whole = Buffer.concat([newBoard({ events: [[MARK + 1, 1 << 26], [MARK, 2]] }), newBoard({ flags: 0xfd })]) // prettier-ignore
    damaged(formation, whole, pick)
    const before = messages.length
    formation.packet(whole)
    assert.equal(messages.length, before + 3)
  })
})

describe('the wiring table of ISIS', () => {
  const head =
    'BRD_NUM,BRD_Ref,Packet_Type,SW_Pos,StreamingIP,CH,Mantid_DetectorID_Start,Mantid_Detector_ID_Lenght,Comment'
  const table = [head, '0,ADC0-S0,Position,0,192.168.2.100,0,1000,256,', '0,ADC0-S0,Position,0,192.168.2.100,1,5000,4096,"a, b"', '', '1,ADC0-S1,Position,0,192.168.2.101,0,9000,256,'].join('\r\n') // prettier-ignore
  const one = board({ events: [[1, 0x20], [2, (1 << 26) | 7]] }) // prettier-ignore

  it('boards are told apart by the address of the sender, each with frames of its own', async () => {
    const senders = ['192.168.2.100', '192.168.2.101', '::ffff:192.168.2.100', '10.0.0.1']
    const later = board({ frame: 2, events: [[1, 0]] })
    const { decoded, counters } = await run({ board: 'PC3544MS' }, [one, one, later, one], table, senders)
    assert.deepEqual(decoded.map(({ message }) => message['pixel_id']), [[1002, 5007], [9002], [1000]]) // prettier-ignore
    assert.deepEqual(counters, { 'messages.neutrons': 3, 'messages.error_channel': 1, 'messages.error_sender': 1 })
  })

  it('types of boards stand in it, or in the config', async () => {
    const typed = 'BRD_Type,StreamingIP,CH,Mantid_DetectorID_Start,Mantid_Detector_ID_Lenght\nPC3634M1S,192.168.2.100,0,7,1' // prettier-ignore
    const { decoded } = await run({}, [one], typed, ['192.168.2.100'])
    assert.deepEqual(decoded[0]?.message['pixel_id'], [0x27, (1 << 26) + 14])
    const refused: readonly (readonly [text: string, word: RegExp])[] = [
      ['StreamingIP,CH\n', /no column Mantid_DetectorID_Start/],
      [table, /line 2 .*no BRD_Type/],
      [typed.replace('PC3634M1S', 'X1'), /line 2 .*X1; boards are/],
      [typed.replace('192.168.2.100', '192.168.2.300'), /line 2 .*no address/],
      [typed.replace(',7,', ',-7,'), /line 2 .*'-7'/],
      [`${typed}\nPC3877MS,192.168.2.100,0,7,1`, /line 3 .*a PC3634M1S already/]
    ]
    for (const [text, message] of refused)
      await assert.rejects(run({}, [], text), { code: 'DETECTOR_INVALID', message })
    await assert.rejects(run({}, []), { code: 'DETECTOR_INVALID', path: '/board' })
    await assert.rejects(run({ header: 'new', control: 'here' }, []), { code: 'DETECTOR_INVALID', path: '/control' })
  })
})
