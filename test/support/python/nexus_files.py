"""`make PATH`: a NeXus file as that of ESS; `make-isis PATH`: as that of ISIS; `make-random PATH SEED`: of logs and events by chance. `compare A B`: what differs between two files, as JSON lines."""
import json
import sys

import h5py
import numpy as np

T0 = 1_790_000_000_000_000_000


def group(parent, name, nx_class):
    made = parent.create_group(name)
    made.attrs["NX_class"] = nx_class
    return made


def dataset(parent, name, value, **attributes):
    made = parent.create_dataset(name, data=value, maxshape=(None,) + np.shape(value)[1:] if np.ndim(value) else None)
    for key, text in attributes.items():
        made.attrs[key] = text


def make(path):
    random = np.random.default_rng(7)
    with h5py.File(path, "w") as file:
        entry = group(file, "entry", "NXentry")
        entry["title"] = "specular, µ"
        entry["run"] = np.int32(42)
        instrument = group(entry, "instrument", "NXinstrument")
        detector = group(instrument, "detector", "NXdetector")
        dataset(detector, "detector_number", np.arange(12, dtype="int32").reshape(3, 4), long_name="pixels")
        dataset(detector, "x_pixel_offset", np.linspace(0, 1, 4), units="m")
        detector.attrs["numbers"] = np.array([1, 2, 3], dtype="int64")
        events = group(detector, "detector_events", "NXevent_data")
        counts = random.poisson(40, 200)
        counts[[3, 50, 51]] = 0
        total = int(counts.sum())
        dataset(events, "event_id", random.integers(0, 12, total, dtype="int32"))
        dataset(events, "event_time_offset", random.integers(0, 71_000_000, total, dtype="uint32"), units="ns")
        dataset(events, "event_time_zero", T0 + np.arange(200, dtype="int64") * 71_428_571, units="ns", offset="1970-01-01T00:00:00")
        dataset(events, "event_index", np.concatenate([[0], np.cumsum(counts)[:-1]]).astype("uint64"))
        monitor = group(entry, "monitor", "NXmonitor")
        single = group(monitor, "events", "NXevent_data")
        dataset(single, "event_id", np.ones(30, dtype="int64"))
        dataset(single, "event_time_offset", np.arange(30, dtype="float32") * 2, units="microseconds")
        dataset(single, "event_time_zero", np.arange(10) * 0.25, units="s", offset="2026-09-21T14:13:20+00:00")
        dataset(single, "event_index", np.arange(10, dtype="int32") * 3)
        sample = group(entry, "sample", "NXsample")
        for name, dtype in [("temperature", "float64"), ("field", "float32"), ("state", "int16"), ("big", "uint64")]:
            log = group(sample, name, "NXlog")
            dataset(log, "value", (random.random(50) * 1000).astype(dtype), units="K")
            dataset(log, "time", T0 + np.arange(50, dtype="int64") * 200_000_000 + 1, units="ns", start="1970-01-01T00:00:00Z")
        # As alarms stand beside a log
        dataset(sample["temperature"], "alarm_severity", np.array([1, 2], dtype="int16"))
        dataset(sample["temperature"], "alarm_time", T0 + np.arange(2, dtype="int64"), units="ns", start="1970-01-01T00:00:00Z")
        dataset(sample["temperature"], "alarm_message", np.array([b"HIHI", b"HIGH"]))
        wave = group(sample, "wave", "NXlog")
        dataset(wave, "value", random.random((20, 5)), units="V")
        dataset(wave, "time", np.arange(20) * 0.5, units="s", start="2026-09-21T14:13:20")
        note = group(sample, "note", "NXlog")
        dataset(note, "time", T0 + np.arange(2, dtype="int64"), units="ns")
        note.create_dataset("value", data=["cold", "warm"], dtype=h5py.string_dtype())
        entry["events"] = h5py.SoftLink("/entry/instrument/detector/detector_events")


def make_isis(path):
    """Events in seconds and microseconds from the start of the run, blocks with a log below, texts of fixed size."""
    random = np.random.default_rng(11)
    start = "2026-09-21T14:13:20"
    with h5py.File(path, "w") as file:
        entry = group(file, "raw_data_1", "NXentry")
        entry.create_dataset("definition", data=np.array([b"TOFRAW"]))
        entry.create_dataset("run_number", data=np.array([1042], dtype="int32"))
        dataset(entry, "proton_charge", np.array([12.5], dtype="float32"), units="uAh")
        events = group(entry, "detector_1_events", "NXevent_data")
        counts = random.poisson(25, 120)
        counts[[0, 7]] = 0
        total = int(counts.sum())
        dataset(events, "event_id", random.integers(1, 5000, total, dtype="int32"))
        dataset(events, "event_time_offset", (random.random(total) * 20_000).astype("float32"), units="microsecond")
        dataset(events, "event_time_zero", np.arange(120) * 0.02, units="second", offset=start)
        dataset(events, "event_index", np.concatenate([[0], np.cumsum(counts)[:-1]]).astype("int32"))
        log = group(group(entry, "framelog", "NXcollection"), "proton_charge", "NXlog")
        dataset(log, "value", random.random(120).astype("float32"), units="uAh")
        dataset(log, "time", (np.arange(120) * 0.02).astype("float32"), units="second", start=start)
        for name, dtype in [("TEMP1", "float32"), ("SLIT_GAP", "float64"), ("COUNTER", "int32")]:
            block = group(group(entry, "selog", "IXselog") if name == "TEMP1" else entry["selog"], name, "IXseblock")
            log = group(block, "value_log", "NXlog")
            dataset(log, "value", (random.random(40) * 300).astype(dtype), units="K")
            dataset(log, "time", np.sort(random.random(40) * 2.4).astype("float32"), units="s", start=start)


