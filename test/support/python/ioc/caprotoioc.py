"""A caproto Channel Access server with exact times and alarms. caprotoioc.py PREFIX INTERFACE"""
import asyncio
import sys
import threading

from caproto import AlarmSeverity, AlarmStatus, ChannelType
from caproto.asyncio.server import start_server
from caproto.server import PVGroup, pvproperty

import lines


class Group(PVGroup):
    i = pvproperty(value=5, units="mA")
    f = pvproperty(value=1.5, precision=3, units="mm")
    s = pvproperty(value="hello", dtype=str, max_length=200)
    e = pvproperty(value="b", enum_strings=["a", "b", "c"], dtype=ChannelType.ENUM)
    b = pvproperty(value=b"\x00\xff\x80", dtype=bytes, max_length=10)
    arr = pvproperty(value=[1.0, 2.0, 3.0], max_length=10)
    fl = pvproperty(value=2.5, dtype=ChannelType.FLOAT)
    sh = pvproperty(value=-7, dtype=ChannelType.INT)
    ch = pvproperty(value=7, dtype=ChannelType.CHAR)
    st = pvproperty(value="short", dtype=ChannelType.STRING)
    strings = pvproperty(value=["a", "b"], dtype=ChannelType.STRING, max_length=4)
    shorts = pvproperty(value=[1], dtype=ChannelType.INT, max_length=8)
    longs = pvproperty(value=[1], dtype=ChannelType.LONG, max_length=8)
    floats = pvproperty(value=[1.0], dtype=ChannelType.FLOAT, max_length=8)


group = Group(prefix=sys.argv[1])
loop = asyncio.new_event_loop()


def put(name, value, timestamp=None, status=None, severity=None):
    more = {}
    if timestamp is not None:
        more["timestamp"] = timestamp
    if status is not None:
        more.update(status=AlarmStatus[status], severity=AlarmSeverity[severity])
    if group.pvdb[name].data_type == ChannelType.CHAR and isinstance(value, list):
        value = bytes(value)
    asyncio.run_coroutine_threadsafe(group.pvdb[name].write(value, **more), loop).result(10)


async def started(async_lib):
    threading.Thread(
        target=lines.serve,
        args=({"put": put, "ramp": lambda names, n, hz, start=1: lines.ramp(put, names, n, hz, start)},),
        daemon=True,
    ).start()


loop.run_until_complete(start_server(group.pvdb, interfaces=[sys.argv[2]], log_pv_names=False, startup_hook=started))
