"""Writes imdb.npz and imdb.json: three reviews in Keras's layout, and what Keras's load_data makes of them.

The rules are those of keras.datasets.imdb.load_data without its shuffling. Run by hand, the results are committed.
"""

import json
import pathlib

import numpy as np

train = [[1, 5, 20, 7, 3], [2, 2, 8], [30, 1]]
test = [[4, 9, 1, 1, 1, 1], [6]]


def objects(lists):
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


def load(num_words=None, skip_top=0, maxlen=None, start_char=1, oov_char=2, index_from=3):
    result = []
    for lists, labels in [(train, [1, 0, 1]), (test, [0, 1])]:
        rows = []
        for words, label in zip(lists, labels):
            x = [w + index_from for w in words]
            if start_char is not None:
                x = [start_char] + x
            if maxlen and not len(x) < maxlen:
                continue
            limit = num_words or 10**9
            if oov_char is not None:
                x = [w if skip_top <= w < limit else oov_char for w in x]
            else:
                x = [w for w in x if skip_top <= w < limit]
            rows.append([x, label])
        result.append(rows)
    return result


options = [
    {},
    {"num_words": 10},
    {"num_words": 12, "skip_top": 5},
    {"num_words": 10, "oov_char": None},
    {"maxlen": 6},
    {"start_char": None, "index_from": 0},
    {"start_char": None, "index_from": 0, "maxlen": 3},
    {"num_words": 10, "skip_top": 2, "oov_char": 0, "start_char": 1, "index_from": 2},
]
folder = pathlib.Path(__file__).parent
np.savez_compressed(
    folder / "imdb.npz",
    x_train=objects(train),
    y_train=np.array([1, 0, 1]),
    x_test=objects(test),
    y_test=np.array([0, 1]),
)
(folder / "imdb.json").write_text(json.dumps([{"options": o, "result": load(**o)} for o in options], indent=1) + "\n")
