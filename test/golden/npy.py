"""Writes npy.json: NPY and NPZ files as NumPy writes them, and what they hold. Run by hand, the result is committed."""

import base64
import io
import json
import pathlib
import pickle

import numpy as np


def text(array):
    if array.dtype == bool:
        return [str(int(v)) for v in array.ravel()]
    if array.dtype.kind == "f":
        return [repr(float(v)) for v in array.ravel()]
    return [str(int(v)) for v in array.ravel()]


def npy(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return base64.b64encode(out.getvalue()).decode()


grid = np.arange(24).reshape(2, 3, 4)
arrays = {
    "bool": (np.array([[True, False], [False, True]]), None),
    "scalar": (np.array(-2.5), None),
    "empty": (np.zeros((0, 3), np.float32), None),
    "fortran": (np.asfortranarray(grid * 0.5), None),
    "fortran1d": (np.arange(3, dtype="<i4"), None),
    "version2": (grid.astype("<i4"), (2, 0)),
    "version3": (grid.astype(">f4"), (3, 0)),
    "float16": (np.array([1.5, -65504, 6e-8, np.inf], np.float16), None),
    "fortranBig": (np.asfortranarray(grid.astype(">i2")), None),
}
for kind in ["i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8"]:
    info = np.iinfo(kind)
    high = min(info.max, 2**63 - 1)
    arrays[kind] = (np.array([0, 1, high, info.min, 100], kind), None)
for kind in ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]:
    arrays[kind] = (np.array([0.1, -3.0, 1e4], kind), None)

files = {
    name: {"file": npy(array, version), "shape": list(array.shape), "values": text(array)}
    for name, (array, version) in arrays.items()
}

refused = {
    "complex": np.zeros(2, np.complex64),
    "text": np.array(["a", "bc"]),
    "bytes": np.array([b"a"]),
    "dates": np.array(["2020-01-01"], "datetime64[D]"),
    "structure": np.zeros(2, [("a", "i4"), ("b", "f8")]),
    "longdouble": np.zeros(1, np.longdouble),
    "uint64": np.array([1, 2**63], np.uint64),
    "objects": np.array([{"a": 1}, None], object),
}
refused = {name: npy(array) for name, array in refused.items()}

lists = np.empty(4, object)
lists[:] = [[1, 300, 70000, -1, 255, 256, 65535, 65536], [], [2**31 - 1, -(2**31)], list(range(2500))]


def pickled(value, protocol):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": value.shape})
    return base64.b64encode(header.getvalue() + pickle.dumps(value, protocol=protocol)).decode()


scalars = np.empty(1, object)
scalars[0] = [np.int64(5)]
wide = np.empty(1, object)
wide[0] = [2**31]
shared = np.empty(3, object)
shared[:] = [lists[0]] * 3
matrix = np.empty((1, 2), object)
matrix[0, 0], matrix[0, 1] = [1], [2]


class Evil:
    def __reduce__(self):
        return (print, ("called",))


evil = np.empty(1, object)
evil[0] = Evil()
objects = {f"protocol{p}": pickled(lists, p) for p in (2, 3, 4, 5)}
objects |= {
    "scalars": pickled(scalars, 4),
    "wide": pickled(wide, 4),
    "shared": pickled(shared, 4),
    "matrix": pickled(matrix, 4),
    "evil": pickled(evil, 4),
    "evil2": pickled(evil, 2),
}

npz = {}
for name, save in [("stored", np.savez), ("compressed", np.savez_compressed)]:
    out = io.BytesIO()
    save(out, x=grid.astype(np.float32), y=np.array([1, 2, 3]), **{"a/ü": np.zeros(300, np.uint8)})
    npz[name] = base64.b64encode(out.getvalue()).decode()

path = pathlib.Path(__file__).with_name("npy.json")
path.write_text(json.dumps({"files": files, "refused": refused, "lists": objects, "npz": npz}, indent=1) + "\n")
