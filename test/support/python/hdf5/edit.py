# Changes a file of test/contract/hdf5-headers.test.ts in place: attributes, links and datasets in old and new objects.
import sys

import h5py

with h5py.File(sys.argv[1], "r+") as file:
    for name in ("/", "entry", "entry/early", "entry/a/b/log", "entry/g1", "entry/fixed", "entry/a/b/log/value", "entry/new1"):
        for k in range(3):
            file[name].attrs[f"by_h5py{k}"] = "text" * k
        del file[name].attrs["by_h5py1"]
    for name in ("/", "entry", "entry/early", "entry/a/b/log", "entry/g1", "entry/new1"):
        group = file[name]
        for k in range(9):
            group.create_group(f"by_{k}")
        del group["by_4"]
        group["by_h5py"] = 7
        group["by_far"] = h5py.ExternalLink("z.nxs", "/z")
print("done")
