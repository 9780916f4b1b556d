#!/usr/bin/env node
// The `nexstream` command. Everything else is imported behind the check: an older Node fails while it reads the imports.
const OLDEST = '20.19.0'
const parts = (version: string): number[] => version.split('.').map(Number)

const [major = 0, minor = 0] = parts(process.versions.node)
const [oldestMajor = 0, oldestMinor = 0] = parts(OLDEST)
if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
  console.error(`nexstream needs Node ${OLDEST} or later; this is ${process.versions.node} (${process.execPath})`)
  process.exitCode = 1
} else {
  const { main } = await import('./program.js')
  process.exitCode = await main(process.argv)
}

export {}
