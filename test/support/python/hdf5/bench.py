# The yardstick of bench/hdf5-write.ts: the same work by h5py. bench.py events|logs100|logs1|structure FILE GB
import json
import resource
import sys
import time

import h5py
import numpy as np

EVENTS, LOGS, VALUES, GROUPS = 120_000, 1000, 1000, 5000
what, path, gb = sys.argv[1], sys.argv[2], float(sys.argv[3])


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def column(group, name, dtype, chunk, **attributes):
    item = group.create_dataset(name, (0,), dtype, maxshape=(None,), chunks=(chunk,))
    item.attrs.update(attributes)
    return item


def extend(item, data):
    n = len(item)
    item.resize((n + len(data),))
    item[n:] = data


def log(entry, i):
    group = entry.create_group(f"log_{i}")
    group.attrs["NX_class"] = "NXlog"
    value = column(group, "value", "f8", 1024, units="K")
    return group, value, column(group, "time", "u8", 1024, units="ns", start="1970-01-01T00:00:00Z")


file = h5py.File(path, "w")
entry = file.create_group("entry")
if what == "events":
    group = entry.create_group("events")
    data = [np.full(EVENTS, i, "i4") for i in range(16)]
    count = round(gb * 1e9 / (8 * EVENTS))
    units = count * 8 * EVENTS / 1e9
    start, begun = cpu(), time.perf_counter()
    ids, tofs = (column(group, name, "i4", 1 << 18) for name in ("event_id", "event_time_offset"))
    zero, index = (column(group, name, "u8", 1024) for name in ("event_time_zero", "event_index"))
    for i in range(count):
        extend(ids, data[i % 16])
        extend(tofs, data[i % 16])
        extend(zero, [i])
        extend(index, [i * EVENTS])
elif what == "structure":
    units = GROUPS
    start, begun = cpu(), time.perf_counter()
    for i in range(GROUPS):
        group, _, _ = log(entry, i)
        column(group, "cue_timestamp_zero", "u8", 1024, units="ns")
        column(group, "cue_index", "u8", 1024)
else:
    step = int(what[4:])
    rounds = VALUES // step if step > 1 else 20
    units = LOGS * rounds * step
    columns = [log(entry, i)[1:] for i in range(LOGS)]
    values, times = np.arange(step) * 0.5, np.arange(step, dtype="u8")
    start, begun = cpu(), time.perf_counter()
    for _ in range(rounds):
        for value, stamp in columns:
            extend(value, values)
            extend(stamp, times)
file.close()
print(json.dumps({"cpu": cpu() - start, "wall": time.perf_counter() - begun, "units": units}))
