"""A p4p server with every normative type. p4pserver.py PREFIX [WIDTH HEIGHT: an image channel of this size]"""
import sys
import time

import numpy as np
from p4p import Type, Value
from p4p.nt import NTEnum, NTNDArray, NTScalar, NTTable
from p4p.server import Server, StaticProvider
from p4p.server.thread import SharedPV

import lines

prefix = sys.argv[1]
width, height = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else (4, 3)
channels = {}
tables = {}
SECONDS, NANOSECONDS = 1700000000, 123456789
STAMP = (SECONDS, NANOSECONDS)


def add(name, nt, value, **more):
    channels[prefix + name] = SharedPV(nt=nt, initial=nt.wrap(value, timestamp=STAMP), **more)


NAMES = {"?": "bool", "b": "int8", "B": "uint8", "h": "int16", "H": "uint16", "i": "int32", "I": "uint32", "l": "int64", "L": "uint64", "f": "float32", "d": "float64", "s": "string"}
SCALARS = [True, -5, 250, -300, 65000, -7, 4000000000, -(2**53) - 1, 2**64 - 1, 1.5, 2.5, "text"]
ARRAYS = [[True, False], [-5, 5], [250, 0], [-300], [65000], [-7, 7], [4000000000], [-(2**53) - 1], [2**64 - 1], [1.5, -2.5], [2.5, 3.5], ["a", "\u00fc", "c" * 300]]
for code, value in zip("?bBhHiIlLfds", SCALARS):
    numeric = code not in "?s"
    add("scalar:" + NAMES[code], NTScalar(code, display=numeric, control=numeric, valueAlarm=numeric), value)
for code, value in zip("?bBhHiIlLfds", ARRAYS):
    add("array:" + NAMES[code], NTScalar("a" + code), value)
add("empty", NTScalar("ad"), [])
add("longstring", NTScalar("s"), "x" * 70000)
add("counter", NTScalar("i"), 0)
for name, value, stamp in (("d", "d", "l"), ("h", "h", "L"), ("q", "l", "d")):
    tables[prefix + "samples:" + name] = nt = NTTable([("value", value), ("timestamp", stamp)])
    channels[prefix + "samples:" + name] = SharedPV(initial=nt.wrap([], timestamp=STAMP))
for name in ("frame:" + dtype for code, dtype in NAMES.items() if code not in "?s"):
    channels[prefix + name] = SharedPV(initial=NTNDArray().wrap(np.zeros((1, 1), dtype=np.uint8), timestamp=STAMP))
channels[prefix + "enum"] = SharedPV(nt=NTEnum(), initial={"index": 1, "choices": ["OFF", "ON", "a choice much longer than twenty-six characters"]})
image = np.arange(width * height, dtype=np.uint16).reshape(height, width)
channels[prefix + "image"] = SharedPV(nt=NTNDArray(), initial=image)
channels[prefix + "image:float"] = SharedPV(nt=NTNDArray(), initial=np.arange(6, dtype=np.float32).reshape(2, 3))
add("table", NTTable([("a", "d"), ("b", "s"), ("c", "i")]), [{"a": 1.0, "b": "x", "c": 3}, {"a": 2.0, "b": "y", "c": 4}])
struct = Type(
    [
        ("x", "d"),
        ("sub", ("S", None, [("y", "i"), ("z", "as")])),
        ("arr", ("aS", None, [("q", "i")])),
        ("any", "v"),
        ("anya", "av"),
        ("un", ("U", None, [("i", "i"), ("s", "s")])),
        ("una", ("aU", None, [("i", "i"), ("s", "s")])),
    ],
    id="my:struct",
)
channels[prefix + "struct"] = SharedPV(
    initial=Value(
        struct,
        {
            "x": 1.25,
            "sub": {"y": 7, "z": ["p", "q"]},
            "arr": [{"q": 1}, {"q": 2}],
            "any": 42,
            "anya": [1, "two"],
            "un": ("s", "sel"),
            "una": [("i", 1), ("s", "b")],
        },
    )
)
matrix = Type([("value", "ad"), ("dim", "ai")], id="epics:nt/NTMatrix:1.0")
channels[prefix + "matrix"] = SharedPV(initial=Value(matrix, {"value": [1, 2, 3, 4, 5, 6], "dim": [2, 3]}))
counts = Type([("ranges", "ad"), ("value", "al")], id="epics:nt/NTHistogram:1.0")
channels[prefix + "histogram"] = SharedPV(initial=Value(counts, {"ranges": [0, 1.5, 4], "value": [7, 2**53 + 1]}))
full = NTScalar("d", display=True).wrap(5.5, timestamp=STAMP)
full["alarm.severity"] = 2
full["alarm.status"] = 3
full["alarm.message"] = "HIHI"
full["display.units"] = "mm"
full["timeStamp.userTag"] = 77
channels[prefix + "full"] = SharedPV(initial=full)


def put(name, value, timestamp=None):
    channels[name].post(value, timestamp=tuple(timestamp) if timestamp else time.time())


def delta(name, fields):
    """Changes only the named fields ("alarm.severity")."""
    current = channels[name].current()
    raw = getattr(current, "raw", current)
    raw.unmark()
    for path, value in fields.items():
        raw[path] = value
    channels[name].post(raw)


def table(name, columns, timestamp):
    """Posts whole columns of a table."""
    value = Value(tables[name].type, {"labels": list(columns), "value": columns})
    value["timeStamp.secondsPastEpoch"], value["timeStamp.nanoseconds"] = timestamp
    channels[name].post(value)


def frame(name, dtype, shape, values, timestamp, attributes=None, unique_id=0):
    """Posts one frame; `shape` is slowest first."""
    pixels = np.array(values, dtype=dtype).reshape(shape)
    value = NTNDArray().wrap(pixels, attrib=attributes, timestamp=tuple(timestamp))
    value["uniqueId"] = unique_id
    value["dataTimeStamp.secondsPastEpoch"], value["dataTimeStamp.nanoseconds"] = timestamp
    for attribute in value["attribute"]:
        attribute["descriptor"], attribute["source"] = "about " + attribute["name"], "driver"
    channels[name].post(value)


def frames(name, n, hz, first=1):
    """Posts n frames whose first pixel counts from `first`."""
    begin = time.monotonic()
    for i in range(n):
        frame = image.copy()
        frame[0, 0] = (first + i) % 65536
        channels[name].post(frame, timestamp=time.time())
        wait = begin + (i + 1) / hz - time.monotonic()
        if wait > 0:
            time.sleep(wait)
    return n


def close(name):
    """Server-side end of a channel: clients see it go; `open` brings it back."""
    channels[name].close(destroy=True)


def reopen(name, value):
    channels[name].open(value)


provider = StaticProvider("nexstream")
for name, pv in channels.items():
    provider.add(name, pv)
with Server(providers=[provider]):
    lines.serve(
        {
            "put": put,
            "delta": delta,
            "frames": frames,
            "frame": frame,
            "table": table,
            "close": close,
            "reopen": reopen,
            "ramp": lambda names, n, hz, start=1: lines.ramp(put, names, n, hz, start),
        }
    )
