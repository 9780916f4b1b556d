// Codes of errors about files and what is to be in them; those that every service may have are the core's.

/** Code → what it means and what to do. */
export const errors = {
  STRUCTURE_INVALID: 'Something in nexus_structure is wrong. See the path.',
  WRITER_UNKNOWN: 'No writer module of this name is loaded.',
  FILE_EXISTS: 'The file exists already; nothing is ever overwritten.',
  DISK_FULL: 'The disk of the output folder has less room than `least_free_bytes`. Make room, or lower the limit.',
  HDF5_EXISTS: 'The group, dataset, attribute or link exists already.',
  HDF5_FAILED: 'The HDF5 library or the file system refused an operation (disk full, no permission, damaged file).',
  HDF5_LOCKED: 'Another process is writing this file.'
} as const
