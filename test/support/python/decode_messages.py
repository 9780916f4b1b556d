"""Reads messages (one base64 line each) with the reference package and prints one JSON line for each.

{"id", "type": union member or element type of the value, "content"}; integers beyond 2**53 are text ending in n.
"""
import ast
import base64
import datetime
import enum
import json
import math
import sys

import numpy as np
from streaming_data_types import DESERIALISERS
from streaming_data_types.fbschemas.logdata_f142 import LogData, Value as ValueF142
from streaming_data_types.fbschemas.logdata_f144 import Value as ValueF144
from streaming_data_types.fbschemas.logdata_f144 import f144_LogData


def number(x):
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (int, np.integer)):
        return int(x) if abs(int(x)) <= 2**53 else "%dn" % int(x)
    return float(x) if math.isfinite(x) else str(float(x))


def plain(x):
    if isinstance(x, enum.Enum):
        return plain(x.value)
    if x is None or isinstance(x, str):
        return str(x) if x is not None else None
    if isinstance(x, (bool, int, float, np.number, np.bool_)):
        return number(x)
    if isinstance(x, bytes):
        return x.decode()
    if isinstance(x, np.ndarray):
        if x.ndim == 0:
            return plain(x.item())
        exact = x.dtype.kind in "iuf" and np.isfinite(x).all() and (x.dtype.kind == "f" or (np.abs(x.astype(float)) < 2**53).all())
        return x.tolist() if exact else [plain(one) for one in x]
    if isinstance(x, datetime.datetime):
        return x.timestamp()
    if hasattr(x, "_asdict"):
        return {key: plain(value) for key, value in x._asdict().items()}
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(one) for one in x]
    return {key: plain(value) for key, value in vars(x).items()}


def member(names, code):
    return next(name for name, value in vars(names).items() if value == code and not name.startswith("_"))


def type_of(schema, raw, content):
    if schema == "f142":
        return member(ValueF142.Value, LogData.LogData.GetRootAsLogData(raw, 0).ValueType())
    if schema == "f144":
        return member(ValueF144.Value, f144_LogData.f144_LogData.GetRootAsf144_LogData(raw, 0).ValueType())
    data = getattr(content, "values", getattr(content, "data", None))
    return str(data.dtype) if isinstance(data, np.ndarray) else None


def literal(text):
    """A Python literal as NICOS reads it: nan and inf are names."""
    return evaluate(ast.parse(text, mode="eval").body)


def evaluate(node):
    if isinstance(node, ast.List):
        return [evaluate(one) for one in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -evaluate(node.operand)
    return float(node.id) if isinstance(node, ast.Name) else ast.literal_eval(node)


for line in sys.stdin:
    raw = base64.b64decode(line)
    schema = raw[4:8].decode()
    decoded = DESERIALISERS[schema](raw)
    content = plain(decoded)
    if schema == "ns10":
        content["value"] = plain(literal(decoded.value))
    if schema == "json":
        content = json.loads(decoded)
    print(json.dumps({"id": schema, "type": type_of(schema, raw, decoded), "content": content}))
