# SPDX-License-Identifier: Apache-2.0
"""pySioGame's art4apps cartoons, named by their files. GCompris has some of the same pictures, and GCompris is the
held-out source: whatever shares a name with one of those is left out here, and near-copies are left out later."""

from __future__ import annotations

import re
from pathlib import Path

from captions import Item, stem_words
from wordnet import WordNet

FOLDER = "usr/share/games/pysiogame/res/images/art4apps"


def items(root: Path, held_out_names: set[str], wordnet: WordNet) -> list[Item]:
    found = []
    for picture in sorted((root / FOLDER).rglob("*.jpg")):
        label = re.sub(r"\s+[a-z]$", "", stem_words(picture.stem).lower())
        if not label or label in held_out_names or len(label) < 2:
            continue
        category = stem_words(picture.parent.name).lower()
        keywords = [category] if category in wordnet.senses else []
        found.append(Item(f"pysiogame/{picture.parent.name}/{picture.stem}", "pysiogame", "image", [str(picture)], label,
                          [], keywords, f"pysiogame/{label}"))
    return found