def make_random(path, seed):
    """Logs and events of random types, lengths, clocks and places."""
    random = np.random.default_rng(seed)
    pick = lambda *choices: choices[random.integers(len(choices))]  # noqa: E731

    def clock(parent, name, origin, count):
        steps = np.sort(random.choice(10**7, count, replace=False))
        form = pick("ns", "s", "us")
        if form == "ns":
            dataset(parent, name, T0 + steps.astype(pick("int64", "uint64")) * 1000, units="ns", **{origin: "1970-01-01T00:00:00Z"})
        elif form == "s":
            dataset(parent, name, steps * 1e-3, units="s", **{origin: pick("2026-09-21T14:13:20", "2026-09-21T14:13:20Z")})
        else:
            dataset(parent, name, steps.astype("int64"), units="microseconds", **{origin: "2026-09-21T14:13:20Z"})

    with h5py.File(path, "w") as file:
        entry = group(file, pick("entry", "raw_data_1"), "NXentry")
        entry["title"] = f"by chance, {seed}"
        for i in range(6):
            parent = group(entry, f"part{i}", pick("NXcollection", "NXsample", "NXinstrument"))
            log = group(parent, f"log{i}", "NXlog")
            count = int(random.integers(1, 60))
            row = pick((), (), (3,), (17,))
            dtype = pick("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
            dataset(log, "value", (random.random((count, *row)) * 120).astype(dtype), units=pick("K", "mm", "counts"))
            clock(log, "time", "start", count)
        for i in range(3):
            events = group(entry[f"part{i}"], f"events{i}", "NXevent_data")
            pulses = int(random.integers(1, 80))
            counts = random.poisson(pick(0.5, 30), pulses)
            total = int(counts.sum())
            dataset(events, "event_id", random.integers(0, 10**6, total).astype(pick("int32", "uint32", "int64")))
            if pick(True, False):
                dataset(events, "event_time_offset", random.integers(0, 71_000_000, total).astype(pick("int32", "uint32")), units="ns")
            else:
                dataset(events, "event_time_offset", (random.random(total) * 20_000).astype(pick("float32", "float64")), units="microseconds")
            clock(events, "event_time_zero", "offset", pulses)
            dataset(events, "event_index", np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(pick("int32", "int64", "uint64")))


def times(data):
    """ns since 1970; None for what is no time."""
    units = data.attrs.get("units")
    scale = {"ns": 1, "s": 10**9, "second": 10**9, "microsecond": 1000, "microseconds": 1000}.get(units)
    if scale is None or data.dtype.kind not in "iuf":
        return None
    start = data.attrs.get("start", data.attrs.get("offset"))
    zero = 0 if start is None else int(np.datetime64(start.replace("Z", "").replace("+00:00", ""), "ns").astype("int64"))
    values = data[()]
    return values.astype("int64") * scale + zero if data.dtype.kind in "iu" else np.floor(values.astype("float64") * scale + 0.5).astype("int64") + zero


def walk(group, path="", found=None):
    """By every name, links too: h5py's own walk gives each object once."""
    found = {"/": group} if found is None else found
    for name, item in group.items():
        found[f"{path}/{name}"] = item
        if isinstance(item, h5py.Group):
            walk(item, f"{path}/{name}", found)
    return found


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.all(a == b))


def compare(one, other):
    with h5py.File(one) as first, h5py.File(other) as second:
        a, b = walk(first), walk(second)
        for path in sorted(a.keys() | b.keys()):
            if path not in a or path not in b:
                print(json.dumps(["only in " + ("second" if path not in a else "first"), path]))
                continue
            if isinstance(a[path], h5py.Dataset):
                x, y = times(a[path]), times(b[path])
                if not (same(x, y) if x is not None and y is not None else same(a[path][()], b[path][()])):
                    print(json.dumps(["content", path]))
                if a[path].dtype != b[path].dtype:
                    print(json.dumps(["type", path, str(a[path].dtype), str(b[path].dtype)]))
            for name in sorted(a[path].attrs.keys() | b[path].attrs.keys()):
                if name not in a[path].attrs or name not in b[path].attrs:
                    print(json.dumps(["attribute only in " + ("second" if name not in a[path].attrs else "first"), path, name]))
                elif not same(a[path].attrs[name], b[path].attrs[name]):
                    print(json.dumps(["attribute", path, name]))


if sys.argv[1] == "make-random":
    make_random(sys.argv[2], int(sys.argv[3]))
elif sys.argv[1] in ("make", "make-isis"):
    (make if sys.argv[1] == "make" else make_isis)(sys.argv[2])
else:
    compare(sys.argv[2], sys.argv[3])
