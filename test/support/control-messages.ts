// Control messages read by flatc's classes and written again by them, for tests: each field is touched.
import { ActionResponse, Builder, FinishedWriting, RunStart, RunStop, SpectraDetectorMapping, Status, verified } from '../../schemas/control.js' // prettier-ignore
import { readStreamChange, writeStreamChange } from '../../schemas/stream-changes.js'

type Again = (message: Uint8Array) => Uint8Array

function mapping(builder: Builder, map: SpectraDetectorMapping | null): number {
  if (map === null) return 0
  const spectra = Array.from({ length: map.spectrumLength() }, (_, i) => map.spectrum(i)!)
  const detectors = Array.from({ length: map.detectorIdLength() }, (_, i) => map.detectorId(i)!)
  return SpectraDetectorMapping.createSpectraDetectorMapping(
    builder,
    SpectraDetectorMapping.createSpectrumVector(builder, spectra),
    SpectraDetectorMapping.createDetectorIdVector(builder, detectors),
    map.nSpectra()
  )
}

const pl72: Again = (message) => {
  const start = RunStart.getRootAsRunStart(verified(message, 'pl72'))
  const builder = new Builder(1024)
  const text = (value: string | null): number => builder.createString(value)
  const [run, instrument, structure] = [text(start.runName()), text(start.instrumentName()), text(start.nexusStructure())] // prettier-ignore
  const [job, broker, service] = [text(start.jobId()), text(start.broker()), text(start.serviceId())]
  const [file, metadata, topic] = [text(start.filename()), text(start.metadata()), text(start.controlTopic())]
  const map = mapping(builder, start.detectorSpectrumMap())
  RunStart.startRunStart(builder)
  RunStart.addStartTime(builder, start.startTime())
  RunStart.addStopTime(builder, start.stopTime())
  RunStart.addRunName(builder, run)
  RunStart.addInstrumentName(builder, instrument)
  RunStart.addNexusStructure(builder, structure)
  RunStart.addJobId(builder, job)
  RunStart.addBroker(builder, broker)
  RunStart.addServiceId(builder, service)
  RunStart.addFilename(builder, file)
  RunStart.addNPeriods(builder, start.nPeriods())
  RunStart.addDetectorSpectrumMap(builder, map)
  RunStart.addMetadata(builder, metadata)
  RunStart.addControlTopic(builder, topic)
  RunStart.finishRunStartBuffer(builder, RunStart.endRunStart(builder))
  return builder.asUint8Array()
}

const stop: Again = (message) => {
  const stop = RunStop.getRootAsRunStop(verified(message, '6s4t'))
  const builder = new Builder()
  const texts = [stop.runName(), stop.jobId(), stop.serviceId(), stop.commandId()].map((text) => builder.createString(text)) // prettier-ignore
  const [run = 0, job = 0, service = 0, command = 0] = texts
  RunStop.finishRunStopBuffer(builder, RunStop.createRunStop(builder, stop.stopTime(), run, job, service, command))
  return builder.asUint8Array()
}

const answ: Again = (message) => {
  const answer = ActionResponse.getRootAsActionResponse(verified(message, 'answ'))
  const builder = new Builder()
  const root = ActionResponse.createActionResponse(
    builder,
    builder.createString(answer.serviceId()),
    builder.createString(answer.jobId()),
    answer.action(),
    answer.outcome(),
    answer.statusCode(),
    answer.stopTime(),
    builder.createString(answer.message()),
    builder.createString(answer.commandId())
  )
  ActionResponse.finishActionResponseBuffer(builder, root)
  return builder.asUint8Array()
}

const wrdn: Again = (message) => {
  const done = FinishedWriting.getRootAsFinishedWriting(verified(message, 'wrdn'))
  const builder = new Builder()
  const root = FinishedWriting.createFinishedWriting(
    builder,
    builder.createString(done.serviceId()),
    builder.createString(done.jobId()),
    done.errorEncountered(),
    builder.createString(done.fileName()),
    builder.createString(done.metadata()),
    builder.createString(done.message())
  )
  FinishedWriting.finishFinishedWritingBuffer(builder, root)
  return builder.asUint8Array()
}

const x5f2: Again = (message) => {
  const status = Status.getRootAsStatus(verified(message, 'x5f2'))
  const builder = new Builder()
  const root = Status.createStatus(
    builder,
    builder.createString(status.softwareName()),
    builder.createString(status.softwareVersion()),
    builder.createString(status.serviceId()),
    builder.createString(status.hostName()),
    status.processId(),
    status.updateInterval(),
    builder.createString(status.statusJson())
  )
  Status.finishStatusBuffer(builder, root)
  return builder.asUint8Array()
}

/** Kinds that are not known come back as ADD. */
const change =
  (id: 'fc00' | 'rf5k'): Again =>
  (message) => {
    const { change = 'ADD', streams } = readStreamChange(message, id)
    return writeStreamChange(id, change, streams)
  }

/** By schema id: reads a message and writes it again. Throws BadMessage for one that is not sound. */
export const writtenAgain: Readonly<Record<string, Again>> = {
  pl72,
  '6s4t': stop,
  answ,
  wrdn,
  x5f2,
  fc00: change('fc00'),
  rf5k: change('rf5k')
}
