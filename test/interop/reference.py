"""Messages of the reference package, one table for every schema it has, and what a file must hold of them.

usage: reference.py make       prints {id: {"messages": [base64], "module": config, "expected": {dataset: content}}}
       reference.py compare    reads [{"id", "theirs", "ours"}] (base64), prints what reads differently
"""
import base64
import enum
import json
import sys
from datetime import datetime, timezone

import numpy as np
from streaming_data_types import DESERIALISERS, SERIALISERS
from streaming_data_types.alarm_al00 import Severity
from streaming_data_types.area_detector_ad00 import Attribute as Attribute00
from streaming_data_types.area_detector_ADAr import Attribute as AttributeAr
from streaming_data_types.array_1d_se00 import Location as Location00
from streaming_data_types.dataarray_da00 import Variable
from streaming_data_types.epics_connection_ep01 import ConnectionInfo
from streaming_data_types.fbschemas.action_response_answ.ActionOutcome import ActionOutcome
from streaming_data_types.fbschemas.action_response_answ.ActionType import ActionType
from streaming_data_types.fbschemas.epics_connection_info_ep00.EventType import EventType
from streaming_data_types.forwarder_config_update_fc00 import StreamInfo as Stream00
from streaming_data_types.forwarder_config_update_rf5k import StreamInfo as Stream5k
from streaming_data_types.run_start_pl72 import DetectorSpectrumMap

