# SPDX-License-Identifier: Apache-2.0
"""Tux Paint's stamps: cut-out pictures, each with a caption, some with a sound effect. Letters and digits are left
out, and so are mirrored twins and everything spoken (`_desc`, names of letters, numbers in other languages)."""

from __future__ import annotations

import re
from pathlib import Path

from captions import Item, bare, stem_words
from common import tidy
from wordnet import WordNet

LEFT_OUT = re.compile(r"symbols/alphabets/|symbols/math/")
SPOKEN = re.compile(r"_desc(_|$)|_[a-z]{2}(_[A-Za-z]{2})?$|dreydl|roadsigns/|hard_candy|symbols/")
LONGEST_LABEL = 5


def items(root: Path, wordnet: WordNet) -> list[Item]:
    base = root / "usr/share/tuxpaint/stamps"
    found: list[Item] = []
    for text in sorted(base.rglob("*.txt")):
        name = str(text.relative_to(base).with_suffix(""))
        if LEFT_OUT.search(name):
            continue
        lines = text.read_text("utf-8", "replace").splitlines()
        if not lines or not tidy(lines[0]):
            continue
        caption = tidy(lines[0].replace("“", '"').replace("”", '"').replace("’", "'").rstrip("!?. "))
        label, plain = _label(caption, text.stem, wordnet)
        family = "tuxpaint/" + re.sub(r"[\d_]+$", "", name)
        titles = [caption] if bare(caption).lower() != label.lower() else []
        pictures = [str(p) for p in (text.with_suffix(".png"), text.with_suffix(".svg")) if p.exists()]
        if pictures:
            found.append(Item(f"tuxpaint/{name}", "tuxpaint", "image", pictures, label, titles, [], family, plain))
        sounds = [p for p in (text.with_suffix(".ogg"), text.with_suffix(".wav")) if p.exists()]
        if sounds and not SPOKEN.search(name):
            found.append(Item(f"tuxpaint-sound/{name}", "tuxpaint-sound", "sound", [str(sounds[0])], label, [], [],
                              "tuxpaint-sound/" + label.lower(), plain))
    return found


def _label(caption: str, stem: str, wordnet: WordNet) -> tuple[str, bool]:
    """The short name in a caption: its first clause where that is short, else the file's name where that is a word."""
    clause = bare(re.split(r"[.!?,;:(\"—]|\s[-–]\s", caption)[0] or caption)
    if len(clause.split()) <= LONGEST_LABEL and re.search(r"[A-Za-z]{2}", clause):
        return clause, True
    name = stem_words(stem).lower()
    if name in wordnet.senses:
        return name, True
    return (clause if re.search(r"[A-Za-z]{2}", clause) else name), False
