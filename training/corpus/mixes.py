# SPDX-License-Identifier: Apache-2.0
"""More sounds from the training sounds that there are: each again in another room, pitch, colour and company, and two at
once. All choices come from the name of the new sound."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from common import chance, digest, whole

RATE = 16000
SECONDS = 4
VARIANTS = 2
PAIRS = 900


def variant(source: Path, company: Path, name: str, target: Path) -> None:
    """`source` again: a piece of at most 4 seconds, up to a fifth faster or slower, brighter or darker, most often in a
    room, and now and then with `company` or noise faintly beneath it."""
    sound = _piece(_load(source), name)
    sound = _tilt(_faster(sound, math.exp(0.4 * (chance(name, "speed") - 0.5))), 12 * (chance(name, "tilt") - 0.5))
    if chance(name, "beneath") < 0.4:
        _add(sound, _piece(_load(company), name + "/company"), 0.05 + 0.15 * chance(name, "faint"))
    elif chance(name, "hiss") < 0.4:
        noise = np.random.default_rng(digest(name, "hiss noise")).standard_normal(len(sound)).astype(np.float32)
        _add(sound, _tilt(noise, -3.0), 0.01 + 0.04 * chance(name, "faint"))
    _write(_in_a_room(sound, name), name, target)


def pair(first: Path, second: Path, name: str, target: Path) -> None:
    """Two sounds at once or one soon after the other."""
    a, b = _piece(_load(first), name + "/1"), _piece(_load(second), name + "/2")
    late = round(min(len(a), RATE) * chance(name, "late"))
    sound = np.zeros(min(RATE * SECONDS, max(len(a), late + len(b))), np.float32)
    for part, at, gain in ((a, 0, 1.0), (b, late, 0.5 + chance(name, "balance"))):
        part = part[: len(sound) - at]
        sound[at: at + len(part)] += gain * part / max(1e-6, float(np.sqrt((part**2).mean())))
    _write(_in_a_room(sound, name), name, target)


def _load(path: Path) -> np.ndarray:
    import soundfile

    return soundfile.read(path, dtype="float32")[0]


def _piece(sound: np.ndarray, name: str) -> np.ndarray:
    most = RATE * SECONDS
    if len(sound) <= most:
        return sound.copy()
    begin = int((len(sound) - most) * chance(name, "piece"))
    return sound[begin: begin + most].copy()


def _faster(sound: np.ndarray, speed: float) -> np.ndarray:
    import soxr

    return soxr.resample(sound, RATE * speed, RATE, quality="HQ")[: RATE * SECONDS]


def _tilt(sound: np.ndarray, decibels: float) -> np.ndarray:
    """Louder by up to `decibels` at 8 kHz and softer by as much at 250 Hz."""
    size = 1 << max(10, (len(sound) - 1).bit_length())
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / RATE), 60) / 1414) / 2.5
    spectrum = np.fft.rfft(sound, size) * 10 ** (decibels * np.clip(octaves, -1.5, 1) / 20)
    return np.fft.irfft(spectrum, size)[: len(sound)].astype(np.float32)


def _add(sound: np.ndarray, other: np.ndarray, share: float) -> None:
    length = min(len(sound), len(other))
    level = float(np.abs(sound).max()) / max(1e-6, float(np.abs(other[:length]).max()))
    sound[:length] += share * level * other[:length]


def _in_a_room(sound: np.ndarray, name: str) -> np.ndarray:
    from synth import room

    tail = np.pad(sound, (0, max(0, min(RATE // 2, RATE * SECONDS - len(sound)))))  # so that short sounds may ring on
    return room(tail, name)


def _write(sound: np.ndarray, name: str, target: Path) -> None:
    import soundfile

    peak = float(np.abs(sound).max())
    if peak < 1e-4:
        raise ValueError("silent")
    with whole(target) as partial:
        soundfile.write(partial, sound * ((0.3 + 0.6 * chance(name, "level")) / peak), RATE, subtype="PCM_16", format="WAV")
