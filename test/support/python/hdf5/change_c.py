# Changes a file of test/contract/hdf5-headers.test.ts through the C library of any version: change_c.py LIBRARY FILE
import ctypes
import sys

lib = ctypes.CDLL(sys.argv[1])
lib.H5open()
parts = [ctypes.c_uint() for _ in range(3)]
lib.H5get_libversion(*[ctypes.byref(part) for part in parts])
# identifiers grew from 32 to 64 bits in 1.10
hid = ctypes.c_int if (parts[0].value, parts[1].value) < (1, 10) else ctypes.c_int64
text = ctypes.c_char_p


def call(name, result, kinds, *values):
    function = getattr(lib, name)
    function.restype, function.argtypes = result, kinds
    got = function(*values)
    if got < 0:
        raise SystemExit(f"{name} {values} refused")
    return got


def close(kind, what):
    call(f"H5{kind}close", ctypes.c_int, [hid], what)


int32 = hid.in_dll(lib, "H5T_NATIVE_INT_g").value
for round in range(2):
    file = call("H5Fopen", hid, [text, ctypes.c_uint, hid], sys.argv[2].encode(), 1, 0)
    scalar = call("H5Screate", hid, [ctypes.c_int], 0)
    for path in ("/", "/entry", "/entry/early", "/entry/a/b/log", "/entry/g1", "/entry/new1", "/entry/fixed", "/entry/a/b/log/value"):
        for k in range(3):
            name = f"by_c{round}_{k}".encode()
            made = call("H5Acreate_by_name", hid, [hid, text, text, hid, hid, hid, hid, hid], file, path.encode(), name, int32, scalar, 0, 0, 0)
            value = ctypes.c_int(k)
            call("H5Awrite", ctypes.c_int, [hid, hid, ctypes.c_void_p], made, int32, ctypes.byref(value))
            close("A", made)
        if round == 1:
            call("H5Adelete_by_name", ctypes.c_int, [hid, text, text, hid], file, path.encode(), b"by_c0_1", 0)
    for path in ("", "/entry", "/entry/early", "/entry/a/b/log", "/entry/g1", "/entry/new1"):
        for k in range(5):
            name = f"{path}/by_c{round}_{k}".encode()
            close("G", call("H5Gcreate2", hid, [hid, text, hid, hid, hid], file, name, 0, 0, 0))
        name = f"{path}/by_data{round}".encode()
        close("D", call("H5Dcreate2", hid, [hid, text, hid, hid, hid, hid, hid], file, name, int32, scalar, 0, 0, 0))
        name = f"{path}/by_far{round}".encode()
        call("H5Lcreate_external", ctypes.c_int, [text, text, hid, text, hid, hid], b"z.nxs", b"/z", file, name, 0, 0)
        if round == 1:
            call("H5Ldelete", ctypes.c_int, [hid, text, hid], file, f"{path}/by_c0_2".encode(), 0)
    close("S", scalar)
    close("F", file)
print(".".join(str(part.value) for part in parts))
