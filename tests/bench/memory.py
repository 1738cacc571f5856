#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peak memory of `imprint index`, all its processes together, with few files and with many.

    memory.py IMPRINT [--files 1000 50000] [--model CHECKPOINT] [--keep FOLDER]

The files are small and real, no two alike: nine PNG pictures for each WAV sound of two seconds. Shared pages are divided
among those who map them (PSS). Prints one JSON document. Exit: 0 when the last size needs at most 1.1 times what the first does, 1 when more, 3 when
a run fails.
"""
import argparse
import json
import math
import random
import struct
import subprocess
import sys
import tempfile
import time
import wave
import zlib
from pathlib import Path

AT_MOST = 1.1


def png(number: int, side: int = 64) -> bytes:
    """A gradient between two colours with a rectangle of a third."""
    chance = random.Random(number)
    first, last, inside = ([chance.randrange(256) for _ in range(3)] for _ in range(3))
    left, top = chance.randrange(side // 2), chance.randrange(side // 2)
    right, bottom = left + 8 + chance.randrange(side // 2 - 8), top + 8 + chance.randrange(side // 2 - 8)
    rows = bytearray()
    for y in range(side):
        row = bytes(a + (b - a) * y // (side - 1) for a, b in zip(first, last)) * side
        if top <= y < bottom:
            row = row[:3 * left] + bytes(inside) * (right - left) + row[3 * right:]
        rows += b"\0" + row
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows), 1)) + chunk(b"IEND", b"")


def write_wav(path: Path, number: int, rate: int = 8000, period: int = 80) -> None:
    """Two seconds of 100 Hz with overtones of its own."""
    chance = random.Random(number)
    loud = [chance.uniform(-3000, 3000) for _ in range(8)]
    wave_form = [sum(a * math.sin(2 * math.pi * (k + 1) * i / period) for k, a in enumerate(loud)) for i in range(period)]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{period}h", *map(int, wave_form)) * (2 * rate // period))


def make(folder: Path, count: int) -> None:
    for number in range(count):
        path = folder / f"{number // 1000:03d}" / f"{number:06d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % 10 == 9:
            write_wav(path.with_suffix(".wav"), number)
        else:
            path.with_suffix(".png").write_bytes(png(number))


def tree(root: int) -> list[int]:
    found = [root]
    for process in found:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                pass  # it has ended
    return found


def proportional(process: int) -> int:
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def index(program: str, model: str | None, folder: Path, library: Path) -> tuple[int, dict]:
    command = [program, "index", str(folder), "--library", str(library), "--json"] + (["--model", model] if model else [])
    peak = 0
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as messages:
        run = subprocess.Popen(command, stdout=out, stderr=messages)
        while run.poll() is None:
            peak = max(peak, sum(map(proportional, tree(run.pid))))
            time.sleep(0.2)
        out.seek(0)
        messages.seek(0)
        if run.returncode != 0:
            sys.stderr.buffer.write(messages.read()[-2000:])
            sys.exit(3)
        return peak, json.load(out)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("imprint")
    arguments.add_argument("--files", type=int, nargs="+", default=[1000, 50000])
    arguments.add_argument("--model", help="instead of the shipped checkpoint")
    arguments.add_argument("--keep", help="makes its files here and leaves them")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as made:
        work = Path(given.keep or made)
        runs = []
        for count in given.files:
            media = work / f"media-{count}"
            if not media.exists():
                make(media, count)
            library = Path(made) / f"library-{count}"
            peak, report = index(given.imprint, given.model, media, library)
            runs.append({"files": count, "indexed": report["indexed"], "moments": report["moments"],
                         "seconds": report["seconds"], "peak_bytes": peak})
            print(runs[-1], file=sys.stderr, flush=True)
        ratio = runs[-1]["peak_bytes"] / runs[0]["peak_bytes"]
        print(json.dumps({"runs": runs, "ratio": ratio, "ratio_at_most": AT_MOST}, indent=2))
        sys.exit(0 if ratio <= AT_MOST else 1)


if __name__ == "__main__":
    main()
