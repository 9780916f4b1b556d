import assert from 'node:assert/strict'
import { type WholeFrame } from './aggregate.js'
import { FrameDiagnostics } from './diagnostics.js'

const frame = (vetoes: number, period: number, events: number): WholeFrame => ({ timeNs: 1n, vetoes, period, charge: 0.25, events: [{ tof: new Int32Array(events), ids: new Int32Array(events) }] }) // prettier-ignore

describe('diagnostics of a run', () => {
  it('count frames, events and charge, in sum and of the period that is, and begin anew', () => {
    const run = new FrameDiagnostics(0b101)
    run.look(0)
    for (const one of [frame(0, 0, 10), frame(2, 1, 20), frame(4, 1, 30), frame(8, 1, 40)]) run.add(one)
    assert.deepEqual(run.look(3600), { TOTALEVENTS: 100, MEVENTS: 1e-4, COUNTRATE: 0.1, GOODFRAMES: 3, RAWFRAMES: 4, GOODUAH: 0.75, RAWUAH: 1, GOODFRAMES_PD: 2, RAWFRAMES_PD: 3, GOODUAH_PD: 0.5, RAWUAH_PD: 0.75, PERIOD: 2 }) // prettier-ignore
    // The rate stays until there is a new one
    assert.equal(run.look(4000).COUNTRATE, 0.1)
    assert.equal(run.look(7200).COUNTRATE, 0)
    run.begin()
    assert.deepEqual([run.look(8000).RAWFRAMES, run.look(8000).PERIOD], [0, 2])
  })
})
