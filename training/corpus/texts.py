# SPDX-License-Identifier: Apache-2.0
"""The table of texts: every string once, with a role and a line number, and the pairs of texts that mean the same."""

from __future__ import annotations

import csv
import re

import numpy as np

import spellings
from captions import Kinds, named
from common import HERE, digest, plural, words
from splits import HeldOutWords
from wordnet import WordNet, gloss_text

# The first role that fits is a text's role; `pool` is only for strings that no other source has.
ROLES = ("caption", "class", "lemma", "gloss", "prompt", "pool")
PROMPTED = 20000
PLURALS = 10000
PHRASED = 5000   # nouns for things, the commonest, that stand in two phrases each
SLIPS = 4000     # nouns, the commonest, that are also written with a slip of the finger
KINDRED = 8000   # nouns, the commonest, that are paired with their everyday kind
# What people type around a noun: {} alone, {a} with its article, {s} its plural.
PHRASES = ("two {s}", "many {s}", "a small {}", "a big {}", "an old {}", "a red {}", "a blue {}", "a white {}", "a black {}",
           "a green {}", "a picture of {a}", "{a} in the background", "{a} on a table", "{a} outside", "{a} in the city",
           "close-up of {a}", "my {}", "children with {a}", "a video of {a}", "a man with {a}", "a woman with {a}")
GLOSS, PARENTS = 0.3, 0.2  # how much of its gloss and its hypernyms a noun's target has


class Texts:
    def __init__(self, held: HeldOutWords):
        self.held = held
        self.role: dict[str, str] = {}
        self.meant: dict[str, str] = {}  # what a misspelt text stands for; the teacher is asked for that

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
        texts.add(f"a photo of {named(name) if name.islower() else name}", "caption")
        texts.add(f"{name}, {kind}", "caption")
    known = set(lemmas)
    for noun in nouns[: limit or PROMPTED]:
        texts.add(f"a photo of {named(noun)}", "prompt")
    for noun in nouns[: limit or PLURALS]:
        if re.fullmatch(r"[a-z]+", noun) and noun in known:
            texts.add(plural(noun), "prompt")


def add_typed(texts: Texts, wordnet: WordNet, limit: int | None) -> None:
    """What people type: phrases around everyday nouns, other spellings and misspellings. Nothing that names a held-out
    word, also not misspelt."""
    known = {lemma.lower() for lemma in wordnet.lemmas()} | {text.lower() for text in texts.role}
    nouns = [noun for noun in wordnet.noun_lemmas_by_use()
             if re.fullmatch(r"[a-z]+(?: [a-z]+)?", noun) and not texts.held.named_in(noun)]
    things = [noun for noun in nouns if wordnet.is_thing(noun)]
    for noun in things[: limit or PHRASED]:
        first = digest("phrase", noun) % len(PHRASES)
        for phrase in (PHRASES[first], PHRASES[(first + 7) % len(PHRASES)]):
            texts.add(phrase.format(noun, a=named(noun), s=plural(noun)), "prompt")
    single = [noun for noun in nouns if len(noun) > 4 and " " not in noun]
    wrong = [(typed, meant) for typed, meant, kind in spellings.listed() if kind == "mistake"]
    wrong += [(spellings.slip(noun), noun) for noun in single[: limit or SLIPS]]
    for typed, meant in wrong:
        if typed not in known and typed not in texts.meant and not texts.held.named_in(f"{typed} {meant}"):
            texts.add(meant, "prompt")
            texts.add(typed, "prompt")
            texts.meant[typed] = meant
    for typed, meant, kind in spellings.listed():
        if kind == "variant" and not texts.held.named_in(f"{typed} ; {meant}"):
            texts.add(typed, "prompt")
            texts.add(meant, "prompt")


def expanded(texts: Texts, wordnet: WordNet, vectors: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every noun that may be trained on, alone, plural or misspelt: its line and a target that says more than the
    word: unit(lemma + .3 gloss + .2 hypernyms) of its commonest sense, all centred on `mean`. vectors: one unit row a
    text. Returns lines [n] and unit vectors [n, 384]."""
    def centred(line: int) -> np.ndarray:
        vector = vectors[line].astype(np.float32) - mean
        return vector / max(1e-6, float(np.linalg.norm(vector)))

    lines, targets = [], []
    for text, line in texts.line.items():
        noun = " ".join(words(texts.meant.get(text, text)))
        noun = texts.meant.get(text, text).lower() if texts.meant.get(text, text).lower() in wordnet.senses else noun
        if texts.role[text] in ("heldout", "pool", "gloss") or noun not in wordnet.senses:
            continue
        offset = wordnet.senses[noun][0]
        gloss = " ".join(gloss_text(wordnet.nouns[offset]).split())
        parents = [wordnet.nouns[parent].lemmas[0] for parent in wordnet.chain(offset)[:3]]
        rows = [texts.line[parent] for parent in parents if parent in texts.line and texts.role[parent] != "heldout"]
        target = centred(line)
        if gloss in texts.line and texts.role[gloss] != "heldout":
            target = target + GLOSS * centred(texts.line[gloss])
        if rows:
            above = np.mean([centred(row) for row in rows], 0)
            target = target + PARENTS * above / max(1e-6, float(np.linalg.norm(above)))
        lines.append(line)
        targets.append(target / np.linalg.norm(target))
    return np.array(lines, np.int64), np.stack(targets).astype(np.float32)


def wellknown() -> list[tuple[str, str, str]]:
    """Well-known things a dictionary lacks, with what they are and where, from a list written for this corpus."""
    with open(HERE / "wellknown.tsv", encoding="utf-8", newline="") as handle:
        return [(row["name"], row["kind"], f"{row['name']}: {row['kind']}" + (f" in {row['place']}" if row["place"] else ""))
                for row in csv.DictReader(handle, delimiter="\t")]


def pairs(texts: Texts, wordnet: WordNet, kinds: Kinds) -> list[tuple[int, int, str]]:
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
    for noun in wordnet.noun_lemmas_by_use()[:KINDRED]:
        kind = kinds.of(noun)
        if kind:
            put(noun, kind, "kind")
            put(noun, kinds.widest(kind), "kind")
    for typed, meant, _ in spellings.listed():
        put(typed, meant, "spelling")
    for typed, meant in texts.meant.items():
        put(typed, meant, "spelling")
    return sorted(found)
