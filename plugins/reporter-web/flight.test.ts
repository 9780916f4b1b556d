import assert from 'node:assert/strict'
import { type FlightScale, fromTime, toTime } from './flight.js'

describe('times of flight of neutrons', () => {
  const of = (scale: FlightScale) => ({ scale, metres: 10, offsetMs: 2 })
  const near = (a: number, b: number): void => assert.ok(Math.abs(a / b - 1) < 1e-4, `${a} is not ${b}`)

  it('are wavelengths and energies', () => {
    // A thermal neutron: 2200 m/s, 1.798 Å, 25.3 meV
    const ms = 2 + 10_000 / 2200
    near(fromTime(ms, of('wavelength')), 1.79819)
    near(fromTime(ms, of('energy')), 25.299)
    assert.equal(fromTime(ms, of('time')), ms)
    assert.ok(Number.isNaN(fromTime(2, of('wavelength'))) && Number.isNaN(fromTime(1, of('energy'))))
  })

  it('and back', () => {
    for (const scale of ['time', 'wavelength', 'energy'] as const)
      near(toTime(fromTime(7.5, of(scale)), of(scale)), 7.5)
  })
})
