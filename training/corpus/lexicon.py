# SPDX-License-Identifier: Apache-2.0
"""Writes the lexicon that Imprint ships: common nouns and names of things, each with what it means in few words
(`nouns.tsv`), and the names in `wellknown.tsv` that are not among them ("burj khalifa"), each with its kind ("skyscraper"; `names.tsv`).

    python lexicon.py WORDNET-FOLDER ../../resources/lexicon

A line is `word<TAB>gloss`, sorted by the bytes of the word, which is lower case. A word's sense is its commonest one that is
written in lower case, if any; so "crane" lifts things and is no writer.
"""

from __future__ import annotations

import csv
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

from common import HERE, write_text
from wordnet import THINGS, Synset, WordNet

MOST_BYTES = 2_090_000
WORDS = 12  # of a gloss, its headword included
IDEA_USES = 4  # in the tagged texts: what cannot be seen, heard or touched is seldom asked for
PERSON = 18
TOPS, PLANT = 3, 20


def sense_of(wordnet: WordNet, noun: str) -> Synset:
    senses = [wordnet.nouns[offset] for offset in wordnet.senses[noun]]
    return next((sense for sense in senses if noun in sense.lemmas), senses[0])


def uses(wordnet: WordNet) -> Counter[str]:
    """How often the dictionary's own explanations use a phrase of one to three words."""
    found: Counter[str] = Counter()
    for synset in wordnet.synsets:
        words = re.findall(r"[a-z'-]+", synset.gloss.lower())
        for length in (1, 2, 3):
            found.update(" ".join(words[i:i + length]) for i in range(len(words) - length + 1))
    return found


def rank(wordnet: WordNet, noun: str, sense: Synset, used: Counter[str]) -> tuple[int, int, int] | None:
    """How early a noun is taken, small first; None: never."""
    named = noun not in sense.lemmas
    if not re.fullmatch(r"[a-z][a-z' -]*[a-z]", noun) or (named and sense.category == PERSON) or "genus" in sense.gloss.split()[:2]:
        return None
    thing = sense.category in THINGS or sense.category == TOPS
    if not named and wordnet.count[noun] >= (1 if thing else IDEA_USES):
        return (0, 0, 0)
    if not thing:
        return None
    return (1, -used[noun] - used[f"{noun}s"] + (2 if sense.category in (PLANT, PERSON) else 0), len(noun))


def gloss(noun: str, sense: Synset) -> str:
    head = noun if noun in sense.lemmas else next((one for one in sense.lemmas if one.lower() == noun), sense.lemmas[0])
    text = f"{head}: {sense.gloss}".replace("\t", " ")
    return " ".join(text.split()[:WORDS]).rstrip(";,( ")


def well_known(nouns: dict[str, str]) -> dict[str, str]:
    """Kinds by names that are not among the nouns, in lower case, and without their accents too."""
    found: dict[str, str] = {}
    known = {noun.replace("-", " ") for noun in nouns}  # the lexicon finds compounds either way
    with open(HERE / "wellknown.tsv", encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            if row["kind"].startswith("kind of ") or row["kind"].endswith(" thing"):
                continue  # says nothing
            name = row["name"].lower().replace("\u2019", "'")
            plain = "".join(c for c in unicodedata.normalize("NFKD", name.replace("œ", "oe")) if not unicodedata.combining(c))
            for spelt in {name, plain, plain.replace("-", " ")}:
                if spelt.replace("-", " ") not in known:
                    found.setdefault(spelt, row["kind"])
    return found


def main() -> None:
    wordnet, folder = WordNet(Path(sys.argv[1])), Path(sys.argv[2])
    used = uses(wordnet)
    found = []
    for noun in wordnet.senses:
        sense = sense_of(wordnet, noun)
        order = rank(wordnet, noun, sense, used)
        if order is not None:
            found.append((order, noun, gloss(noun, sense)))
    meanings: dict[str, str] = {}
    size = 0
    for _, noun, meaning in sorted(found):
        size += len(f"{noun}\t{meaning}\n".encode())
        if size > MOST_BYTES:
            break
        meanings[noun] = meaning
    write(folder / "nouns.tsv", meanings)
    write(folder / "names.tsv", well_known(meanings))


def write(file: Path, meanings: dict[str, str]) -> None:
    write_text(file, "".join(f"{word}\t{meanings[word]}\n" for word in sorted(meanings, key=str.encode)))


if __name__ == "__main__":
    main()
