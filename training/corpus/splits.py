# SPDX-License-Identifier: Apache-2.0
"""Which items and words are held out: words by hash, whole families of items by hash, near-duplicates mended."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from captions import Item
from common import chance, digest, say, words
from wordnet import WordNet

INSTANCE_SHARE = 0.12
COMMON = 0.01  # a word that more than this share of the pictures or of the sounds name is never held out
SYNTHETIC = "midi"  # never a test of anything
LONGEST = 4    # words in a held-out lemma


class HeldOutWords:
    """A tenth of the nouns (that are no adjectives) whose commonest sense can be seen or heard. Nouns that name an
    ImageNet class are not among them: the picture trunk has seen those."""

    def __init__(self, wordnet: WordNet, items: list[Item], known: set[str]):
        spared = {" ".join(words(name)) for name in known}
        adjectives = {lemma.lower() for synset in wordnet.synsets if synset.part == "adj" for lemma in synset.lemmas}
        candidates = set()
        for noun in wordnet.senses:
            if noun in adjectives or not re.fullmatch(r"[a-z][a-z' -]{2,}", noun) or not wordnet.is_thing(noun) \
                    or noun.startswith(("a ", "an ")):
                continue
            if digest("word", noun) % 10 == 0:
                parts = " ".join(words(noun))
                if parts not in spared and 0 < len(parts.split()) <= LONGEST:
                    candidates.add(parts)
        self.words = candidates
        common = set()
        for kind in ("image", "sound"):
            real = [item for item in items if item.kind == kind and item.source != SYNTHETIC]
            uses = Counter(word for item in real for word in set(self.named_in(item.naming())))
            common |= {word for word, count in uses.items() if count > max(3, COMMON * len(real))}
        self.words = candidates - common
        say(f"held-out words: {len(self.words):,}; spared as too common: {', '.join(sorted(common)) or 'none'}")

    def named_in(self, text: str) -> list[str]:
        """The held-out words a text names, longest first."""
        parts = words(re.sub(r"[-_/]", " ", text))
        found = []
        for length in range(LONGEST, 0, -1):
            for start in range(len(parts) - length + 1):
                phrase = " ".join(parts[start:start + length])
                if phrase in self.words and phrase not in found:
                    found.append(phrase)
        return found


def first_split(items: list[Item], held: HeldOutWords) -> dict[str, str]:
    """`word` where an item names a held-out word anywhere, else `instance` for a share of the families, else `train`."""
    return {item.key: "word" if held.named_in(item.naming())
            else "instance" if item.source != SYNTHETIC and chance("instance", item.family) < INSTANCE_SHARE
            else "train" for item in items}


def move_near_duplicates(items: list[Item], split: dict[str, str], vectors: np.ndarray, raw: float,
                         centred: float) -> int:
    """Moves to `train` every held-out instance (and its family) that is nearly a training item, until none is.
    vectors: one row an item. Returns how many moved."""
    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    train = np.array([split[item.key] == "train" for item in items])
    if not train.any():
        return 0
    flat = vectors - vectors[train].mean(0)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    moved = 0
    fresh = np.flatnonzero(train)
    while len(fresh):
        pool = np.array([i for i, item in enumerate(items) if split[item.key] == "instance"], int)
        if not len(pool):
            break
        near = ((rows[pool] @ rows[fresh].T).max(1) > raw) | ((flat[pool] @ flat[fresh].T).max(1) > centred)
        families = {items[i].family for i in pool[near]}
        fresh = np.array([i for i in pool if items[i].family in families], int)
        for i in fresh:
            split[items[i].key] = "train"
        moved += len(fresh)
    return moved


def near(vectors: np.ndarray, others: np.ndarray, raw: float, centred: float) -> np.ndarray:
    """For each row whether it is nearly one of `others`; centred on the mean of `vectors`."""
    mean = vectors.mean(0)

    def unit(rows: np.ndarray) -> np.ndarray:
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    return (((unit(vectors) @ unit(others).T).max(1) > raw)
            | ((unit(vectors - mean) @ unit(others - mean).T).max(1) > centred))
