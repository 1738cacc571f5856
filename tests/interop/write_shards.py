# SPDX-License-Identifier: Apache-2.0
"""Writes shards with the real webdataset, and beside them what it reads from them: write_shards.py FOLDER."""
import json
import pathlib
import sys

import numpy as np
import webdataset as wds

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def picture(seed):
    return np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)


samples = [
    {"__key__": "000000", "png": picture(0), "txt": "a red boat", "cls": 1},
    {"__key__": "train/000001", "png": picture(1), "txt": "möwe über dem meer", "cls": 0},
    {"__key__": "train/" + "long-key-" * 20, "PNG": picture(2), "txt": "a name past the old limit of tar", "cls": 2},
    {"__key__": "ключ", "png": picture(3), "json": {"captions": ["one", "two"], "label": "owl"}, "cls": 2},
    {"__key__": "no-media", "txt": "words alone", "cls": 0},
    {"__key__": "dotted", "seg.png": picture(4), "png": picture(5), "txt": "two extensions", "cls": 1},
    {"__key__": "outside", "png": picture(6), "txt": "a label outside the set", "cls": 3},
]
for sample in samples:  # webdataset's own encoder makes the bytes; upper-case extensions have none
    if "PNG" in sample:
        sample["PNG"] = wds.writer.imageencoder(sample["PNG"], "PNG")

with wds.ShardWriter(str(folder / "golden-%06d.tar"), maxcount=4, verbose=0) as writer:
    for sample in samples:
        writer.write(dict(sample))
with wds.TarWriter(str(folder / "packed.tar.gz")) as writer:
    for sample in samples[:3]:
        writer.write(dict(sample))


def read(names):
    rows = []
    for name in names:
        for sample in wds.WebDataset(str(folder / name), shardshuffle=False, empty_check=False):
            parts = {key: value.hex() for key, value in sample.items() if not key.startswith("__")}
            rows.append({"key": sample["__key__"], "parts": parts})
    return rows


(folder / "golden.json").write_text(json.dumps({
    "golden": read(["golden-000000.tar", "golden-000001.tar"]), "packed": read(["packed.tar.gz"])}, indent=1))
