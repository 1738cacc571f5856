# SPDX-License-Identifier: Apache-2.0
"""Pictures as the corpus keeps them: at most 384 pixels, flattened on white; and composites, which are cut-outs pasted
on a piece of a photograph. libvips reads everything, shrinking while it loads (some sources have 600 megapixels)."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyvips

from common import chance, digest, whole

EDGE = 384
LARGEST = 60_000_000  # pixels; beyond it the drawing is rendered from its SVG twin
QUALITY = 90


def cutout(files: list[str], target: Path) -> bool:
    """Writes the picture, at most 384 pixels on its longer side, with its transparency, trimmed to what is visible.
    Tries the files in turn; returns whether it has transparency. Raises ValueError where none can be read or the
    picture is empty."""
    reasons = []
    for file in files:
        try:
            if not file.endswith(".svg"):
                header = pyvips.Image.new_from_file(file)
                if header.width * header.height > LARGEST and len(files) > 1:
                    continue
            picture = _visible(pyvips.Image.thumbnail(file, EDGE, height=EDGE))
            _keep(picture, target)
            return picture.hasalpha()
        except (pyvips.Error, ValueError) as error:
            reasons.append(f"{file}: {str(error).splitlines()[0]}")
    raise ValueError("; ".join(reasons) or f"{files}: too large, and there is no SVG")


def render(model: str, target: Path) -> None:
    """A side of a 3-D model ("model:FILE:YAW:PITCH") with transparency, trimmed and kept like any cut-out, unless it is."""
    import models3d

    if not target.exists():
        _keep(_visible(pyvips.Image.new_from_array(models3d.rendered(model)).copy(interpretation="srgb").median(3)), target)


def _keep(picture: pyvips.Image, target: Path) -> None:
    with whole(target) as partial:
        picture.write_to_file(str(partial), compression=3)


def _visible(picture: pyvips.Image) -> pyvips.Image:
    picture = picture.colourspace("srgb").cast("uchar").copy_memory()
    if picture.bands == 1:
        picture = picture.bandjoin([picture, picture])
    if picture.hasalpha():
        alpha = picture[picture.bands - 1]
        if alpha.min() > 250:
            return _flat(picture)
        left, top, width, height = alpha.find_trim(threshold=8, background=[0])
        if min(width, height) < 16:
            raise ValueError("nothing to see")
        picture = picture.crop(left, top, width, height)
    if min(picture.width, picture.height) < 16 or _flat(picture).colourspace("b-w").deviate() < 3:
        raise ValueError("nothing to see")
    return picture


def _flat(picture: pyvips.Image) -> pyvips.Image:
    """On white, three bands."""
    return picture.flatten(background=[255] * 3) if picture.hasalpha() else picture


def on_white(cut: Path, target: Path) -> None:
    """The cut-out over white with a small margin, as JPEG."""
    picture = pyvips.Image.new_from_file(str(cut))
    margin = max(2, round(0.03 * max(picture.width, picture.height)))
    if picture.hasalpha():
        picture = _flat(picture)
        picture = picture.embed(margin, margin, picture.width + 2 * margin, picture.height + 2 * margin,
                                extend="background", background=[255] * 3)
        if max(picture.width, picture.height) > EDGE:
            picture = picture.thumbnail_image(EDGE, height=EDGE)
    save(picture, target)


def composite(picture: pyvips.Image, backgrounds: list[Path], name: str, target: Path) -> None:
    """A figure at a random size and place over a random piece of a photograph; all from `name`."""
    background = backgrounds[digest(name, "background") % len(backgrounds)]
    edge = 256 + digest(name, "edge") % 65
    aspect = (1.0, 1.0, 4 / 3, 3 / 4)[digest(name, "aspect") % 4]
    width, height = (edge, round(edge / aspect)) if aspect >= 1 else (round(edge * aspect), edge)
    ground = crop(background, width, height, name)
    share = 0.4 + 0.55 * chance(name, "share")
    scale = min(share * width / picture.width, share * height / picture.height)
    if chance(name, "flip") < 0.5:
        picture = picture.fliphor()
    picture = picture.resize(scale)
    left = round((width - picture.width) * chance(name, "left"))
    top = round((height - picture.height) * chance(name, "top"))
    save(ground.composite(picture, "over", x=left, y=top).flatten(), target)


def several(figures: list[pyvips.Image], backgrounds: list[Path], name: str, target: Path) -> None:
    """Figures side by side, each at its own size and height, over a random piece of a photograph; all from `name`."""
    width, height = 320, 240
    picture = crop(backgrounds[digest(name, "background") % len(backgrounds)], width, height, name)
    column = width / len(figures)
    for n, figure in enumerate(figures):
        share = 0.6 + 0.45 * chance(name, n, "share")
        figure = figure.resize(min(share * column / figure.width, 0.9 * height / figure.height))
        if chance(name, n, "flip") < 0.5:
            figure = figure.fliphor()
        left = round(column * n + (column - figure.width) * (0.3 + 0.4 * chance(name, n, "left")))
        picture = picture.composite(figure, "over", x=left, y=round((height - figure.height) * chance(name, n, "top")))
    save(picture.flatten(), target)


def crop(photo: Path, width: int, height: int, name: str) -> pyvips.Image:
    """A random piece (35 to 100 % of what fits) of a photograph, scaled to width x height, maybe mirrored."""
    picture = _ground(str(photo))
    fit = min(picture.width / width, picture.height / height)
    scale = max(min(1.0, fit), fit * math.exp(math.log(0.35) * chance(name, "zoom")))
    wide, high = min(picture.width, round(width * scale)), min(picture.height, round(height * scale))
    left = round((picture.width - wide) * chance(name, "x"))
    top = round((picture.height - high) * chance(name, "y"))
    piece = picture.crop(left, top, wide, high).thumbnail_image(width, height=height, size="force")
    return piece.fliphor() if chance(name, "mirror") < 0.5 else piece


@lru_cache(maxsize=64)
def _ground(photo: str) -> pyvips.Image:
    """Decoded once a process: decoding is most of what a piece costs."""
    return pyvips.Image.new_from_file(photo).copy_memory()


def save_crop(photo: Path, name: str, target: Path) -> None:
    """A piece of a photograph in one of four aspects, 320 pixels on its longer side."""
    width, height = ((320, 320), (320, 240), (240, 320), (320, 180))[digest(name, "aspect") % 4]
    save(crop(photo, width, height, name), target)


def shrink(photo: Path, target: Path) -> None:
    """A photograph at most 1,600 pixels wide, from which pieces are cut quickly."""
    picture = pyvips.Image.thumbnail(str(photo), 1600, height=1600, size="down").colourspace("srgb")
    save(_flat(picture).cast("uchar"), target)


def save(picture: pyvips.Image, target: Path, quality: int = QUALITY) -> None:
    with whole(target) as partial:
        picture.write_to_file(str(partial), Q=quality, strip=True)


def figure(cut: Path) -> pyvips.Image | None:
    """What can be pasted of a picture: its visible part, or, where it is opaque on white, what the white surrounds.
    None where there is no such part or only lines."""
    picture = pyvips.Image.new_from_file(str(cut))
    if not picture.hasalpha():
        picture = _lift_off_white(picture)
    if picture is None or not 0.15 * 255 < picture[picture.bands - 1].avg() < 254.9:
        return None
    return picture


def _lift_off_white(picture: pyvips.Image) -> pyvips.Image | None:
    white = (picture > 244).bandand()
    labels = white.labelregions().numpy()
    mask = white.numpy() > 0
    edge = np.zeros_like(mask)
    edge[0, :] = edge[-1, :] = edge[:, 0] = edge[:, -1] = True
    if (mask & edge).sum() < 0.9 * edge.sum():
        return None
    outside = mask & np.isin(labels, np.unique(labels[mask & edge]))
    alpha = pyvips.Image.new_from_array(np.where(outside, 0, 255).astype(np.uint8))
    return picture.bandjoin(alpha.gaussblur(0.6).cast("uchar")).copy(interpretation="srgb")
