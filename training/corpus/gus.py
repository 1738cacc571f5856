# SPDX-License-Identifier: Apache-2.0
"""Plays notes of GUS patches (.pat), the format of FreePats: recorded samples, each for a range of frequencies, with loops."""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

RATE = 16000
HEADERS = 129 + 63  # of the file and of its instrument; a header of 47 bytes opens the layer, one of 96 each sample
SIXTEEN_BITS, UNSIGNED, LOOPED, BOTH_WAYS = 1, 2, 4, 8


class Sample(NamedTuple):
    wave: np.ndarray  # float32
    rate: int
    low: float        # Hz, as the next two
    high: float
    root: float
    loop: tuple[int, int] | None
    both_ways: bool


@lru_cache(maxsize=4)
def samples(path: str) -> tuple[Sample, ...]:
    data = Path(path).read_bytes()
    if not data.startswith(b"GF1PATCH1"):
        raise ValueError(f"{path}: is no GUS patch")
    count, at, found = data[HEADERS + 6], HEADERS + 47, []
    for _ in range(count):
        length, begin, end, rate, low, high, root = struct.unpack_from("<IIIHIII", data, at + 8)
        mode = data[at + 55]
        raw = data[at + 96: at + 96 + length]
        kind, zero = (("<u2", 32768) if mode & UNSIGNED else ("<i2", 0)) if mode & SIXTEEN_BITS else \
                     (("u1", 128) if mode & UNSIGNED else ("i1", 0))
        width = 2 if mode & SIXTEEN_BITS else 1
        wave = (np.frombuffer(raw[: length // width * width], kind).astype(np.float32) - zero) / (32768 if width == 2 else 128)
        loop = (begin // width, end // width) if mode & LOOPED and begin < end <= length else None
        found.append(Sample(wave, rate, low / 1000, high / 1000, root / 1000, loop, bool(mode & BOTH_WAYS)))
        at += 96 + length
    return tuple(found)


def note(path: str, key: int, seconds: float) -> np.ndarray:
    """Mono float32 at 16 kHz: one MIDI key held for `seconds`, then let go."""
    import soxr

    frequency = 440.0 * 2 ** ((key - 69) / 12)
    every = samples(path)
    within = [sample for sample in every if sample.low <= frequency <= sample.high]
    sample = min(within or every, key=lambda s: abs(np.log(s.root / frequency)))
    step = frequency / sample.root
    needed = int(seconds * sample.rate * step) + 1
    wave = sample.wave
    if sample.loop and needed > len(wave):
        begin, end = sample.loop
        turn = wave[begin:end]
        turn = np.concatenate([turn[::-1], turn]) if sample.both_ways else turn
        wave = np.concatenate([wave[:end], np.tile(turn, 1 + (needed - end) // len(turn))])
    played = soxr.resample(wave[:needed], sample.rate * step, RATE, quality="HQ")
    played *= np.minimum(1, np.arange(len(played), 0, -1) / (0.2 * RATE))
    return played.astype(np.float32)
