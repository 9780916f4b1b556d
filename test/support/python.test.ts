import assert from 'node:assert/strict'
import { runPython } from './python.js'

describe('python', function () {
  this.timeout(600_000)

  it('has every package of the requirements', async () => {
    const modules =
      'streaming_data_types flatbuffers numpy h5py hdf5plugin scipp scippnexus nexusformat confluent_kafka epicscorelibs pvxslibs p4p caproto'
    const out = await runPython('import sys, importlib\nfor m in sys.argv[1:]: importlib.import_module(m); print(m)', [
      ...modules.split(' ')
    ])
    assert.deepEqual(out.trim().split('\n'), modules.split(' '))
  })

  it('passes stdin and reports what a failing script says', async () => {
    assert.equal(await runPython('import sys\nprint(sys.stdin.read()[::-1])', [], 'abc'), 'cba\n')
    await assert.rejects(runPython('\nraise SystemExit("no such thing")'), /no such thing/)
  })
})
