// What a live stream of SNS sends: cut in pieces, then each packet as it is read; and the hello of a client, which is cut the same way.
import {
  annotationPacket,
  annotations,
  bankedEventsPacket,
  beamlinePacket,
  devicePacket,
  formats,
  monitorEventsPacket,
  runStatusPacket,
  valuePacket
} from '../../../plugins/service-adara/wire/packets.js'
import { type AdaraPacket, NoPacket, PacketCutter } from '../../../plugins/service-adara/wire/cut.js'
import { readDevice, readMonitors, readPulse, readRun, readValue } from '../../../plugins/source-adara/read.js'
import { promise, type Target } from '../target.js'

const TIME = 1_767_225_600_000_000_000n
const pulse = { timeNs: TIME, chargePc: 10, energyEv: 1, cycle: 1, vetoes: 0 }
const MOST_BYTES = 1 << 16

function read({ format, payload }: AdaraPacket): void {
  if (format === formats.bankedEvents)
    for (const { timeOfFlight, pixelId } of readPulse(payload).banks.values())
      promise(timeOfFlight.length === pixelId.length && 8 * pixelId.length <= payload.length, 'events that are there')
  else if (format === formats.monitorEvents) readMonitors(payload)
  else if (format === formats.device) readDevice(payload)
  else if (format === formats.runStatus) readRun(payload)
  else if (format === formats.u32 || format === formats.double || format === formats.text) readValue(format, payload)
}

export default {
  // The first byte says in which pieces the rest comes
  seeds: () =>
    [
      bankedEventsPacket(pulse, [{ source: 1, pulseLengthNs: 0, banks: [{ bank: 1, events: Uint32Array.of(1, 2, 3, 4) }] }]), // prettier-ignore
      monitorEventsPacket(pulse, [{ monitor: 1, source: 1, times: Uint32Array.of(1, 2) }]),
      runStatusPacket(TIME, { status: 1, run: 42, startNs: TIME, file: 1 }),
      beamlinePacket(TIME, { station: 1, id: '01', short: 'A', long: 'AMOR' }),
      devicePacket(TIME, 8192, 'a', [{ id: 1, name: 'T & <p>', type: 'double', units: 'K' }]),
      ...(['double', 'unsigned', 'string'] as const).map((type) =>
        valuePacket(TIME, type, { device: 8192, variable: 1, value: 7, status: 0, severity: 0 })
      ),
      annotationPacket(TIME, annotations.comment, 'text')
    ].map((bytes, i) => Buffer.concat([Buffer.from([i % 2 === 0 ? 0 : 9]), bytes])),
  run: (input) => {
    const cutter = new PacketCutter(MOST_BYTES)
    const size = (input[0] ?? 0) === 0 ? input.length : (input[0] ?? 1)
    for (let at = 1; at < input.length; at += size) cutter.push(Buffer.from(input.subarray(at, at + size)), read)
  },
  allows: (error) => error instanceof NoPacket || error instanceof RangeError
} satisfies Target
