# SPDX-License-Identifier: Apache-2.0
"""Pictograms in one colour from four sets of icons, where a name without its variant is a thing that WordNet knows. The
fonts and their lists of names lie in the wheel of QtAwesome."""

from __future__ import annotations

import json
import re
from pathlib import Path

from captions import Item
from common import CACHE, digest
from glyphs import drawing, write_svg
from wordnet import WordNet

DRAWN = CACHE / "corpus-cutouts" / "pictogram-source"
FONTS = {"material": "materialdesignicons6-webfont", "awesome": "fontawesome6-solid-webfont", "phosphor": "phosphor",
         "remix": "remixicon"}
# Words in a name that say how the thing is drawn, not what it is.
VARIANT = set("""outline variant off plus minus remove alert check edit cog lock settings search multiple box circle alt fill line
light thin bold duotone solid o square sharp round rounded side front back left right up down empty full half slash simple open
closed dots sync refresh""".split())
# Things by WordNet that an icon of that name does not show.
UNSEEN = set("""at archive user more small variable console terminal loading browser delicious export primitive output combine clone
discard grabber gather remote mute filter dashboard bars crop marker segment helper loader placeholder separator aperture hash cpu vip
spam web amazon android apple bootstrap mac celsius takeaway parent polo node draw blur image transition function function
mastodon chrome beta alpha gamma delta lambda omega sigma pi""".split())
VARIANTS = 2  # of one name in one set
INKS = ("#111111", "#333333", "#1d3557", "#7a1f1f", "#1f5a2b", "#5a3a1a", "#4a2a6a", "#0a5a6a")


def items(wheel: Path, wordnet: WordNet) -> list[Item]:
    found = []
    for source, stem in FONTS.items():
        fonts = wheel / "qtawesome" / "fonts"
        font_file = next(path for path in sorted(fonts.glob(f"{stem}-*.ttf")))
        names = next(path for path in sorted(fonts.glob(f"{stem}-charmap-*.json")))
        found += _items(source, font_file, json.loads(names.read_text("utf-8")), wordnet)
    return found


def _items(source: str, font_file: Path, points: dict[str, str], wordnet: WordNet) -> list[Item]:
    from fontTools.ttLib import TTFont

    by_thing: dict[str, list[str]] = {}
    for name in sorted(points, key=lambda name: digest("pictogram", source, name)):
        thing = " ".join(part for part in name.split("-") if part not in VARIANT and not part.isdigit())
        if len(thing) > 2 and thing not in UNSEEN and not re.search(r"[^a-z ]", thing) and wordnet.is_thing(thing):
            by_thing.setdefault(thing, []).append(name)
    font = TTFont(font_file)
    glyphs, found = font.getBestCmap(), []
    for thing, names in sorted(by_thing.items()):
        for name in names[:VARIANTS]:
            glyph = glyphs.get(int(points[name], 16))
            if glyph is None:
                continue
            key = f"pictogram/{source}-{name}"
            target = DRAWN / f"{source}-{name}.svg"
            if not target.exists():
                write_svg(font, [drawing(font, glyph, INKS[digest(key, "ink") % len(INKS)])], target)
            found.append(Item(key, "pictogram", "image", [str(target)], thing, [], [], f"pictogram/{thing}", plain=False))
    return found
