"""Reads a NeXus file with h5py, scippnexus and nexusformat: content at given paths, and whatever is wrong with the file.

usage: read_nexus.py FILE [PATHS.json]; prints {"content": {path: value}, "troubles": [text]}
A path may end in @name for an attribute, #dtype, #shape or #chunks for the form of a dataset. Times beyond 2^53 come as text.
"""
import json
import math
import sys
import warnings

import h5py
import numpy as np

warnings.simplefilter("ignore")


def plain(value):
    if isinstance(value, bytes):
        return value.rstrip(b"\0").decode()
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    return value


def look_up(file, path):
    path, _, attribute = path.partition("@")
    path, _, form = path.partition("#")
    if path not in file and path != "/":
        return None
    item = file[path]
    if attribute:
        return plain(item.attrs[attribute]) if attribute in item.attrs else None
    if form == "dtype":
        return "string" if h5py.check_string_dtype(item.dtype) is not None else item.dtype.name
    if form:
        return plain(getattr(item, form)) if getattr(item, form) is None else list(getattr(item, form))
    if isinstance(item, h5py.Group):
        return sorted(item.keys())
    return plain(item[()])


def nx_class(group):
    value = group.attrs.get("NX_class", "")
    return value.decode() if isinstance(value, bytes) else value


def lengths(group, names):
    return {name: group[name].shape[0] for name in names if name in group and group[name].ndim > 0}


def check_group(group, troubles):
    kind = nx_class(group)
    together = []
    if kind == "NXlog":
        together = [["time", "value"], ["alarm_time", "alarm_severity", "alarm_status", "alarm_message"]]
        together += [["connection_status", "connection_status_time"]]
        if "value" not in group:
            together[0] = []
    if kind == "NXevent_data":
        together = [["event_time_zero", "event_index"], ["event_id", "event_time_offset", "event_weight"]]
    together.append([name for name in group if name.startswith("cue_")])
    for names in together:
        found = lengths(group, names)
        if len(set(found.values())) > 1:
            troubles.append(f"{group.name}: lengths differ: {found}")
    for name in ("event_index", "cue_index", "cue_pulse_index"):
        if name in group and np.any(np.diff(group[name][()]) < 0):
            troubles.append(f"{group.name}/{name} is not monotonic")
    if "event_index" in group and len(group["event_index"]) and group["event_index"][-1] > len(group["event_id"]):
        troubles.append(f"{group.name}/event_index points past the events")
    for name in ("default", "signal"):
        target = group.attrs.get(name)
        if target is not None and target not in group:
            troubles.append(f"{group.name}@{name} points to {target}, which is not there")


def check_links(group, troubles):
    for name in group:
        if group.get(name, getlink=True).__class__ is h5py.SoftLink and name not in group:
            troubles.append(f"{group.name}/{name} is a link to nothing")


def scipp(path, troubles):
    import scippnexus as sx

    with h5py.File(path) as raw, sx.File(path) as file:
        groups = []
        raw.visititems(lambda name, item: groups.append(name) if isinstance(item, h5py.Group) else None)
        for name in groups:
            kind = nx_class(raw[name])
            if kind not in ("NXlog", "NXevent_data", "NXdata"):
                continue
            if kind == "NXlog" and "value" not in raw[name]:
                continue
            try:
                loaded = file[name][()]
                if kind == "NXevent_data":
                    coords = loaded.bins.coords if loaded.bins is not None else {}
                    time = loaded.coords["event_time_zero"] if "event_time_zero" in loaded.coords else coords["event_time_zero"]
                    if str(time.dtype) != "datetime64":
                        troubles.append(f"scippnexus: {name}: event_time_zero is {time.dtype}")
                if kind == "NXlog":
                    data = loaded if "time" in getattr(loaded, "coords", {}) else loaded["value"]
                    if str(data.coords["time"].dtype) != "datetime64":
                        troubles.append(f"scippnexus: {name}: time is {data.coords['time'].dtype}")
            except Exception as error:  # anything a reader throws is a finding
                troubles.append(f"scippnexus: {name}: {type(error).__name__}: {error}")


def main(path, wanted):
    troubles = []
    with h5py.File(path, "r") as file:
        content = {name: look_up(file, name) for name in wanted}
        groups = [file]
        file.visititems(lambda _, item: groups.append(item) if isinstance(item, h5py.Group) else None)
        for group in groups:
            check_group(group, troubles)
            check_links(group, troubles)
            for name in group:
                if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
                    continue
                if name in group and isinstance(group[name], h5py.Dataset):
                    group[name][()]
    scipp(path, troubles)
    print(json.dumps({"content": content, "troubles": troubles}))


main(sys.argv[1], json.load(open(sys.argv[2])) if len(sys.argv) > 2 else [])
