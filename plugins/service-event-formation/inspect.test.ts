import assert from 'node:assert/strict'
import { filesOfCase, families, recordedCase } from '../../test/event-formation/cases.js'
import { inspect } from './inspect.js'
import { type DetectorOptions } from './options.js'
import { type ReadoutPart } from './readout-kit.js'

describe('the check of detectors', () => {
  it('tells a port that two have, and raw copies without a topic', async () => {
    const parts = await families()
    const { config } = filesOfCase(recordedCase('cbm'), parts.readout('cbm') as ReadoutPart)
    const detector = (keys: Record<string, unknown>) =>
      ({ family: 'cbm', topic: 'monitors', host: '0.0.0.0', port: 9001, config, ...keys }) as unknown as DetectorOptions
    const detectors = {
      first: detector({}),
      second: detector({}),
      third: detector({ port: 9002, raw_only: true }),
      group: detector({ host: '224.1.2.3' }),
      again: detector({ host: '224.1.2.3' })
    }
    const found = inspect({ folder: '.', detectors }, undefined, parts)
    assert.deepEqual(
      found.map(({ code, path }) => `${code} ${path}`),
      ['COMMAND_INVALID /detectors/third/raw_only', 'PORT_FAILED /detectors/second/port']
    )
  })
})