T = 1_700_000_000_000_000_000
S = 1_000_000_000
NOW = datetime(2024, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
NOW_NS = int(NOW.timestamp()) * S
IMAGE = np.arange(6, dtype=np.uint16).reshape(2, 3)
ALL = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
SCALARS = [np.array(3 + i, dtype=kind) for i, kind in enumerate(ALL)]
WAVES = [np.array([i, i + 1, i + 2], dtype=kind) for i, kind in enumerate(ALL)]


def entry(messages, config=None, **expected):
    return {"messages": messages, "config": config or {}, "expected": expected}


def histogram(kind):
    edges = np.array([0.0, 1.0, 2.0])
    return {
        "source": "src", "timestamp": T, "current_shape": [2], "last_metadata_timestamp": T - 1, "info": "info_string",
        "dim_metadata": [{"length": 2, "unit": "mm", "label": "x", "bin_boundaries": edges}],
        "data": np.array([7, 8], dtype=kind), "errors": np.array([0.5, 0.25]),
    }


def logs(encode):
    scalars = [encode(value, T + i) for i, value in enumerate(SCALARS)]
    return entry(scalars, value=[float(v) for v in SCALARS], time=[T + i for i in range(len(SCALARS))])


def events(id, *more):
    encode = SERIALISERS[id]
    messages = [
        encode("src", 1, [T], [0], [10, 20, 30], [1, 2, 3], *more[:1]),
        encode("src", 2, [T + S, T + 2 * S], [0, 1], [40, 50, 60], [4, 5, 6], *more[:1]),
    ]
    extra = {"event_weight": [1, 2, 3, 1, 2, 3]} if more else {}
    return entry(
        messages, event_time_zero=[T, T + S, T + 2 * S], event_index=[0, 3, 4],
        event_time_offset=[10, 20, 30, 40, 50, 60], event_id=[1, 2, 3, 4, 5, 6], **extra)


TABLE = {
    "f144": lambda e: logs(lambda value, time: e("src", value, time)),
    "f142": lambda e: logs(lambda value, time: e(value, "src", time)),
    "ev44": lambda e: events("ev44"),
    "ev43": lambda e: events("ev43"),
    "an44": lambda e: events("an44", [1, 2, 3]),
    "ev42": lambda e: entry(
        [e("src", 1, T, [10, 20], [1, 2], {"period_number": 3, "run_state": 1, "proton_charge": 0.5}), e("src", 2, T + S, [], [])],
        {"isis_data": True},
        event_time_zero=[T, T + S], event_index=[0, 2], event_time_offset=[10, 20], event_id=[1, 2],
        period_number=[3, 0], run_state=["RUNNING", ""], proton_charge=[0.5, "nan"]),
    "al00": lambda e: entry([e("src", T, Severity.MAJOR, "too hot"), e("src", T + 1, Severity.OK, "")],
                            alarm_message=["too hot", "NO ALARM MESSAGE"], alarm_severity=[2, 0], alarm_time=[T, T + 1]),
    "ep00": lambda e: entry([e(T, EventType.CONNECTED, "src", "fwd"), e(T + 1, EventType.DISCONNECTED, "src", "fwd")],
                            connection_status=[2, 3], connection_status_time=[T, T + 1]),
    "ep01": lambda e: entry([e(T + i, status, "src", "fwd") for i, status in enumerate(ConnectionInfo)],
                            connection_status=[status.value for status in ConnectionInfo],
                            connection_status_time=[T + i for i in range(len(ConnectionInfo))]),
    "se00": lambda e: entry([e("src", 1, T + i, 0, i, wave, Location00.Start, [T + i, T + i + 1, T + i + 2]) for i, wave in enumerate(WAVES)]
                            + [e("src", 1, T + S, 5, 99, np.array([1.5, 2.5]))],
                            {"dtype": "double"},
                            value=[float(v) for wave in WAVES for v in wave] + [1.5, 2.5],
                            time=[T + i + j for i in range(len(WAVES)) for j in range(3)] + [T + S, T + S + 5]),
    "senv": lambda e: entry([e("src", 1, NOW, 1000, 1, np.array([1, 2, 3], dtype=np.uint16))], value=[1, 2, 3],
                            time=[NOW_NS, NOW_NS + 1000, NOW_NS + 2000]),
    "tdct": lambda e: entry([e("src", [T, T + 7], 1)], time=[T, T + 7], cue_index=[0]),
    "hs00": lambda e: entry([e(histogram("uint64"))], histograms=[[7.0, 8.0]], errors=[[0.5, 0.25]], data=[7.0, 8.0], x=[0.0, 1.0, 2.0],
                            timestamps=[[T, 1]], info=["info_string"]),
    "hs01": lambda e: entry([e(histogram("int32"))], histograms=[[7.0, 8.0]], errors=[[0.5, 0.25]], x=[0.0, 1.0, 2.0]),
    "ad00": lambda e: entry([e("src", 1, T, IMAGE, [Attribute00("a", "b", "c", 1.5)])], value=[IMAGE.tolist()], time=[T]),
    "ADAr": lambda e: entry([e("src", 1, NOW, IMAGE, [AttributeAr("a", "b", "c", np.array([1, 2]))])], value=[IMAGE.tolist()], time=[NOW_NS]),
    # its times are those of the clock
    "NDAr": lambda e: entry([e(1, [2, 2], 1, [1, 2, 3, 4])], value=[[[1, 2], [3, 4]]]),
    "da00": lambda e: entry([e("src", T, [Variable("signal", np.array([[1.5, 2.5]]), ["y", "x"], unit="counts", label="Counts", source="s"),
                                          Variable("x", np.array([1.0, 2.0, 3.0]), ["x"]), Variable("y", np.array([1.0, 2.0]), ["y"])])],
                            signal=[[[1.5, 2.5]]], x=[1.0, 2.0, 3.0], y=[1.0, 2.0], time=[T]),
    "ns10": lambda e: entry([e("src", "1.25", 1234.5, 0, False)], value=[1.25], time=[1234_500_000_000]),
    # commands and answers: no part of a file
    "json": lambda e: entry([e('{"a": [1, 2]}')]),
    "pl72": lambda e: entry([e("job", "f.nxs", NOW, NOW, "run", '{"children": []}', "svc", "AMOR", "b:9092", '{"k": 1}',
                               DetectorSpectrumMap(np.array([1, 2]), np.array([10, 20]), 2), "ctl")]),
    "6s4t": lambda e: entry([e("job", "run", "svc", "cmd", NOW)]),
    "answ": lambda e: entry([e("svc", "job", "cmd", ActionType.StartJob, ActionOutcome.Failure, "no", 400, NOW)]),
    "wrdn": lambda e: entry([e("svc", "job", True, "f.nxs", '{"k": 1}', "why")]),
    "x5f2": lambda e: entry([e("nexstream", "1.0", "svc", "host", 4242, 2000, '{"state": "idle"}')]),
    "fc00": lambda e: entry([e(0, [Stream00("PV:1", "f144", "t", 1, 0), Stream00("PV:2", "se00", "u", 0, 1)])]),
    "rf5k": lambda e: entry([e(0, [Stream5k("PV:1", "f142", "t", 1), Stream5k("PV:2", "tdct", "u", 0)])]),
}


def plain(value):
    """What a deserialiser gives, in a form that == can compare; NaN as text."""
    if isinstance(value, np.ndarray):
        return ["array", str(value.dtype), plain(value.tolist())]
    if isinstance(value, (np.generic,)):
        return plain(value.item())
    if isinstance(value, enum.Enum):
        return str(value)
    if isinstance(value, float) and value != value:
        return "nan"
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "__dict__"):
        return plain(vars(value))
    return value


def make():
    assert set(TABLE) == set(SERIALISERS), set(TABLE) ^ set(SERIALISERS)
    out = {}
    for id, build in TABLE.items():
        made = build(SERIALISERS[id])
        made["messages"] = [base64.b64encode(message).decode() for message in made["messages"]]
        out[id] = made
    print(json.dumps(out))


def compare():
    different = []
    for pair in json.load(sys.stdin):
        read = DESERIALISERS[pair["id"]]
        theirs, ours = (plain(read(base64.b64decode(pair[key]))) for key in ("theirs", "ours"))
        # the package writes ms since 1970 where the schema has s since 1990, as we write it
        if pair["id"] == "NDAr":
            assert abs(theirs.pop("timestamp") / 1e3 - 631152000 - ours.pop("timestamp")) < 1e-3
        if theirs != ours:
            different.append(f"{pair['id']}: {theirs} became {ours}")
    print(json.dumps(different))


make() if sys.argv[1] == "make" else compare()
