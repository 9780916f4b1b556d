"""Reads the lengths of all datasets of a growing file (hdf5-writer.ts) again and again, and tells reads that a checkpoint fell into from the others."""
import json
import os
import sys
import time

import h5py

EVENTS = 700
# the clock of file times ticks up to every 10 ms
CALM_NS = 40_000_000


def lengths(path):
    with h5py.File(path, "r") as file:
        entry = file["entry"]
        logs = [entry[f"logs/log{i}/{name}"].shape[0] for i in range(5) for name in ("time", "value")]
        pulses = [entry[f"events/{name}"].shape[0] for name in ("event_time_zero", "event_index")]
        events = [entry[f"events/{name}"].shape[0] for name in ("event_id", "event_time_offset")]
        assert all(n % EVENTS == 0 for n in events), events
        return [n // EVENTS for n in events] + pulses + logs + [entry["frames"].shape[0]]


def main(path, wanted):
    found = {"quiet": 0, "quiet_unequal": 0, "busy": 0, "busy_unequal": 0, "largest_step": 0}
    while found["quiet"] < wanted and os.path.exists(path):
        before = os.stat(path).st_mtime_ns
        calm = time.time_ns() - before > CALM_NS
        seen = lengths(path)
        kind = "quiet" if calm and os.stat(path).st_mtime_ns == before else "busy"
        found[kind] += 1
        if len(set(seen)) > 1:
            found[f"{kind}_unequal"] += 1
            found["largest_step"] = max(found["largest_step"], max(seen) - min(seen))
    print(json.dumps(found))


main(sys.argv[1], int(sys.argv[2]))
