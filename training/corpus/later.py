# SPDX-License-Identifier: Apache-2.0
"""Pictures and sounds that came when the splits were fixed already. They only train: none is ever in a pool, what names a
held-out word or is an emoji of a held-out family is left out, and so is what looks or sounds nearly like anything that is tested,
instead of the tested item. Films, mixtures and scenes of several things are made without them. So every pool is what it was
before."""

from __future__ import annotations

from pathlib import Path

from captions import Item
from common import digest
from wordnet import WordNet

SOURCES = {"emojione", "twemoji", "pictogram", "widelands-picture", "wesnoth-picture", "midi-more"}


def items(roots: dict[str, Path], wheels: dict[str, Path], wordnet: WordNet, limit: int | None) -> list[Item]:
    """In order of their keys; `limit`: at most so many of each source."""
    import emoji
    import game_pictures
    import pictograms
    import synth

    found = [*emoji.more(roots["unicode-cldr-core"], roots["ruby-gemojione"], roots["firefox-esr"]),
             *pictograms.items(wheels["qtawesome"], wordnet),
             *game_pictures.items(roots["widelands-data"], roots["wesnoth-1.16-data"], wordnet), *synth.more(roots)]
    kept: dict[str, list[Item]] = {source: [] for source in sorted(SOURCES)}
    for item in sorted(found, key=lambda item: digest(item.key)):
        if not limit or len(kept[item.source]) < limit:
            kept[item.source].append(item)
    return sorted((item for group in kept.values() for item in group), key=lambda item: item.key)
