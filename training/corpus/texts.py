# SPDX-License-Identifier: Apache-2.0
"""The table of texts: every string once, with a role and a line number, and the pairs of texts that mean the same."""

from __future__ import annotations

import csv
import re

from common import HERE, plural
from captions import named
from splits import HeldOutWords
from wordnet import WordNet, gloss_text

# The first role that fits is a text's role; `pool` is only for strings that no other source has.
ROLES = ("caption", "class", "lemma", "gloss", "prompt", "pool")
PROMPTED = 20000
PLURALS = 10000


class Texts:
    def __init__(self, held: HeldOutWords):
        self.held = held
        self.role: dict[str, str] = {}

    def add(self, text: str, role: str) -> None:
        text = " ".join(text.split())
        if not text:
            raise ValueError(f"an empty {role}")
        old = self.role.get(text)
        if old is None or ROLES.index(role) < ROLES.index(old):
            self.role[text] = role

    def number(self) -> None:
        """Fixes the order: by role, then by text; then marks what names a held-out word."""
        self.lines = sorted(self.role, key=lambda text: (ROLES.index(self.role[text]), text))
        self.line = {text: i for i, text in enumerate(self.lines)}
        for text in self.lines:
            if self.held.named_in(text):
                self.role[text] = "heldout"

    def of(self, text: str) -> int:
        return self.line[" ".join(text.split())]


def add_wordnet(texts: Texts, wordnet: WordNet, limit: int | None) -> None:
    lemmas = wordnet.lemmas()
    nouns = wordnet.noun_lemmas_by_use()
    synsets = wordnet.synsets
    if limit:
        kept = set(nouns[: limit * 10])
        lemmas = [lemma for lemma in lemmas if lemma in kept]
        synsets = [synset for synset in synsets if synset.part == "noun" and synset.lemmas[0] in kept]
    for lemma in lemmas:
        texts.add(lemma, "lemma")
    for synset in synsets:
        texts.add(gloss_text(synset), "gloss")
    for name, kind, whole in wellknown():
        texts.add(name, "caption")
        texts.add(kind, "caption")
        texts.add(whole, "caption")
        texts.add(f"a photo of {name}", "caption")
        texts.add(f"{name}, {kind}", "caption")
    known = set(lemmas)
    for noun in nouns[: limit or PROMPTED]:
        texts.add(f"a photo of {named(noun)}", "prompt")
    for noun in nouns[: limit or PLURALS]:
        if re.fullmatch(r"[a-z]+", noun) and noun in known:
            texts.add(plural(noun), "prompt")


def wellknown() -> list[tuple[str, str, str]]:
    """Well-known things a dictionary lacks, with what they are and where, from a list written for this corpus."""
    with open(HERE / "wellknown.tsv", encoding="utf-8", newline="") as handle:
        return [(row["name"], row["kind"], f"{row['name']}: {row['kind']} in {row['place']}")
                for row in csv.DictReader(handle, delimiter="\t")]


def pairs(texts: Texts, wordnet: WordNet) -> list[tuple[int, int, str]]:
    """Lines that mean the same or nearly so; nothing that names a held-out word."""
    found: set[tuple[int, int, str]] = set()

    def put(a: str, b: str, kind: str) -> None:
        if a in texts.line and b in texts.line and a != b and "heldout" not in (texts.role[a], texts.role[b]):
            found.add((texts.line[a], texts.line[b], kind))

    for synset in wordnet.synsets:
        first, gloss = synset.lemmas[0], " ".join(gloss_text(synset).split())
        for lemma in synset.lemmas:
            put(lemma, gloss, "lemma-gloss")
        for lemma in synset.lemmas[1:]:
            put(first, lemma, "synonym")
        for parent in synset.hypernyms if synset.part == "noun" else ():
            put(first, wordnet.nouns[parent].lemmas[0], "lemma-hypernym")
    for name, kind, whole in wellknown():
        put(name, whole, "lemma-gloss")
        put(name, kind, "lemma-hypernym")
    return sorted(found)
