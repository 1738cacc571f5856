# SPDX-License-Identifier: Apache-2.0
"""Films of four pictures: a cut-out that moves in one of eight ways over a piece of a photograph. Synthetic."""

from __future__ import annotations

from pathlib import Path

import pyvips

import images
from captions import named
from common import chance, digest

FRAMES = 4
EDGE = 224
QUALITY = 85
# The eight ways, and how one says each of a thing.
WAYS = {
    "left": ("moving to the left", "moves left", "going left"),
    "right": ("moving to the right", "moves right", "going right"),
    "up": ("moving up", "rises", "going upwards"),
    "down": ("moving down", "falls", "going downwards"),
    "closer": ("coming closer", "gets bigger", "approaching"),
    "away": ("going away", "gets smaller", "moving away"),
    "turning": ("turning around", "rotates", "spinning"),
    "still": ("standing still", "does not move", "not moving"),
}
TURNTABLE = ("turning around", "rotates", "seen from all sides")


def captions(label: str, way: str) -> list[str]:
    """What may be said of a film, the likeliest query first; `way` is one of WAYS or "turntable"."""
    doing, does, also = TURNTABLE if way == "turntable" else WAYS[way]
    thing = named(label)
    return [f"{thing} {doing}", f"{thing} {does}", f"{label} {also}", doing, f"something {doing}", label]


def film(cut: Path, grounds: list[Path], way: str, name: str, folder: Path) -> bool:
    """Writes 0.jpg ... 3.jpg of 224 x 224 pixels; returns whether the picture can be cut out. All choices are by `name`."""
    figure = images.figure(cut)
    if figure is None:
        return False
    ground = images.crop(grounds[digest(name, "background") % len(grounds)], EDGE, EDGE, name)
    size = (0.3 + 0.2 * chance(name, "size")) * EDGE / max(figure.width, figure.height)
    across = 0.25 + 0.5 * chance(name, "across")
    margin = 0.15 + 0.05 * chance(name, "along")
    sideways, wobble = way in ("left", "right"), 0.04 * (chance(name, "drift") - 0.5)  # no path is quite straight
    begin, end = (1 - margin, margin) if way in ("left", "up") else (margin, 1 - margin)
    frames = []
    for n in range(FRAMES):
        t = n / (FRAMES - 1)
        x, y, scale, turn = 0.35 + 0.3 * chance(name, "x"), 0.35 + 0.3 * chance(name, "y"), size, 0.0
        if way in ("left", "right", "up", "down"):
            far, near = begin + (end - begin) * t, across + wobble * t
            x, y = (far, near) if sideways else (near, far)
        if way in ("closer", "away"):
            scale = size * 2 ** (1.3 * ((t if way == "closer" else 1 - t) - 0.35))
        if way == "turning":
            turn = (1 if chance(name, "sense") < 0.5 else -1) * 75.0 * n
        frames.append((x, y, scale, turn))
    for n, (x, y, scale, turn) in enumerate(frames):
        moved = figure.resize(scale)
        if turn:
            moved = moved.rotate(turn, background=[0] * figure.bands)
        left, top = round(x * EDGE - moved.width / 2), round(y * EDGE - moved.height / 2)
        images.save(ground.composite(moved, "over", x=left, y=top).flatten(), folder / f"{n}.jpg", QUALITY)
    return True


def turntable(cuts: list[Path], grounds: list[Path], name: str, folder: Path) -> None:
    """A 3-D model's sides one after the other, on white or over a piece of a photograph."""
    if chance(name, "white") < 0.5:
        ground = (pyvips.Image.black(EDGE, EDGE, bands=3) + 255).cast("uchar").copy(interpretation="srgb")
    else:
        ground = images.crop(grounds[digest(name, "background") % len(grounds)], EDGE, EDGE, name)
    order = cuts if chance(name, "sense") < 0.5 else cuts[::-1]
    for n, cut in enumerate(order):
        figure = pyvips.Image.new_from_file(str(cut))
        figure = figure.resize(0.85 * EDGE / max(figure.width, figure.height))
        picture = ground.composite(figure, "over", x=(EDGE - figure.width) // 2, y=(EDGE - figure.height) // 2).flatten()
        images.save(picture, folder / f"{n}.jpg", QUALITY)
