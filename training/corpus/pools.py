# SPDX-License-Identifier: Apache-2.0
"""The test pools. GCompris (photographs and sounds) and FreePats (notes) are held-out sources: they are read here and
nowhere else."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

from common import HERE, chance, digest, whole, write_bytes
from rcc import entries

# FreePats' instruments that are in the soundfonts of the training too (cross-correlation of middle C above .8).
SHARED = {5, 8, 26, 46, 53, 58, 74, 75, 79, 122}
NOTES = 3         # of each instrument: low, middle, high
FILMS = 24        # of pan-and-zoom
SHOTS, SHOT_SECONDS, RATE = 6, 3, 10
WIDE, HIGH = 320, 240


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
            write_bytes(target / path, found[path])
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
            write_bytes(target / path, data)
    return [target / path for path in sorted(found)]


def photo_rows(folder: str) -> list[dict]:
    return [{"path": f"{folder}/{row['path']}", "label": row["clean_label"], "raw": row["raw_label"],
             "sight": int(row["sight"]), "split": row["split"]} for row in facts("gcompris_photos.tsv")]


def sound_rows(folder: str) -> list[dict]:
    return [{"path": f"{folder}/{row['path']}", "label": row["label"], "names_a_sound": int(row["names_a_sound"]),
             "split": row["split"]} for row in facts("gcompris_sounds.tsv")]


def instruments() -> list[str]:
    """The names of the 128 General MIDI programs."""
    from synth import PROGRAMS

    return PROGRAMS


def notes(root: Path, out: Path, folder: str) -> list[dict]:
    """Notes of FreePats' instruments, each held for a second and a half."""
    import gus
    import soundfile
    from synth import OWN_RANGE, RANGES

    rows, names = [], instruments()
    for patch in sorted((root / "usr/share/midi/freepats/Tone_000").glob("*.pat")):
        program = int(patch.name[:3])
        if program in SHARED:
            continue
        low, high = OWN_RANGE.get(program, RANGES.get(program // 8, (48, 79)))
        for n in range(NOTES):
            key = low + round((high - low) * (0.2 + 0.3 * n))
            path = f"{folder}/{patch.stem}-{n}.wav"
            if not (out / path).exists():
                samples = gus.note(str(patch), key, 1.5)
                with whole(out / path) as partial:
                    soundfile.write(partial, samples * (0.7 / max(1e-6, abs(samples).max())), gus.RATE, subtype="PCM_16")
            rows.append({"path": path, "label": names[program], "program": program, "key": key, "note": n, "source": "freepats"})
    return rows


def panzoom(photos: list[dict], out: Path, folder: str, films: int) -> list[dict]:
    """Films that pan over and zoom into held-out photographs of the report split, one after the other; every span is
    known. A photograph is in one film at most, and no two of a film have one label."""
    waiting = sorted((row for row in photos if row["split"] == "report"), key=lambda row: digest("panzoom", row["path"]))
    rows = []
    for number in range(films):
        shots: list[dict] = []
        for row in list(waiting):
            if len(shots) < SHOTS and row["label"] not in {shot["label"] for shot in shots}:
                shots.append(row)
                waiting.remove(row)
        if len(shots) < SHOTS:
            break
        path = f"{folder}/film-{number:02d}.mp4"
        if not (out / path).exists():
            _film([out / shot["path"] for shot in shots], path, out / path)
        rows.append({"path": path, "spans": [{"from": SHOT_SECONDS * i, "to": SHOT_SECONDS * (i + 1), "label": shot["label"],
                                             "photo": shot["path"]} for i, shot in enumerate(shots)]})
    return rows


def _film(photos: list[Path], name: str, target: Path) -> None:
    import pyvips

    with whole(target) as partial:
        encoder = subprocess.Popen(["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDE}x{HIGH}",
                                    "-r", str(RATE), "-i", "-", "-c:v", "libx264", "-threads", "1", "-crf", "23",
                                    "-pix_fmt", "yuv420p", partial], stdin=subprocess.PIPE)
        for shot, photo in enumerate(photos):
            picture = pyvips.Image.thumbnail(str(photo), 2 * WIDE, height=2 * HIGH).colourspace("srgb")
            picture = (picture.flatten() if picture.bands == 4 else picture).copy_memory()  # it would flatten blue away
            fit = min(picture.width / WIDE, picture.height / HIGH)
            begin, end = (0.6 + 0.4 * chance(name, shot, place, "zoom") for place in "ab")
            places = [[chance(name, shot, place, axis) for axis in "xy"] for place in "ab"]
            for frame in range(SHOT_SECONDS * RATE):
                t = frame / (SHOT_SECONDS * RATE - 1)
                zoom = begin + (end - begin) * t
                wide, high = int(WIDE * fit * zoom), int(HIGH * fit * zoom)
                x, y = (a + (b - a) * t for a, b in zip(*places))
                piece = picture.crop(int((picture.width - wide) * x), int((picture.height - high) * y), wide, high)
                encoder.stdin.write(piece.thumbnail_image(WIDE, height=HIGH, size="force").cast("uchar").write_to_memory())
        encoder.stdin.close()
        if encoder.wait():
            raise SystemExit(f"ffmpeg could not write {target}")
