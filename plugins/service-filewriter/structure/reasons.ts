// The one table of what a write job counts: each reason with what it means for the file. docs/reference/reasons.md is made from it.

/**
 * `lost`: belongs to a stream of the job and is not in the file; `warning`: worth a word, but nothing of the job's is missing;
 * `note`: only counted.
 */
export type Weight = 'lost' | 'warning' | 'note'

/** What a job says of its file. */
export type Verdict = 'complete' | 'warnings' | 'lost'

export interface Reason {
  readonly weight: Weight
  readonly says: string
  /** Of a message that is damaged so that its source or time cannot be read it is a warning: always, or where others use its topic. */
  readonly stray?: 'always' | 'shared'
}

const lost = (says: string): Reason => ({ weight: 'lost', says })
const damaged = (says: string): Reason => ({ weight: 'lost', says, stray: 'shared' })
const warning = (says: string): Reason => ({ weight: 'warning', says })
const note = (says: string): Reason => ({ weight: 'note', says })

/** Reason → what it means. What is not here, from plugins of others, is lost unless the plugin says otherwise. */
export const reasons: Readonly<Record<string, Reason>> = {
  no_value: warning('messages without a value (tombstones)'),
  too_small: warning('messages of less than 8 bytes'),
  time_zero: warning('messages of time 0 or before'),
  bad_timestamp: { weight: 'lost', says: 'messages or values in them without a time that is one', stray: 'always' },
  constant_changed: warning('values of a coordinate that differ from the first ones, which the file has'),
  converted: warning('values that the type of the dataset cannot hold as they are'),
  events_without_pulse: warning('events that no pulse message names: in the file, not in the sums over pulses'),
  frame_incomplete: warning('frames without all digitisers: in the file, marked as such'),
  outside_histogram: warning('events of spectra or times that the histogram does not have'),
  incomplete: warning('histograms of which parts did not come: in the file, marked as such'),
  late_frame: warning('frames of which more came when they had been written: twice in the log of frames'),
  message_ids_missing: warning('numbers that the source gave to messages that never came'),
  truncated: warning(
    'messages that were read, are not in Kafka any more, as it lost their leader, and stay in the file'
  ),
  text_cut: warning('texts longer than the dataset: in the file, cut'),
  units_changed: warning('changes of the unit after the first, which the file has'),
  variable_missing: warning('messages without one of the variables: NaN, 0 or an empty text in its place'),
  empty: note('messages that hold no values'),
  expired: note('values that the cache had marked as expired'),
  padded: note('shorter arrays, filled up'),
  pixel_id_filled: note('events without a pixel id: that of the config'),
  pulse_made: note('pulses at the start of the run in groups of events without any (flavour mantid)'),
  not_for_mantid: note('values that only the usual log has: no single values, or of no number'),
  resized: note('datasets that grew to take a larger array'),
  array_for_scalar: lost('arrays for a dataset of single values'),
  array_shape: lost('arrays of another shape than the first'),
  array_size: lost('arrays of another size than the dataset has'),
  constant_refused: lost('coordinates that cannot be made'),
  frame_size: lost('frames of another size than the dataset has'),
  converter_failed: lost('messages that a converter failed on; the log has the first error'),
  events_before_pulse: lost('events before the first pulse of their message'),
  histogram_full: lost('events of periods for which the histogram has no room'),
  histogram_shape: lost('histograms of another shape than the first'),
  no_block: lost('alarms for a block that is not in their group'),
  no_pulse: lost('messages without a pulse'),
  not_in_file: lost('messages that the file took but did not keep: it failed before the next checkpoint'),
  number_for_text: lost('numbers for a dataset of texts'),
  overlap: lost('parts that overlap'),
  period_number: lost('period numbers out of range'),
  pulse_index: lost('events whose pulse cannot be told'),
  text_for_number: lost('texts for a dataset of numbers'),
  variable_refused: lost('variables that HDF5 cannot hold'),
  writer_failed: lost('messages that the writer module failed on; the log has the first error'),
  bad_json: damaged('messages whose JSON cannot be parsed'),
  invalid_flatbuffer: damaged('damaged messages'),
  length_mismatch: damaged('messages whose parts differ in length'),
  missing_field: damaged('messages without a field that must be there'),
  not_a_number: damaged('values that are no numbers'),
  out_of_range: damaged('numbers out of range'),
  unencodable: damaged('values that the schema cannot carry'),
  unknown_schema: damaged('messages of no known schema'),
  unknown_type: damaged('values of no known type'),
  unsupported_type: damaged('values of a type that cannot be written'),
  wrong_schema: damaged('messages of another schema than they say'),
  codec: lost('batches of Kafka that cannot be decompressed'),
  crc: lost('batches of Kafka that are damaged (checksum)'),
  old_format: lost('batches of Kafka in the format from before 0.11'),
  records: lost('batches of Kafka whose records cannot be told apart'),
  corrupt_on_broker: lost('batches of Kafka that the broker cannot read'),
  header: lost('batches of Kafka whose header is damaged'),
  offset_beyond_end: lost('places in Kafka that the broker does not know any more'),
  offset_out_of_range: lost('messages that Kafka had deleted before they were read'),
  open_transaction: lost('messages behind a transaction that was still open'),
  truncated_unread: lost('messages that Kafka lost with their leader before they were read'),
  too_large: lost('batches of Kafka that are too large when decompressed')
}

const find = (reason: string): Reason | undefined => (Object.hasOwn(reasons, reason) ? reasons[reason] : undefined)

/** What was counted for a stream; `said` by the plugin that counted. */
export const weightOf = (reason: string, said?: Weight): Weight => said ?? find(reason)?.weight ?? 'lost'

/** What was counted for a topic, as it belongs to no stream that one could tell; `shared` with others. */
export function strayWeight(reason: string, shared: boolean): Weight {
  const known = find(reason)
  if (known?.stray === 'always' || (known?.stray === 'shared' && shared)) return 'warning'
  return known?.weight ?? 'lost'
}

/** In words, with the reason as in the counters: `3 invalid_flatbuffer (damaged messages)`. */
export function sayReason(reason: string, n: number): string {
  const known = find(reason)
  return known === undefined ? `${n} ${reason}` : `${n} ${reason} (${known.says})`
}
