"""Reads files for bench/day.ts with h5py. One request a line, {"file", "logs": n}; one answer a line:

{"events": {"pulses", "events", "digest"}, "logs": [[values…], …], "times": ["…", …]} with int64 times as decimal text.
"""
import hashlib
import json
import sys

import h5py
import numpy

for line in sys.stdin:
    request = json.loads(line)
    try:
        with h5py.File(request["file"], "r") as file:
            events = file["entry/events"]
            zero, index, ids = (events[name][:] for name in ("event_time_zero", "event_index", "event_id"))
            digest = hashlib.sha1(zero.astype("<i8").tobytes())
            digest.update(index.astype("<i8").tobytes())
            digest.update(ids.astype("<i4").tobytes())
            logs = [file["entry/log_%d" % i] for i in range(request["logs"])]
            answer = {
                "events": {"pulses": len(zero), "events": len(ids), "digest": digest.hexdigest()},
                "logs": [log["value"][:].tolist() for log in logs],
                "times": [" ".join(map(str, log["time"][:].astype(numpy.int64).tolist())) for log in logs],
            }
    except Exception as error:  # the file is what is tried
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(answer), flush=True)
