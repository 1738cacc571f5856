# SPDX-License-Identifier: Apache-2.0
"""Says which instruments of the soundfonts are alike: those of synth.py's lists ALIKE and BANKS. Plays middle C (and two keys of
the pool of notes) of every program and bank with each font, and looks for a piece of 0.4 seconds of it in the others' note of the
same program, as it is and with its high parts lifted: fundamentals of soft instruments are alike whoever recorded them, their
noise is not. Run by build.sh's Python after a build: fonts_alike.py."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np

import fetch
import gus
from synth import BANKED, FONTS, LATER, OWN_RANGE, RANGES, RATE

MIDDLE_C = 60
PIECE, WITHIN = round(0.4 * RATE), RATE
# Most that is not alike: as it is, with its high parts lifted.
FREEPATS, OTHERS = (0.75, 0.6), (0.8, 0.7)


def presets(path: Path) -> list[tuple[int, int]]:
    """(bank, program) of a soundfont, drum kits left out: its `phdr` chunk of 38-byte records, the last of which only ends it."""
    data = path.read_bytes()
    at = data.rfind(b"phdr")
    records = struct.unpack_from("<I", data, at + 4)[0] // 38 - 1
    places = [struct.unpack_from("<HH", data, at + 8 + 38 * n + 20) for n in range(records)]
    return sorted((bank, program) for program, bank in places if bank not in (120, 128))


def keys(program: int) -> list[int]:
    low, high = OWN_RANGE.get(program, RANGES.get(program // 8, (48, 79)))
    return [MIDDLE_C, low + round(0.2 * (high - low)), low + round(0.5 * (high - low))]


def played(path: Path) -> dict[tuple[int, int], dict[int, np.ndarray]]:
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=RATE, gain=-6)
    font = synth.sfload(str(path))
    notes: dict[tuple[int, int], dict[int, np.ndarray]] = {}
    for bank, program in presets(path):
        synth.program_select(0, font, bank, program)
        for key in keys(program):
            synth.noteon(0, key, 100)
            samples = np.frombuffer(bytes(synth.generate(round(1.2 * RATE))), np.float32).reshape(-1, 2).mean(1)
            synth.sounds_off()
            synth.generate(RATE // 4)
            notes.setdefault((bank, program), {})[key] = samples
    return notes


def from_onset(note: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(note) > 1e-4)
    return note[loud[0]:] if len(loud) else note[:0]


def found_in(note: np.ndarray, other: np.ndarray) -> float:
    """The most that a piece of `note` correlates with any of `other`."""
    note, other = from_onset(note), from_onset(other)
    piece, other = note[RATE // 20: RATE // 20 + PIECE], other[:WITHIN]
    if len(piece) < PIECE // 2 or len(other) <= len(piece):
        return -1.0
    size = 1 << (len(piece) + len(other)).bit_length()
    both = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(piece, size)), size)[: len(other) - len(piece) + 1]
    energy = np.cumsum(np.concatenate([[0.0], other.astype(float) ** 2]))
    norms = np.sqrt(np.maximum((energy[len(piece):] - energy[: -len(piece)]) * (piece.astype(float) ** 2).sum(), 1e-12))
    return float((np.abs(both) / norms).max())


def lifted(note: np.ndarray) -> np.ndarray:
    return np.diff(note, 2)


def main() -> None:
    roots, _ = fetch.packages()
    fetch.wheels()
    patches = {}
    for patch in sorted((roots["freepats"] / "usr/share/midi/freepats/Tone_000").glob("*.pat")):
        program = int(patch.name[:3])
        patches[program] = {key: gus.note(str(patch), key, 1.2) for key in keys(program)}
    earlier: list[tuple[int, int, dict[int, np.ndarray]]] = []
    for font, (package, file) in BANKED.items():
        near, copies, own = [], [], []
        for (bank, program), notes in played(roots[package] / file).items():
            patch = patches.get(program, {})
            tested = (max((found_in(notes[k], patch[k]) for k in patch if k == MIDDLE_C), default=-1),
                      max((found_in(lifted(notes[k]), lifted(patch[k])) for k in patch), default=-1))
            others = [other for _, p, other in earlier if p == program]
            same = (max((found_in(notes[MIDDLE_C], other[MIDDLE_C]) for other in others), default=-1),
                    max((found_in(lifted(notes[MIDDLE_C]), lifted(other[MIDDLE_C])) for other in others), default=-1))
            earlier.append((bank, program, notes))
            if any(x > most for x, most in zip(tested, FREEPATS)):
                near.append((bank, program))
            elif any(x > most for x, most in zip(same, OTHERS)):
                copies.append((bank, program))
            else:
                own.append((bank, program))
        kind = "first" if font in FONTS else "later" if font in LATER else "banks"
        for name, places in (("like FreePats'", near), ("like another's", copies), ("its own", own)):
            print(f"{font} ({kind}), {name}: " + " ".join(f"{b}:{p}" if b else f"{p}" for b, p in places))


if __name__ == "__main__":
    sys.exit(main())
