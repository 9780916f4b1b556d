#!/usr/bin/env node
// The `nexstream` command.
import { main } from './program.js'

process.exitCode = await main(process.argv)
