# SPDX-License-Identifier: Apache-2.0
"""Reads Qt's binary resource archives (`.rcc`, format versions 1 to 3): a header with the places of three tables (tree,
data, names), all big-endian; entries stored, zlib- or zstd-compressed."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

COMPRESSED, DIRECTORY, ZSTD = 1, 2, 4


def entries(path: Path) -> dict[str, bytes]:
    """All files of an archive by their path inside it. Raises ValueError where the archive is not one."""
    blob = path.read_bytes()
    if blob[:4] != b"qres":
        raise ValueError(f"{path}: not a Qt resource archive")
    version, tree, data, names = struct.unpack_from(">4I", blob, 4)
    size = 22 if version >= 2 else 14

    def name_of(offset: int) -> str:
        length = struct.unpack_from(">H", blob, names + offset)[0]
        start = names + offset + 6  # length, then a hash
        return blob[start:start + 2 * length].decode("utf-16-be")

    def content(offset: int, flags: int) -> bytes:
        length = struct.unpack_from(">I", blob, data + offset)[0]
        raw = blob[data + offset + 4: data + offset + 4 + length]
        if flags & ZSTD:
            import zstandard

            return zstandard.ZstdDecompressor().decompress(raw, max_output_size=1 << 28)
        return zlib.decompress(raw[4:]) if flags & COMPRESSED else raw

    found: dict[str, bytes] = {}

    def walk(node: int, prefix: str) -> None:
        at = tree + node * size
        name_offset, flags = struct.unpack_from(">IH", blob, at)
        here = f"{prefix}/{name_of(name_offset)}".lstrip("/") if node else ""
        if flags & DIRECTORY:
            count, first = struct.unpack_from(">II", blob, at + 6)
            for child in range(first, first + count):
                walk(child, here)
        else:
            found[here] = content(struct.unpack_from(">I", blob, at + 10)[0], flags)

    walk(0, "")
    return found
