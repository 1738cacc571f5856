# SPDX-License-Identifier: Apache-2.0
"""The test pools. GCompris (photographs and sounds) is the held-out source: it is read here and nowhere else."""

from __future__ import annotations

import csv
from pathlib import Path

from common import HERE
from rcc import entries


def facts(name: str) -> list[dict[str, str]]:
    with open(HERE / name, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def unpack_gcompris(root: Path, target: Path) -> None:
    """Writes the listed photographs and sounds, as they are, under `target`."""
    wanted = {row["path"] for name in ("gcompris_photos.tsv", "gcompris_sounds.tsv") for row in facts(name)}
    wanted = {path for path in wanted if not (target / path).exists()}
    for archive in sorted((root / "usr/share/gcompris-qt/rcc").glob("*.rcc")):
        if not wanted:
            return
        found = entries(archive)
        for path in sorted(wanted & found.keys()):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(found[path])
            wanted.discard(path)
    if wanted:
        raise SystemExit(f"gcompris-qt-data has no {sorted(wanted)[0]} ({len(wanted)} missing)")


def other_pictures(root: Path, target: Path) -> list[Path]:
    """GCompris's cartoons for words, unpacked under `target`: in no pool, but never to be trained on either."""
    inside = "gcompris/src/activities/lang/resource/words_sample/"
    found = {path: data for path, data in entries(root / "usr/share/gcompris-qt/rcc/lang.rcc").items()
             if path.startswith(inside) and path.endswith(".webp")}
    for path, data in found.items():
        if not (target / path).exists():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(data)
    return [target / path for path in sorted(found)]


def photo_rows(folder: str) -> list[dict]:
    return [{"path": f"{folder}/{row['path']}", "label": row["clean_label"], "raw": row["raw_label"],
             "sight": int(row["sight"]), "split": row["split"]} for row in facts("gcompris_photos.tsv")]


def sound_rows(folder: str) -> list[dict]:
    return [{"path": f"{folder}/{row['path']}", "label": row["label"], "names_a_sound": int(row["names_a_sound"]),
             "split": row["split"]} for row in facts("gcompris_sounds.tsv")]
