"""Reads NeXus files as Mantid does, by what is known of its loaders; each rule with where it comes from.

For each line {"file"} of stdin prints {"verdicts": {rule: [text of each place where it is not met]}, "events", "logs", "start",
"instrument"}. `break SOURCE FOLDER` makes copies of a file, each broken on purpose, and prints their names; `rules` prints the rules.
Written from the behaviour of LoadEventNexus, LoadNexusLogs and LoadISISNexus, not from our own code.
"""
import json
import os
import re
import shutil
import sys

import h5py
import numpy as np

SKIPPED = {"bank_error_events", "bank_unmapped_events"}


def text(value):
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    return value.decode() if isinstance(value, bytes) else value


def kind(item):
    return text(item.attrs.get("NX_class", ""))


def groups(parent):
    return {name: item for name, item in parent.items() if isinstance(item, h5py.Group)} if parent is not None else {}


def is_time(word):
    """As Poco would take it: a date, T, a time, perhaps a zone."""
    return isinstance(word, str) and re.match(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$", word) is not None


class File:
    def __init__(self, file):
        self.file = file
        self.entry = None
        for name in ("entry", "raw_data_1"):
            if name in file and kind(file[name]) == "NXentry":
                self.entry = file[name]
                break
        entry = groups(self.entry)
        self.banks = {n: g for n, g in entry.items() if kind(g) == "NXevent_data" and n not in SKIPPED}
        homes = [g for n, g in entry.items() if kind(g) in ("IXselog", "IXrunlog") or n in ("DASlogs", "framelog")]
        self.logs = {}
        for home in homes:
            for name, log in groups(home).items():
                if kind(log) == "IXseblock":
                    log = log.get("value_log")
                if log is not None and kind(log) in ("NXlog", "NXpositioner"):
                    self.logs[f"{home.name}/{name}"] = log


def all_groups(group):
    """Once each, whatever links lead to it."""
    seen, todo = set(), [group]
    while todo:
        one = todo.pop(0)
        if one.id.__hash__() in seen:
            continue
        seen.add(one.id.__hash__())
        yield one
        todo += groups(one).values()


# ------------------------------------------------------------ rules: (id, loader, check); a check yields what is wrong


def entry(f):
    if f.entry is None:
        yield "no entry"


def event_groups(f):
    if f.entry is None:
        return
    known = set(f.banks.values())
    deep = [g for g in all_groups(f.entry) if kind(g) == "NXevent_data" and g not in known and g.name.count("/") > 2]
    for group in deep:
        parents = group.name.split("/")
        above = ["/".join(parents[: i + 1]) for i in range(1, len(parents) - 1)]
        if not any(kind(f.file[path]) == "NXmonitor" for path in above):
            yield f"{group.name} is not found"
    if not f.banks and not deep and "detector_1/counts" not in f.entry:
        yield "no events"


def event_names(f):
    yield from (name for name in f.banks if not name.endswith("_events"))


def time_zero(f):
    for name, bank in f.banks.items():
        zero = bank.get("event_time_zero")
        if zero is None or zero.dtype.name not in ("float64", "uint64"):
            yield f"{name}: Unsupported type"
        elif zero.size == 0:
            yield f"{name}: empty"


def time_units(f):
    for name, bank in f.banks.items():
        zero = bank.get("event_time_zero")
        if zero is None or "units" not in zero.attrs:
            continue
        assumed = {"float64": "s", "uint64": "n"}.get(zero.dtype.name)
        if assumed is not None and not text(zero.attrs["units"]).startswith(assumed):
            yield f"{name}: read in other units"


def epoch(f):
    for name, bank in f.banks.items():
        zero = bank.get("event_time_zero")
        if zero is None or not is_time(text(zero.attrs.get("offset", None))):
            yield f"{name}: counted from 1970"


def event_index(f):
    for name, bank in f.banks.items():
        index, zero, offset = (bank.get(n) for n in ("event_index", "event_time_zero", "event_time_offset"))
        if index is None or index.dtype.kind not in "iu":
            yield f"{name}: no index"
            continue
        values = index[()]
        if len(values) == 1 and values[0] == 0:
            continue
        if zero is None or len(values) != len(zero):
            yield f"{name}: lengths differ"
        elif np.any(np.diff(values.astype("int64")) < 0) or (len(values) and (offset is None or values[-1] > len(offset))):
            yield f"{name}: points to nothing"


def event_id(f):
    for name, bank in f.banks.items():
        ids, offset = bank.get("event_id"), bank.get("event_time_offset")
        if ids is None or ids.dtype.name != "uint32":
            yield f"{name}: not narrowed"
        elif offset is None or len(ids) != len(offset):
            yield f"{name}: lengths differ"


def time_offset(f):
    for name, bank in f.banks.items():
        offset = bank.get("event_time_offset")
        if offset is None or offset.dtype.kind not in "iuf" or "units" not in offset.attrs:
            yield f"{name}: no units"


def weight(f):
    for name, bank in f.banks.items():
        if "event_weight" in bank and bank["event_weight"].dtype != np.float32:
            yield f"{name}: not float32"


def total_counts(f):
    for name, bank in f.banks.items():
        if "total_counts" in bank and bank["total_counts"].dtype != np.uint64:
            yield f"{name}: not read"


def start(f):
    if f.entry is None:
        return
    log = f.entry.get("DASlogs/proton_charge")
    if log is not None and "time" in log and len(log["time"]):
        return
    if "start_time" in f.entry:
        if not is_time(text(f.entry["start_time"][()])):
            yield "start_time is no time"
    elif not any("event_time_zero" in bank and len(bank["event_time_zero"]) for bank in f.banks.values()):
        yield "no start"


def charge(f):
    if f.entry is None:
        return
    log = f.entry.get("DASlogs/proton_charge")
    if log is None:
        if "proton_charge" not in f.entry:
            yield "no charge"
    elif "value" not in log or not re.search(r"^uAh$|picocoulomb", text(log["value"].attrs.get("units", "")), re.I):
        yield "units of the charge"


def instrument(f):
    if f.entry is not None and name_of(f) is None:
        yield "no instrument"


def name_of(f):
    found = [g for g in groups(f.entry).values() if kind(g) == "NXinstrument"] or [g for n, g in groups(f.entry).items() if n == "instrument"]
    for group in found[:1]:
        if "instrument_xml" in group:
            return "xml"
        for detector in groups(group).values():
            if kind(detector) == "NXdetector" and {"x_pixel_offset", "pixel_shape", "detector_shape"} & set(detector):
                return "geometry"
        if "name" in group:
            return text(group["name"][()])
    if "isis_vms_compat/NAME" in f.entry:
        return text(f.entry["isis_vms_compat/NAME"][()])
    return None


def spectra(f):
    compat = f.entry.get("isis_vms_compat") if f.entry is not None else None
    if compat is None or ("UDET" not in compat and "SPEC" not in compat):
        return
    if "UDET" not in compat or "SPEC" not in compat or len(compat["UDET"]) != len(compat["SPEC"]):
        yield "UDET and SPEC"


def shift(f):
    if f.entry is None or text(f.entry["program_name"][()] if "program_name" in f.entry else "") != "ISISICP.EXE":
        return
    for name, bank in f.banks.items():
        if "event_time_offset_shift" not in bank or text(bank["event_time_offset_shift"][()]) != "random":
            yield f"{name}: shifted"


def periods(f):
    group = f.entry.get("periods") if f.entry is not None else None
    if group is None:
        return
    if "number" not in group or group["number"].dtype != np.int32:
        yield "number"
        return
    log = f.entry.get("framelog/period_log/value")
    if log is None:
        return
    values = log[()]
    first = next(iter(f.banks.values()), None)
    if first is not None and "event_time_zero" in first and len(values) != len(first["event_time_zero"]):
        yield "length of period_log"
    elif np.any(values < 1):
        yield "periods count from 1"


def duration(f):
    if f.entry is not None and "duration" in f.entry and "units" not in f.entry["duration"].attrs:
        yield "no units"


def run_number(f):
    if f.entry is None:
        return
    item = f.entry.get("run_number")
    if item is None or not (item.dtype == np.int32 or h5py.check_string_dtype(item.dtype) is not None):
        yield "run_number"


def texts(f):
    if f.entry is not None:
        yield from (name for name in ("title", "sample/name") if name not in f.entry)


def log_groups(f):
    if f.entry is None:
        return
    known = set(f.logs.values())
    # A log that stands there once more is found
    stems = {name.rsplit("/", 1)[1] for name in f.logs}
    for group in all_groups(f.entry):
        if kind(group) != "NXlog" or group in known:
            continue
        words = group.name.split("/")[1:]
        if not stems & ({"_".join(words[i:]) for i in range(len(words))} | set(words[-2:-1])):
            yield f"{group.name} is not found"


def log_times(f):
    for name, log in f.logs.items():
        time = log.get("time")
        if time is None:
            yield f"{name}: no time"
        elif not is_time(text(time.attrs.get("start", time.attrs.get("offset", None)))):
            yield f"{name}: no start"
        elif text(time.attrs.get("units", "")) not in ("s", "second", "seconds", "minutes"):
            yield f"{name}: units"


def log_lengths(f):
    for name, log in f.logs.items():
        if "value" not in log or "time" not in log or len(np.atleast_1d(log["value"])) != len(np.atleast_1d(log["time"])):
            yield f"{name}: lengths differ"


def log_texts(f):
    for name, log in f.logs.items():
        value = log.get("value")
        info = None if value is None else h5py.check_string_dtype(value.dtype)
        if info is not None and (info.length is None or value.ndim != 2):
            yield f"{name}: texts"


def log_validity(f):
    for name, log in f.logs.items():
        if "value_valid" in log:
            valid = log["value_valid"]
            if valid.dtype.kind not in "iu" or len(valid) != len(log["time"]):
                yield f"{name}: value_valid"


def histogram(f):
    counts = f.file.get("raw_data_1/detector_1/counts")
    if counts is None:
        return
    detector = f.file["raw_data_1/detector_1"]
    if counts.dtype != np.int32 or counts.ndim != 3:
        yield "counts"
        return
    if "spectrum_index" not in detector or detector["spectrum_index"].dtype != np.int32 or len(detector["spectrum_index"]) != counts.shape[1]:
        yield "spectrum_index"
    edges = detector.get("time_of_flight", detector.get("raw_time"))
    if edges is None or edges.dtype != np.float32 or len(edges) != counts.shape[2] + 1:
        yield "time_of_flight"


def histogram_name(f):
    if "raw_data_1/detector_1/counts" in f.file and "name" not in f.file["raw_data_1"]:
        yield "name"


def monitors(f):
    if "raw_data_1/detector_1/counts" in f.file:
        for name, group in groups(f.file["raw_data_1"]).items():
            if kind(group) == "NXmonitor" and not {"spectrum_index", "data", "time_of_flight"} <= set(group):
                yield name


def vms_compat(f):
    if "raw_data_1/detector_1/counts" in f.file:
        compat = f.file["raw_data_1"].get("isis_vms_compat", {})
        if not {"NSP1", "UDET", "SPEC", "SPB", "RSPB", "IRPB", "RRPB"} <= set(compat):
            yield "isis_vms_compat"


EVENTS, LOGS, ISIS = "LoadEventNexus", "LoadNexusLogs", "LoadISISNexus"
RULES = [
    ("entry", EVENTS, entry),
    ("event-groups", EVENTS, event_groups),
    ("event-names", EVENTS, event_names),
    ("event-time-zero", EVENTS, time_zero),
    ("event-time-units", EVENTS, time_units),
    ("event-epoch", EVENTS, epoch),
    ("event-index", EVENTS, event_index),
    ("event-id", EVENTS, event_id),
    ("event-time-offset", EVENTS, time_offset),
    ("event-weight", EVENTS, weight),
    ("total-counts", EVENTS, total_counts),
    ("start", EVENTS, start),
    ("proton-charge", EVENTS, charge),
    ("instrument", EVENTS, instrument),
    ("spectra", EVENTS, spectra),
    ("time-shift", EVENTS, shift),
    ("periods", EVENTS, periods),
    ("duration", EVENTS, duration),
    ("run-number", EVENTS, run_number),
    ("texts", EVENTS, texts),
    ("log-groups", LOGS, log_groups),
    ("log-times", LOGS, log_times),
    ("log-lengths", LOGS, log_lengths),
    ("log-texts", LOGS, log_texts),
    ("log-validity", LOGS, log_validity),
    ("histogram", ISIS, histogram),
    ("histogram-name", ISIS, histogram_name),
    ("monitors", ISIS, monitors),
    ("vms-compat", ISIS, vms_compat),
]


def read(path):
    with h5py.File(path, "r") as file:
        f = File(file)
        answer = {"verdicts": {rule: list(check(f)) for rule, _, check in RULES}, "events": {}, "logs": {}}
        if any(answer["verdicts"][rule] for rule in ("entry", "event-time-zero", "event-index", "event-id", "event-time-offset")):
            return answer
        for name, bank in f.banks.items():
            ids, tof, index = bank["event_id"][()], bank["event_time_offset"][()], bank["event_index"][()]
            answer["events"][name] = [[int(i), float(t)] for i, t in zip(ids, tof)], [int(i) for i in index]
        for name, log in f.logs.items():
            answer["logs"][name] = np.asarray(log["time"]).tolist(), [text(v) for v in np.ravel(log["value"][()])]
        answer["instrument"] = name_of(f)
        return json.loads(json.dumps(answer, default=lambda v: v.item()))


# ------------------------------------------------------------ files broken on purpose


def replace(parent, name, value, **attributes):
    old = dict(parent[name].attrs) if name in parent else {}
    if name in parent:
        del parent[name]
    parent[name] = value
    for key, word in {**old, **attributes}.items():
        parent[name].attrs[key] = word


def in_bank(name, change):
    """Of the first bank, whatever links lead to it."""
    def broken(file):
        change(file["entry/bank1_events"])
    return name, broken


def drop_link(file):
    del file["entry/bank1_events"]


def ns_log(file):
    log = file["entry/DASlogs/temperature"]
    log["time"].attrs["units"] = "ns"


def move(file, source, target):
    file.move(source, target)


def histograms(file):
    entry = file.create_group("raw_data_1")
    entry.attrs["NX_class"] = "NXentry"
    del file["entry"]
    detector = entry.create_group("detector_1")
    detector["counts"] = np.zeros((1, 3, 5), "int32")
    detector["spectrum_index"] = np.arange(3, dtype="int32")
    detector["time_of_flight"] = np.arange(5, dtype="float32")
    monitor = entry.create_group("monitor_1")
    monitor.attrs["NX_class"] = "NXmonitor"


def compat_lengths(file):
    group = file["entry"].create_group("isis_vms_compat")
    group["UDET"], group["SPEC"] = np.arange(3), np.arange(2)


def attr(item, name, value):
    item.attrs[name] = value


BREAKS = dict([
    ("entry", lambda f: move(f, "entry", "run_1")),
    ("entry-class", lambda f: attr(f["entry"], "NX_class", "NXcollection")),
    ("event-groups", drop_link),
    ("event-names", lambda f: move(f, "entry/bank1_events", "entry/counts_of_bank1")),
    in_bank("event-time-zero-type", lambda b: replace(b, "event_time_zero", b["event_time_zero"][()].astype("int64"))),
    in_bank("event-time-zero-empty", lambda b: replace(b, "event_time_zero", np.zeros(0, "uint64"))),
    in_bank("event-time-units", lambda b: attr(b["event_time_zero"], "units", "us")),
    in_bank("event-epoch", lambda b: b["event_time_zero"].attrs.__delitem__("offset")),
    in_bank("event-index-length", lambda b: replace(b, "event_index", b["event_index"][1:])),
    in_bank("event-index-far", lambda b: replace(b, "event_index", b["event_index"][()] + 99)),
    in_bank("event-index-type", lambda b: replace(b, "event_index", b["event_index"][()].astype("float64"))),
    in_bank("event-id", lambda b: replace(b, "event_id", b["event_id"][()].astype("int32"))),
    in_bank("event-id-length", lambda b: replace(b, "event_id", b["event_id"][1:])),
    in_bank("event-time-offset", lambda b: b["event_time_offset"].attrs.__delitem__("units")),
    in_bank("event-weight", lambda b: replace(b, "event_weight", np.ones(6, "int16"))),
    in_bank("total-counts", lambda b: replace(b, "total_counts", np.int64(6))),
    ("start", lambda f: (f["entry/DASlogs"].__delitem__("proton_charge"), replace(f["entry"], "start_time", "yesterday"))),
    ("proton-charge", lambda f: f["entry/DASlogs"].__delitem__("proton_charge")),
    ("proton-charge-units", lambda f: attr(f["entry/DASlogs/proton_charge/value"], "units", "C")),
    ("instrument", lambda f: f["entry/instrument"].__delitem__("name")),
    ("spectra", compat_lengths),
    ("time-shift", lambda f: replace(f["entry"], "program_name", "ISISICP.EXE")),
    ("periods", lambda f: f["entry"].create_group("periods").create_dataset("number", data=np.int64(1))),
    ("periods-length", lambda f: period_log(f, [1, 1])),
    ("periods-zero", lambda f: period_log(f, [0, 1, 1, 1])),
    ("duration", lambda f: replace(f["entry"], "duration", 7.0)),
    ("run-number", lambda f: replace(f["entry"], "run_number", 7.0)),
    ("texts", lambda f: f["entry"].__delitem__("title")),
    ("log-groups", lambda f: f["entry/DASlogs"].__delitem__("temperature")),
    ("log-times", ns_log),
    ("log-times-us", lambda f: attr(f["entry/DASlogs/temperature/time"], "units", "us")),
    ("log-times-start", lambda f: f["entry/DASlogs/temperature/time"].attrs.__delitem__("start")),
    ("log-lengths", lambda f: replace(f["entry/DASlogs/temperature"], "value", np.zeros(9))),
    ("log-texts", lambda f: replace(f["entry/DASlogs/state"], "value", np.array([b"warm", b"cold"]))),
    ("log-validity", lambda f: replace(f["entry/DASlogs/temperature"], "value_valid", np.ones(9, "int32"))),
    ("histogram", histograms),
])


def period_log(file, values):
    file["entry"].create_group("periods").create_dataset("number", data=np.int32(1))
    log = file["entry"].require_group("framelog").create_group("period_log")
    log.attrs["NX_class"] = "NXlog"
    log["value"] = np.array(values, "int32")
    log["time"] = np.arange(len(values), dtype="float64")
    log["time"].attrs["units"], log["time"].attrs["start"] = "s", "2023-11-14T22:13:20Z"


if len(sys.argv) > 1 and sys.argv[1] == "break":
    source, folder = sys.argv[2:4]
    for name, change in BREAKS.items():
        target = os.path.join(folder, f"{name}.nxs")
        shutil.copy(source, target)
        os.chmod(target, 0o644)
        with h5py.File(target, "r+") as file:
            change(file)
    print(json.dumps(list(BREAKS)))
elif len(sys.argv) > 1 and sys.argv[1] == "rules":
    print(json.dumps([[rule, loader] for rule, loader, _ in RULES]))
else:
    for line in sys.stdin:
        print(json.dumps(read(json.loads(line)["file"])), flush=True)
