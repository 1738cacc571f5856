# SPDX-License-Identifier: Apache-2.0
"""WordNet 3.0 as Debian's wordnet-base ships it: synsets, lemmas, glosses, hypernyms and how common a word is."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from common import tidy

FILES = ("noun", "verb", "adj", "adv")
# Lexicographer files whose nouns one can see, hear or touch.
THINGS = {5: "animal", 6: "artifact", 8: "body", 13: "food", 17: "object", 18: "person", 19: "phenomenon", 20: "plant",
          27: "substance"}
GLOSS_WORDS = 24


@dataclass
class Synset:
    offset: int
    part: str
    category: int
    lemmas: list[str]
    gloss: str
    hypernyms: list[int] = field(default_factory=list)


class WordNet:
    """`nouns` maps an offset to its synset; `synsets` has all parts of speech; `senses` a lower-case noun to its
    synsets, commonest first; `count` a lower-case lemma to its number of uses in the tagged texts."""

    def __init__(self, folder: Path):
        self.synsets: list[Synset] = []
        self.nouns: dict[int, Synset] = {}
        for part in FILES:
            for line in _lines(folder / f"data.{part}"):
                synset = _synset(line, part)
                self.synsets.append(synset)
                if part == "noun":
                    self.nouns[synset.offset] = synset
        self.senses: dict[str, list[int]] = {}
        for line in _lines(folder / "index.noun"):
            fields = line.split()
            senses = int(fields[2])
            self.senses[fields[0].replace("_", " ")] = [int(offset) for offset in fields[-senses:]]
        self.count: dict[str, int] = defaultdict(int)
        for line in (folder / "cntlist.rev").read_text("latin-1").splitlines():
            key, _, uses = line.split()
            self.count[key.split("%")[0].replace("_", " ")] += int(uses)

    @lru_cache(maxsize=None)
    def chain(self, offset: int) -> tuple[int, ...]:
        """The hypernyms of a noun synset, nearest first, along first pointers."""
        chain: list[int] = []
        while self.nouns[offset].hypernyms and len(chain) < 30:
            offset = self.nouns[offset].hypernyms[0]
            chain.append(offset)
        return tuple(chain)

    def is_thing(self, noun: str) -> bool:
        """Whether the commonest sense of a noun is something one can see, hear or touch."""
        senses = self.senses.get(noun.lower())
        return bool(senses) and self.nouns[senses[0]].category in THINGS

    def lemmas(self) -> list[str]:
        """All distinct lemmas, letter case as written, in order."""
        return sorted({lemma for synset in self.synsets for lemma in synset.lemmas})

    def noun_lemmas_by_use(self) -> list[str]:
        """Noun lemmas, commonest first and shortest first among equals."""
        nouns = {lemma for synset in self.nouns.values() for lemma in synset.lemmas}
        nouns = {lemma for lemma in nouns if re.fullmatch(r"[A-Za-z][A-Za-z' -]+", lemma)}
        return sorted(nouns, key=lambda lemma: (-self.count[lemma.lower()], len(lemma), lemma))


def gloss_text(synset: Synset) -> str:
    """`lemma: gloss`, without the examples, at most GLOSS_WORDS words."""
    return " ".join(f"{synset.lemmas[0]}: {synset.gloss}".split()[:GLOSS_WORDS])


def _lines(path: Path):
    with open(path, encoding="latin-1") as handle:
        for line in handle:
            if not line.startswith("  "):
                yield line.rstrip("\n")


def _synset(line: str, part: str) -> Synset:
    data, _, gloss = line.partition("|")
    fields = data.split()
    count = int(fields[3], 16)
    lemmas = [re.sub(r"\((a|p|ip)\)$", "", fields[4 + 2 * i]).replace("_", " ") for i in range(count)]
    position = 4 + 2 * count
    pointers = int(fields[position])
    hypernyms = []
    for i in range(pointers):
        symbol, offset, pos, _ = fields[position + 1 + 4 * i: position + 5 + 4 * i]
        if symbol in ("@", "@i") and pos == part[0]:
            hypernyms.append(int(offset))
    gloss = tidy(gloss.split('; "')[0].split(' "')[0])
    return Synset(int(fields[0]), part, int(fields[1]), lemmas, gloss, hypernyms)
