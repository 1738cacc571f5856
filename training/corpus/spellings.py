# SPDX-License-Identifier: Apache-2.0
"""Words as people type them: British and American spellings, misspellings that people make, and slips of the finger."""

from __future__ import annotations

import csv

from common import HERE, chance, digest

NEAR = {"a": "s", "e": "r", "i": "o", "o": "p", "u": "i", "s": "d", "d": "s", "r": "t", "t": "r", "n": "m", "m": "n", "l": "k",
        "c": "v", "v": "c", "g": "h", "h": "g", "b": "v", "p": "o", "k": "l", "y": "u"}


def listed() -> list[tuple[str, str, str]]:
    """(typed, meant, `variant` or `mistake`) of spellings.tsv: British and American words, and words often misspelt."""
    with open(HERE / "spellings.tsv", encoding="utf-8", newline="") as handle:
        return [(row["typed"], row["meant"], row["kind"]) for row in csv.DictReader(handle, delimiter="\t")]


def slip(word: str) -> str:
    """The word with two letters swapped, one missing, one doubled or a neighbouring key hit; the first letter stays."""
    place = 1 + digest("slip", word) % (len(word) - 2)
    how = chance("how", word)
    if how < 0.3:
        return word[:place] + word[place + 1] + word[place] + word[place + 2:]
    if how < 0.6:
        return word[:place] + word[place + 1:]
    if how < 0.8:
        return word[:place] + word[place] + word[place:]
    return word[:place] + NEAR.get(word[place], "") + word[place + 1:]
