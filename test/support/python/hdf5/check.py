# Checks files of test/contract/hdf5-writer.ts: {"file":…, "least": pulses, "events": in each} lines on stdin, or `live FILE MODE` beside a writer.
import json
import sys
import time

import h5py
import hdf5plugin  # noqa: F401
import numpy as np

EVENTS = 700


def check(file, least, events=EVENTS):
    """Index columns first, as a reader must: they never run ahead of what they point into."""
    problems = []
    zero = file["/entry/events/event_time_zero"][()]
    index = file["/entry/events/event_index"][()]
    ids = file["/entry/events/event_id"][()]
    offsets = file["/entry/events/event_time_offset"][()]
    n = min(len(zero), len(index))
    if abs(len(zero) - len(index)) and not len(zero) >= least:
        problems.append(f"{len(zero)} times, {len(index)} indices")
    if n < least:
        problems.append(f"{n} pulses of {least} published")
    if len(ids) < n * events or len(offsets) < n * events:
        problems.append(f"{n} pulses but {len(ids)} ids, {len(offsets)} offsets")
    if (zero[:n] != np.arange(n, dtype=np.uint64) * 1000).any() or (index[:n] != np.arange(n) * events).any():
        problems.append("wrong pulse times or indices")
    if (ids != np.arange(len(ids), dtype=np.uint32)).any() or (offsets != np.arange(len(offsets), dtype=np.uint32) % 977).any():
        problems.append("wrong events")
    for i in range(len(file["/entry/logs"])):
        group = file[f"/entry/logs/log{i}"]
        stamps = group["time"][()]
        values = group["value"][()]
        if len(stamps) < least or len(values) < len(stamps):
            problems.append(f"log{i}: {len(stamps)} times, {len(values)} values, {least} published")
        if (stamps != np.arange(len(stamps), dtype=np.uint64)).any() or (values != np.arange(len(values)) * 0.5 + i).any():
            problems.append(f"log{i}: wrong content")
    frames = file["/entry/frames"][()]
    if (frames != (np.arange(len(frames)) % 251).astype("u2")[:, None, None]).any() or len(frames) < least:
        problems.append(f"wrong frames ({len(frames)} of {least})")
    return n, problems


def live(path, mode):
    """Reads again and again; after 20 readings it asks the writer to end. Everything seen must be right."""
    seen, last, problems, retries = 0, 0, [], 0
    while True:
        try:
            with h5py.File(path, "r", swmr=True) if mode == "swmr" else h5py.File(path, "r") as file:
                done = "end" in file["/entry"]
                n, bad = check(file, last)
                problems += bad
                last = max(last, n)
                seen += 1
                if seen == 20:
                    open(path + ".stop", "w").close()
                if done or len(problems) > 5:
                    break
        except (OSError, KeyError, RuntimeError) as error:
            # a reader may meet a file between two writes; it opens it again. More than a few in a row is a fault
            retries += 1
            if retries > 20 + seen:
                problems.append(f"cannot be read: {error}")
                break
        time.sleep(0.01)
    print(json.dumps({"seen": seen, "pulses": last, "retries": retries, "problems": problems}))


if len(sys.argv) > 1 and sys.argv[1] == "live":
    live(*sys.argv[2:])
else:
    results = []
    for line in sys.stdin:
        case = json.loads(line)
        try:
            with h5py.File(case["file"], "r") as file:
                pulses, problems = check(file, case["least"], case.get("events", EVENTS))
        except Exception as error:  # noqa: BLE001  (any failure to read is the result)
            pulses, problems = 0, [f"{type(error).__name__}: {error}"]
        results.append({"file": case["file"], "pulses": pulses, "problems": problems})
    print(json.dumps(results))
