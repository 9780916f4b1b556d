"""A real EPICS IOC. softioc.py KIND MACROS DB…   KIND: ca (RSRV only), qsrv1 (RSRV + pvAccessCPP), qsrv2 (RSRV + pvxs)."""
import ctypes
import os
import sys

kind, macros, databases = sys.argv[1], sys.argv[2], sys.argv[3:]
if kind == "qsrv2":
    os.environ["PVXS_QSRV_ENABLE"] = "YES"

from epicscorelibs import ioc  # noqa: E402
import lines  # noqa: E402

dbd, dso = (), ()
if kind == "qsrv1":
    dbd, dso = ioc.pva_dbd_load, ioc.pva_dso_load
elif kind == "qsrv2":
    import pvxslibs.path

    dbd, dso = (("pvxsIoc.dbd", pvxslibs.path.dbd_path),), ("pvxslibs.lib.pvxsIoc",)

core = ioc.dbCore
core.dbChannelCreate.restype = ctypes.c_void_p
core.dbChannelCreate.argtypes = [ctypes.c_char_p]
core.dbChannelOpen.argtypes = [ctypes.c_void_p]
core.dbChannelPutField.argtypes = [ctypes.c_void_p, ctypes.c_short, ctypes.c_void_p, ctypes.c_long]
core.dbChannelPutField.restype = ctypes.c_long
core.dbChannelGetField.argtypes = [ctypes.c_void_p, ctypes.c_short, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
core.dbChannelGetField.restype = ctypes.c_long
STRING, CHAR, INT64, UINT64, DOUBLE = 0, 1, 7, 8, 10
channels = {}


def channel(name):
    if name not in channels:
        found = core.dbChannelCreate(name.encode())
        if not found or core.dbChannelOpen(found):
            raise KeyError("no record field %s" % name)
        channels[name] = found
    return channels[name]


def buffer_of(value):
    """value -> (DBR type of the database, ctypes buffer, element count)"""
    values = value if isinstance(value, list) else [value]
    if all(isinstance(v, str) for v in values) and values:
        data = b"".join(v.encode()[:39].ljust(40, b"\0") for v in values)
        return STRING, ctypes.create_string_buffer(data, len(data)), len(values)
    if any(isinstance(v, int) and v >= 2**63 for v in values):
        return UINT64, (ctypes.c_uint64 * len(values))(*values), len(values)
    if all(isinstance(v, int) for v in values):
        return INT64, (ctypes.c_int64 * max(1, len(values)))(*values), len(values)
    return DOUBLE, (ctypes.c_double * len(values))(*[float(v) for v in values]), len(values)


def put(name, value):
    if isinstance(value, str) and name.endswith("$"):
        data = value.encode() + b"\0"
        code, buffer, count = CHAR, ctypes.create_string_buffer(data, len(data)), len(data)
    else:
        code, buffer, count = buffer_of(value)
    status = core.dbChannelPutField(channel(name), code, buffer, count)
    if status:
        raise ValueError("dbPutField %s: status %#x" % (name, status))


def get(name):
    buffer = ctypes.create_string_buffer(40)
    count = ctypes.c_long(1)
    status = core.dbChannelGetField(channel(name), STRING, buffer, None, ctypes.byref(count), None)
    if status:
        raise ValueError("dbGetField %s: status %#x" % (name, status))
    return buffer.value.decode()


def get_int(name):
    buffer, count = ctypes.c_int64(0), ctypes.c_long(1)
    status = core.dbChannelGetField(channel(name), INT64, ctypes.byref(buffer), None, ctypes.byref(count), None)
    if status:
        raise ValueError("dbGetField %s: status %#x" % (name, status))
    return buffer.value


if "IOC_ACCESS_FILE" in os.environ:
    core.asSetFilename(os.environ["IOC_ACCESS_FILE"].encode())
ioc.start_ioc(dbs=[(path, macros) for path in databases], extra_dbd_load=dbd, extra_dso_load=dso)
lines.serve(
    {
        "put": put,
        "get": get,
        "count": get_int,
        "ramp": lambda names, n, hz, start=1: lines.ramp(put, names, n, hz, start),
        "iocsh": lambda command: ioc.ioc(command),
    }
)
