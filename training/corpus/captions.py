# SPDX-License-Identifier: Apache-2.0
"""What a source says about an item, and the caption strings made from it."""

from __future__ import annotations

import csv
import re
from dataclasses import asdict, dataclass, field
from functools import lru_cache

from common import HERE, article, plural, tidy, words
from wordnet import WordNet

# A noun below one of these (by its commonest sense) may also be called by it. The nearest one counts.
KINDS = ["bird", "insect", "spider", "fish", "shark", "snake", "lizard", "frog", "turtle", "dinosaur", "dog", "cat",
         "horse", "bear", "monkey", "ape", "whale", "rodent", "mammal", "reptile", "shellfish", "animal", "fruit",
         "vegetable", "nut", "bread", "cake", "dessert", "cheese", "meat", "beverage", "food", "flower", "tree",
         "mushroom", "plant", "car", "truck", "train", "boat", "ship", "aircraft", "bicycle", "motor vehicle", "vehicle",
         "musical instrument", "drum", "weapon", "tool", "furniture", "hat", "shoe", "clothing", "jewelry", "toy", "lamp",
         "clock", "computer", "machine", "container", "house", "building", "bridge", "planet", "mountain", "coin"]
# WordNet's commonest sense of these is not what people mean by them.
UNCLEAR = {"male", "female", "queen", "globe", "nut"}


@dataclass
class Item:
    """One picture or sound with what its source says of it. `key` names it for ever; items of one `family` stay on
    one side of every split; `plain` says that the label is good enough to ask for in a pool."""

    key: str
    source: str
    kind: str
    files: list[str]
    label: str
    titles: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    family: str = ""
    plain: bool = True

    def row(self) -> dict:
        return asdict(self)

    def naming(self) -> str:
        """Everything said of the item, for the held-out-word rule."""
        return " ; ".join([self.label, *self.titles, *self.keywords, stem_words(self.key.rsplit("/", 1)[-1])])


def bare(text: str) -> str:
    """Lower case, without a leading article (both text encoders fold case)."""
    return tidy(re.sub(r"^(an?|the|some|this is an?|this is the)\s+", "", tidy(text), flags=re.I)).lower()


def named(noun: str) -> str:
    """With an article where the last word is a singular."""
    last = noun.split()[-1].lower() if noun.split() else ""
    return noun if re.search(r"[^su]s$", last) else article(noun)


class Kinds:
    def __init__(self, wordnet: WordNet):
        self.wordnet = wordnet
        self.offsets = {wordnet.senses[kind][0]: kind for kind in KINDS if kind in wordnet.senses}

    def of(self, label: str) -> str | None:
        """The everyday kind of a label's last word (or whole phrase), where its commonest sense is a thing that has
        one and its second sense is no thing of quite another kind (a truck is a motor vehicle or a hand cart; a crane is
        a bird or a machine)."""
        parts = words(re.split(r"\s(?:in|with|of|on|for|from|at|to|and|by)\s", label)[0])
        for start in range(len(parts)):
            noun = " ".join(parts[start:])
            senses = self.wordnet.senses.get(noun)
            if not senses:
                continue
            first, *second = (self._kind_of(sense) for sense in senses[:2])
            if not first or first == noun or noun in UNCLEAR:
                return None
            return first if all(not kind or self.widest(kind) == self.widest(first) for kind in second) else None
        return None

    def widest(self, kind: str) -> str:
        """The widest everyday kind above a kind ("animal" for "dog"); itself where there is none."""
        above = [self.offsets[offset] for offset in self.wordnet.chain(self.wordnet.senses[kind][0]) if offset in self.offsets]
        return above[-1] if above else kind

    def _kind_of(self, sense: int) -> str | None:
        return next((self.offsets[offset] for offset in self.wordnet.chain(sense) if offset in self.offsets), None)


def caption_strings(item: Item, kinds: Kinds) -> list[str]:
    """The caption lines of an item, the likeliest query first."""
    label = item.label
    captions = [label]
    captions += [title for title in item.titles if title.lower() != label.lower()]
    extra = [word for word in item.keywords if word.lower() not in label.lower()][:5]
    if extra:
        captions.append(f"{label} ({', '.join(extra)})")
    kind = kinds.of(label)
    if item.kind == "image":
        captions += [f"a photo of {named(label)}", f"a drawing of {named(label)}"]
        if kind:
            captions += [f"{label}, {kind}", kind, kinds.widest(kind)]
        if re.fullmatch(r"[a-z]+(?: [a-z]+)?", label) and kind:
            captions.append(plural(label))
    else:
        heard = sound_captions(label)
        captions += [f"the sound of {named(label)}" if kind or heard else f"the sound of {label}", *heard]
    return list(dict.fromkeys(tidy(caption) for caption in captions if tidy(caption)))


# What a kind of sound_words.tsv is called when one searches for any of it.
HEARD = {"animal": ["animal", "animal sound"], "instrument": ["musical instrument", "music"], "music": ["music"],
         "vehicle": ["vehicle"], "weather": ["weather", "nature"], "nature": ["nature"], "human": ["people"],
         "weapon": ["weapon"], "tool": ["tool"], "alarm": ["alarm"], "bell": ["bell"], "machine": ["machine"],
         "device": ["device"], "place": ["background noise"], "monster": ["monster"], "thing": []}
LONGEST_SAID = 5


@lru_cache(maxsize=1)
def sound_words() -> dict[str, tuple[str, list[str], str]]:
    """By word or phrase in the singular: its kind, what people call its sound, and a pattern of labels that mean
    something else by the word. Written from general knowledge, without a look at any pool."""
    with open(HERE / "sound_words.tsv", encoding="utf-8", newline="") as handle:
        return {" ".join(words(row["word"])): (row["kind"], row["said"].split("|"), row["unless"])
                for row in csv.DictReader(handle, delimiter="\t")}


def sounding(label: str) -> list[str]:
    """The words of sound_words.tsv that a label names, in their order there."""
    text = f" {' '.join(words(re.sub(r'[-_/]', ' ', label)))} "
    return [word for word, (_, _, unless) in sound_words().items()
            if f" {word} " in text and not (unless and re.search(unless, label))]


def sound_captions(label: str) -> list[str]:
    said, kinds = [], []
    for word in sounding(label):
        kind, phrases, _ = sound_words()[word]
        said += [word, *phrases]
        kinds += HEARD[kind]
    return [*list(dict.fromkeys(said))[:LONGEST_SAID], *list(dict.fromkeys(kinds))[:2]]


def stem_words(stem: str) -> str:
    """A file name as words: separators, CamelCase and digits gone."""
    stem = re.sub(r"([a-z])([A-Z])", r"\1 \2", stem)
    return tidy(re.sub(r"\d+", " ", re.sub(r"[^A-Za-z0-9]+", " ", stem)))
