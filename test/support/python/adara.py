"""A short ADARA stream to stdout, packed by Python's struct from the published layout: what the parser of SNS has read to the last byte."""
import struct
import sys

START = 1767225600  # 2026-01-01
IDF = (
    '<?xml version="1.0" encoding="UTF-8"?><instrument xmlns="http://www.mantidproject.org/IDF/1.0" name="NXS" valid-from="1990-01-01 00:00:00">'
    '<defaults><length unit="metre"/><angle unit="degree"/><reference-frame><along-beam axis="z"/><pointing-up axis="y"/><handedness val="right"/></reference-frame></defaults>'
    '<component type="source"><location z="-10"/></component><type name="source" is="Source"/><component type="samplePos"><location/></component><type name="samplePos" is="SamplePos"/>'
    '<component type="bank" idlist="pixels"><location z="2"/></component><type name="bank"><component type="pixel"><location x="-0.1" name="p1"/><location x="0.1" name="p2"/></component></type>'
    '<type name="pixel" is="detector"><cuboid id="c"><left-front-bottom-point x="-0.05" y="-0.05" z="0"/><left-front-top-point x="-0.05" y="0.05" z="0"/>'
    '<left-back-bottom-point x="-0.05" y="-0.05" z="0.001"/><right-front-bottom-point x="0.05" y="-0.05" z="0"/></cuboid><algebra val="c"/></type>'
    '<idlist idname="pixels"><id start="1" end="2"/></idlist></instrument>'
)
DEVICE = (
    '<?xml version="1.0"?><device><device_name>sample_env</device_name><process_variables><process_variable><pv_name>temperature</pv_name>'
    "<pv_id>1</pv_id><pv_type>double</pv_type><pv_units>K</pv_units></process_variable></process_variables></device>"
)


def u32(*numbers):
    return b"".join(n.to_bytes(4, "little") for n in numbers)


def packet(code, payload=b"", seconds=START, ns=0):
    payload += bytes(-len(payload) % 4)
    return u32(len(payload), code, seconds - 631152000, ns) + payload


def with_length(text):
    return u32(len(text)) + text.encode()


def status(what):
    return u32(42, START - 631152000, what << 24 | 1)


def pulse(n):
    head = u32(1500, 800000000, n, 0)
    events = [(12345, 1), (60000, 2)][:n]
    bank = u32(1, len(events)) + b"".join(u32(*event) for event in events)
    source = u32(7, 714285, 1 << 31, 1)
    monitor = u32(1 << 22 | 1, 9, 1 << 31, 1 << 31 | n << 21 | 50000)
    ns = n * 71428571
    return packet(0x400001, head + source + bank, ns=ns) + packet(0x400101, head + monitor, ns=ns)


stream = [
    packet(0x400B01, u32(1 << 24 | 2 << 16 | 3 << 8 | 3) + b"01NXSNXS"),
    packet(0x400A00, with_length(IDF)),
    packet(0x400300, status(1)),
    packet(0x400400, with_length("<runinfo><run_number>42</run_number><run_title>test</run_title></runinfo>")),
    packet(0x800000, u32(8192) + with_length(DEVICE)),
    packet(0x800200, u32(8192, 1, 0) + struct.pack("<d", 281.5), ns=5),
    *[pulse(n) for n in range(3)],
    packet(0x400700, u32(3 << 16 | 5, 0) + b"pause", ns=300000000),
    packet(0x400900, seconds=START + 1),
    packet(0x400300, status(4), seconds=START + 1),
]
sys.stdout.buffer.write(b"".join(stream))
