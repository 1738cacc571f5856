#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz_checkpoint: small containers, headers and configurations that are whole.

    make_corpus.py FOLDER
"""
import json
import struct
import sys
from pathlib import Path

SIZES = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "I32": 4, "I64": 8, "F16": 2, "BF16": 2, "F32": 4, "F64": 8}
GOLDEN = Path(__file__).parent.parent / "data" / "models"


def container(tensors: dict[str, tuple[str, list[int]]], metadata: dict[str, str] | None = None) -> tuple[bytes, int]:
    """The header as text, and how many bytes of data it wants."""
    header, offset = {}, 0
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape) in tensors.items():
        size = SIZES[dtype]
        for side in shape:
            size *= side
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    return json.dumps(header, separators=(",", ":")).encode(), offset


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    seeds = {}
    for number, dtype in enumerate(SIZES):
        header, size = container({"a": (dtype, [2, 3]), "b": ("F32", [])})
        seeds[f"container-{dtype}"] = struct.pack("<Q", len(header)) + header + bytes(range(number, number + size))
    empty, _ = container({})
    seeds["container-empty"] = struct.pack("<Q", len(empty)) + empty

    for golden in sorted(GOLDEN.glob("v*/*.json")):
        expected = json.loads(golden.read_text())
        config = json.dumps(expected["config"], separators=(",", ":"))
        name = f"{golden.parent.name}-{golden.stem}"
        seeds[f"config-{name}"] = config.encode()
        metadata = {"imprint.format": str(expected["format"]), "imprint.config": config,
                    "imprint.tokenizer_xxh128": "0" * 32, "imprint.provenance": "{}"}
        header, size = container({"text.table": ("BF16", [8, 32]), "tokenizer.model": ("U8", [64])}, metadata)
        seeds[f"checkpoint-{name}"] = struct.pack("<Q", len(header)) + header + bytes(size)
        header, _ = container({"text.table": ("F32", [32, 32])}, metadata)  # 4,096 bytes: what the target adds
        seeds[f"header-{name}"] = b"H" + header
    header, _ = container({"w": ("F32", [16, 64])}, {"k": "v"})
    seeds["header-plain"] = b"H" + header
    seeds["config-short"] = b'{"width":64,"heads":1,"layers":2,"picture_sizes":[[32,64]],"vision_stem":"patch"}'
    for name, data in seeds.items():
        (folder / name).write_bytes(data)
    print(f"{folder}: {len(seeds)} seeds")


if __name__ == "__main__":
    main()
