"""Reads NeXus files with h5py, scippnexus and nexusformat: content at given paths, and whatever is wrong with a file.

For each line {"file", "paths"} of stdin prints a line {"content": {path: value}, "troubles": [text]}.
A path may end in @name for an attribute, #dtype, #shape, #maxshape, #chunks or #filters (registered ids) for the form of a
dataset, #link for where a link leads, and #size for the bytes of a fixed string.
Integers beyond 2^53 and numbers that JSON has no word for come as text.
"""
import json
import logging
import math
import re
import sys
import traceback
import warnings

import dateutil.parser
import h5py
import hdf5plugin  # noqa: F401  zstd for h5py
import numpy as np

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


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
    if form == "link":
        link = file.get(path, getlink=True)
        where = {h5py.SoftLink: "soft", h5py.ExternalLink: "external"}.get(type(link), "hard")
        return [where, *[getattr(link, name) for name in ("filename", "path") if hasattr(link, name)]]
    if path not in file and path != "/":
        return None
    item = file[path]
    if attribute:
        return plain(item.attrs[attribute]) if attribute in item.attrs else None
    if form == "dtype":
        if h5py.check_enum_dtype(item.dtype) is not None:
            return "enum"
        return "string" if h5py.check_string_dtype(item.dtype) is not None else item.dtype.name
    if form == "filters":
        properties = item.id.get_create_plist()
        return [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    if form == "size":
        return h5py.check_string_dtype(item.dtype).length
    if form:
        return plain(getattr(item, form)) if getattr(item, form) is None else list(getattr(item, form))
    if isinstance(item, h5py.Group):
        return sorted(item.keys())
    return plain(item[()])


def text_of(value):
    return value.decode() if isinstance(value, bytes) else value


def nx_class(group):
    return text_of(group.attrs.get("NX_class", ""))


# ---------------------------------------------------------------- our own invariants

TOGETHER = [
    ["alarm_time", "alarm_severity", "alarm_status", "alarm_message"],
    ["connection_status", "connection_status_time"],
    ["units_text_time", "units_text"],
    ["histograms", "errors", "timestamps"],
]
EVENTS = [
    ["event_time_zero", "event_index", "period_number", "run_state", "proton_charge"],
    ["event_id", "event_time_offset", "event_weight", "adc_pulse_amplitude", "adc_pulse_peak_area",
     "adc_pulse_background", "adc_pulse_threshold_time", "adc_pulse_peak_time"],
    ["cue_index", "cue_pulse_index", "cue_timestamp_zero"],
]
LOGS = [["time", "value"], ["cue_index", "cue_timestamp_zero"]]


def growing(item):
    return isinstance(item, h5py.Dataset) and item.ndim > 0 and item.maxshape[0] is None


def check_lengths(group, kind, troubles):
    together = TOGETHER + (EVENTS if kind == "NXevent_data" else LOGS)
    for names in together:
        found = {name: len(group[name]) for name in names if name in group and growing(group[name])}
        if len(set(found.values())) > 1:
            troubles.append(f"{group.name}: lengths differ: {found}")
    if text_of(group.attrs.get("writer_module", "")) == "da00" and "time" in group:
        found = {name: len(group[name]) for name in group if growing(group[name]) and not name.startswith("cue_")}
        if len(set(found.values())) > 1:
            troubles.append(f"{group.name}: lengths differ: {found}")


def check_indices(group, troubles):
    rows = len(group["event_id"]) if "event_id" in group else len(group["time"]) if "time" in group else None
    for name in ("event_index", "cue_index", "cue_pulse_index"):
        if name not in group:
            continue
        index = group[name][()]
        bound = len(group["event_time_zero"]) if name == "cue_pulse_index" else rows
        if np.any(np.diff(index) < 0):
            troubles.append(f"{group.name}/{name} is not monotonic")
        last = bound if name == "event_index" else None if bound is None else bound - 1
        if last is not None and np.any((index < 0) | (index > last)):
            troubles.append(f"{group.name}/{name} points past the {bound} rows")


def check_times(group, troubles):
    for name in group:
        if name in ("time", "event_time_zero", "cue_timestamp_zero") or name.endswith("_time"):
            item = group.get(name)
            units = ("ns", "s", "second") if item is not None and getattr(item, "dtype", None) in ("float32", "float64") else ("ns",)
            if growing(item) and (text_of(item.attrs.get("units", "")) not in units or not {"start", "offset"} & set(item.attrs)):
                troubles.append(f"{item.name}: a time needs units and start")


def check_signal(group, troubles):
    signal = text_of(group.attrs.get("signal", ""))
    if signal == "":
        return
    if signal not in group:
        return troubles.append(f"{group.name}@signal points to {signal}, which is not there")
    if isinstance(group[signal], h5py.Group):
        return
    shape = group[signal].shape
    axes = [text_of(axis) for axis in np.atleast_1d(group.attrs.get("axes", []))]
    if len(axes) != len(shape):
        return troubles.append(f"{group.name}@axes {axes} do not fit the shape {shape} of {signal}")
    for axis, size in zip(axes, shape):
        if axis == ".":
            continue
        if axis not in group:
            troubles.append(f"{group.name}@axes names {axis}, which is not there")
        elif group[axis].ndim == 1 and len(group[axis]) not in (size, size + 1):
            troubles.append(f"{group.name}: axis {axis} has {len(group[axis])} points for {size}")


def check_default(file, groups, troubles):
    """From the root, `default` leads to something that can be plotted, if the file has anything of the kind."""
    if not any("signal" in group.attrs for group in groups):
        return
    group = file
    while "signal" not in group.attrs:
        default = text_of(group.attrs.get("default", ""))
        if default == "" or default not in group:
            return troubles.append(f"{group.name}@default is '{default}': nothing there can be plotted")
        group = group[default]


def check_links(group, troubles):
    for name in group:
        if group.get(name, getlink=True).__class__ is h5py.SoftLink and name not in group:
            troubles.append(f"{group.name}/{name} is a link to nothing")


def check_file(file, troubles):
    groups = [file]
    file.visititems(lambda _, item: groups.append(item) if isinstance(item, h5py.Group) else None)
    for group in groups:
        check_lengths(group, nx_class(group), troubles)
        check_indices(group, troubles)
        check_times(group, troubles)
        check_signal(group, troubles)
        check_links(group, troubles)
        for name in group:
            if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
                continue
            if name in group and isinstance(group[name], h5py.Dataset):
                group[name][()]
    check_default(file, groups, troubles)


# ---------------------------------------------------------------- scippnexus


def datetime_trouble(loaded, kind):
    if kind == "NXevent_data":
        coords = loaded.bins.coords if loaded.bins is not None else {}
        time = loaded.coords["event_time_zero"] if "event_time_zero" in loaded.coords else coords["event_time_zero"]
        return None if str(time.dtype) == "datetime64" else f"event_time_zero is {time.dtype}"
    data = loaded if "time" in getattr(loaded, "coords", {}) else loaded["value"]
    time = data.coords["time"]
    return None if str(time.dtype) == "datetime64" else f"time is {time.dtype}"


def whole_is_excused(raw, error):
    """Files that no writer could make loadable as a whole: integers with errors, links into files that come later."""
    if type(error).__name__ == "VariancesError":
        return True
    groups = [raw]
    raw.visititems(lambda _, item: groups.append(item) if isinstance(item, h5py.Group) else None)
    return any(group.get(name) is None for group in groups for name in group)


def scipp(path, raw, troubles):
    import scippnexus as sx

    groups = []
    raw.visititems(lambda name, item: groups.append(name) if isinstance(item, h5py.Group) else None)
    with sx.File(path) as file:
        try:
            file[()]
        except Exception as error:  # anything a reader throws is a finding
            if not whole_is_excused(raw, error):
                troubles.append(f"scippnexus: whole file: {type(error).__name__}: {error}")
        for name in groups:
            kind = nx_class(raw[name])
            if kind not in ("NXlog", "NXevent_data", "NXdata") or (kind == "NXlog" and "value" not in raw[name]):
                continue
            # more in it than fits the signal: what fits is in there
            if kind == "NXdata" and "plot" in raw[name]:
                continue
            try:
                loaded = file[name][()]
                # a log that is the place of something
                loaded = getattr(loaded, "value", loaded) if type(loaded).__name__ == "Transform" else loaded
                trouble = None if kind == "NXdata" else datetime_trouble(loaded, kind)
                # what could not be understood as an array comes as a bag of fields
                if kind == "NXdata" and type(loaded).__name__ == "DataGroup":
                    trouble = "loads as a bag of fields, not as an array"
                if trouble is not None:
                    troubles.append(f"scippnexus: {name}: {trouble}")
            except Exception as error:  # anything a reader throws is a finding
                troubles.append(f"scippnexus: {name}: {type(error).__name__}: {error}")


# ---------------------------------------------------------------- nexusformat

# What the validator says of what the field's files are meant to have. Everything else is a trouble.
ACCEPTED = [
    # external links to files that come later
    r'is a broken link to ".*\[.*\]"',
    # attributes and datasets beyond the definitions: topic, source, alarm_*, cue_pulse_index, total_counts …
    r'^"@\w+" is not defined as an attribute in',
    r"^This field is not defined in",
    # layout of the field's histograms
    r"^This field is now deprecated. Use ``DATA_errors`` instead",
    r'^Using "axis" as a field attribute is no longer valid',
    # where the structure puts a group: ISIS and ESS have events right in the entry
    r"^\w+ is an invalid class in \w+$",
    # groups named by the source that they hold
    r'^"[^"]*:[^"]*" is an invalid name$',
    # classes of ISIS, which readers of its files look for
    r"^IX\w+ is not a valid base class$",
    # as ISIS has them
    r"^This field is now deprecated. see same field in :ref:`NXsubentry`",
    # values whose unit nobody knows; ids and indices have none
    r"^Units of (NX_ANY|NX_DIMENSIONLESS) not specified",
]


def is_accepted(where, message, file):
    if any(re.search(known, message) for known in ACCEPTED):
        return True
    kind, _, path = where.partition(": ")
    # the definitions want one text for a list of times
    if path.endswith("/cue_timestamp_zero") and "not a valid NX_DATE_TIME" in message:
        return True
    # ISIS has fractions of seconds
    if path.endswith("/duration") and "not a valid NX_INT" in message:
        return True
    # logs of texts
    text = kind == "Field" and h5py.check_string_dtype(file[path].dtype) is not None
    return text and path.endswith("/value") and "not a valid NX_NUMBER" in message


class Sink:
    nxclass = None

    def __init__(self):
        self.logged_messages = []


def is_iso8601(value):
    """The validator's own fails on what is no text."""
    try:
        dateutil.parser.parse(value)
        return True
    except (ValueError, TypeError):
        return False


def validate(path, file, troubles):
    from nexusformat.nexus import nxload, validate as nexus

    nexus.logger.setLevel(logging.INFO)
    nexus.is_valid_iso8601 = is_iso8601
    sink = Sink()
    root = nxload(path, "r")
    with root.nxfile:
        nexus.get_validator("NXroot").validate(root, parent=sink)
    where = "/"
    for message, level, _ in sink.logged_messages:
        if level == "all":
            where = message
        elif level in ("warning", "error") and not is_accepted(where, message, file):
            troubles.append(f"nexusformat: {where}: {message} ({level})")


def examine(path, wanted):
    troubles = []
    with h5py.File(path, "r") as file:
        content = {name: look_up(file, name) for name in wanted}
        check_file(file, troubles)
        scipp(path, file, troubles)
        validate(path, file, troubles)
    return {"content": content, "troubles": troubles}


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = examine(request["file"], request["paths"])
    except Exception:
        answer = {"error": traceback.format_exc()}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
