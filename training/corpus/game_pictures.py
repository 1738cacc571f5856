# SPDX-License-Identifier: Apache-2.0
"""Pictures of single things from two games, named by their files where WordNet knows the name as a thing: wares, animals,
trees and ships of Widelands, items and weapons of Wesnoth."""

from __future__ import annotations

import re
from pathlib import Path

from captions import Item, stem_words
from wordnet import WordNet

WIDELANDS = "usr/share/games/widelands/data"
WIDELANDS_FOLDERS = ("tribes/wares", "world/critters", "world/immovables/trees", "tribes/immovables/trees",
                     "tribes/ships")
WESNOTH = "usr/share/games/wesnoth/1.16/data/core/images"
WESNOTH_FOLDERS = ("items", "attacks", "scenery", "icons")
LEAST = 24  # pixels on the longer side


def items(widelands: Path, wesnoth: Path, wordnet: WordNet) -> list[Item]:
    found = []
    for folder in WIDELANDS_FOLDERS:
        base = widelands / WIDELANDS / folder
        for picture in sorted(base.rglob("menu.png")):
            sprite = next((file for name in ("idle_1.png", "idle.png", "idle_00.png")
                           if (file := picture.parent / name).exists()), picture)
            found.append(("widelands-picture", sprite if sprite.stem in ("idle", "idle_00") else picture, picture.parent.name,
                          str(picture.parent.relative_to(widelands / WIDELANDS))))
    for folder in WESNOTH_FOLDERS:
        for picture in sorted((wesnoth / WESNOTH / folder).glob("*.png")):
            found.append(("wesnoth-picture", picture, picture.stem, f"{folder}/{picture.stem}"))
    made = (_item(*row, wordnet) for row in found)
    return [item for item in made if item]


def _item(source: str, picture: Path, name: str, key: str, wordnet: WordNet) -> Item | None:
    import pyvips

    parts = re.sub(r"([a-z]{4,})(bear|goat|wolf|sheep|cat|ox)$", r"\1 \2", stem_words(name).lower()).split()
    # "bow elven" is a kind of bow: the longest first part that is a thing names it, and all of it is a caption.
    thing = next((known for count in range(len(parts), 0, -1) if wordnet.is_thing(known := " ".join(parts[:count]))), None)
    if thing is None or len(thing) < 3:
        return None
    header = pyvips.Image.new_from_file(str(picture))
    if max(header.width, header.height) < LEAST:
        return None
    titles = [" ".join([*parts[len(thing.split()):], thing])] if " ".join(parts) != thing else []
    return Item(f"{source}/{key}", source, "image", [str(picture)], thing, titles, [], f"{source}/{thing}", plain=False)
