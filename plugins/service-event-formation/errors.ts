// Codes of errors that only event formation has.

/** Code → what it means and what to do. */
export const errors = {
  READOUT_UNKNOWN: 'No family of readouts of this name is loaded. The message lists those that are.',
  DETECTOR_INVALID:
    'The file of a detector, or its calibration, does not fit its family. See the path, which is one in that file.',
  PORT_FAILED: 'The UDP port cannot be opened: another program has it, or the address is not of this machine.'
} as const
