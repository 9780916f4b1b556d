// Codes of errors that only histograms have.

/** Code → what it means and what to do. */
export const errors = {
  HISTOGRAM_INVALID: 'A histogram lacks what its kind needs, or has bins or edges that are none. See the path.',
  HISTOGRAM_MEMORY:
    'The histograms need more memory than `memory_bytes` of the service leaves. The message has both numbers: ask for fewer bins, stop others or raise the limit.'
} as const
