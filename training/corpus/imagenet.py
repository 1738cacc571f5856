# SPDX-License-Identifier: Apache-2.0
"""The 1,000 ImageNet classes: their names in the weights' order, the WordNet synset of each, and their texts.

The classes are WordNet 3.0 nouns sorted by offset, so the synsets are found by name with the offsets made to rise."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np

from common import singular
from teacher import TextVectors
from wordnet import WordNet

# Renamed classes, by the name WordNet has for them.
ALIASES = {
    "rooster": "cock", "smooth newt": "common newt", "frilled-necked lizard": "frilled lizard",
    "eastern hog-nosed snake": "hognose snake", "great egret": "american egret", "Japanese Chin": "japanese spaniel",
    "Treeing Walker Coonhound": "walker hound", "Brittany dog": "brittany spaniel", "Dobermann": "doberman",
    "Bullmastiff": "bull mastiff", "St. Bernard": "saint bernard", "Leonberger": "leonberg",
    "Alaskan tundra wolf": "white wolf", "African wild dog": "african hunting dog", "Egyptian Mau": "egyptian cat",
    "longhorn beetle": "long-horned beetle", "gossamer-winged butterfly": "lycaenid",
    "African bush elephant": "african elephant", "clownfish": "anemone fish",
    "military hat (bearskin or shako)": "bearskin", "high-speed train": "bullet train",
    "chain-link fence": "chainlink fence", "coffeemaker": "coffeepot", "infant bed": "crib",
    "espresso machine": "espresso maker", "carved pumpkin": "jack-o'-lantern", "jeans": "jean",
    "slip-on shoe": "loafer", "messenger bag": "mailbag", "tights": "maillot", "one-piece bathing suit": "maillot",
    "graduation cap": "mortarboard", "vespa": "motor scooter", "tent": "mountain tent", "baby pacifier": "nipple",
    "bullock cart": "oxcart", "railroad car": "passenger car", "payphone": "pay-phone", "eraser": "rubber eraser",
    "sneaker": "running shoe", "CRT monitor": "screen", "solar thermal collector": "solar dish",
    "motorboat": "speedboat", "through arch bridge": "steel arch bridge", "scarf": "stole", "couch": "studio couch",
    "swim trunks / shorts": "swimming trunks", "front curtain": "theater curtain",
    "semi-trailer truck": "trailer truck", "vaulted or arched ceiling": "vault", "military aircraft": "warplane",
    "sink": "washbasin", "split-rail fence": "worm fence", "shipwreck": "wreck", "sailboat": "yawl",
    "mountain": "alp", "beach": "seashore", "earth star fungus": "earthstar", "plant pot": "flowerpot",
}


def names(wheel: Path) -> list[str]:
    tree = ast.parse((wheel / "tinyclip/imagenet_zeroshot_data.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.List, ast.Tuple)):
            values = [item.value for item in node.value.elts if isinstance(item, ast.Constant)]
            if len(values) == 1000:
                return values
    raise SystemExit("imgsearch: the list of 1,000 class names is not where it was")


def synsets(classes: list[str], wordnet: WordNet) -> list[int | None]:
    """For each class the offset of its synset, None where its name is in no WordNet noun. Longest rising chain:
    `best[o]` is the best score with the last chosen offset at most o."""
    candidates = [_candidates(name, wordnet) for name in classes]
    offsets = sorted({offset for found in candidates for offset in found})
    rank = {offset: i for i, offset in enumerate(offsets)}
    score = np.zeros(len(offsets) + 1)
    back = np.full((len(classes), len(offsets) + 1), -1, np.int32)
    for i, found in enumerate(candidates):
        new, choice = score.copy(), np.full(len(offsets) + 1, -1, np.int32)
        for offset, weight in found.items():
            at = rank[offset]
            if score[at] + weight > new[at + 1]:
                new[at + 1], choice[at + 1] = score[at] + weight, at
        # prefix maximum, remembering where it came from
        best = 0
        source = np.zeros(len(offsets) + 1, np.int32)
        for at in range(len(offsets) + 1):
            if new[at] > new[best]:
                best = at
            source[at] = best
        score = new[source]
        back[i] = np.where(choice[source] >= 0, choice[source], -source - 1)
    at, chosen = len(offsets), [None] * len(classes)
    for i in range(len(classes) - 1, -1, -1):
        step = back[i][at]
        if step >= 0:
            chosen[i] = offsets[step]
            at = int(step)
        else:
            at = int(-step - 1)
    return chosen


def _candidates(name: str, wordnet: WordNet) -> dict[int, float]:
    found: dict[int, float] = {}
    if name in ALIASES:
        return {offset: 1.0 for offset in wordnet.senses[ALIASES[name]]}
    plain = re.sub(r"\(.*?\)", "", name).strip().lower()
    inside = re.findall(r"\((.*?)\)", name)
    forms = [(plain, 1.0), (plain.replace("-", " "), 1.0), (plain.replace(" ", "-"), 0.9), (plain.replace(" ", ""), 0.9),
             (singular(plain), 0.9)]
    forms += [(part.strip(), 0.9) for part in re.split(r",|\bor\b|/", name.lower())]
    forms += [(text.lower(), 0.6) for text in inside]
    tokens = re.sub(r"[^a-z' -]", "", plain).split()
    forms += [(" ".join(tokens[i:]), 0.4) for i in range(1, len(tokens))]
    forms += [(" ".join(tokens[:i]), 0.4) for i in range(1, len(tokens))]
    for form, weight in forms:
        for offset in wordnet.senses.get(form, ()):
            found[offset] = max(found.get(offset, 0.0), weight)
    return found


def texts(classes: list[str], chosen: list[int | None], wordnet: WordNet) -> list[tuple[str, str, str]]:
    """Three texts of each class: a prompt, its gloss, its three nearest hypernyms."""
    rows = []
    for name, offset in zip(classes, chosen):
        if offset is None:
            rows.append((f"a photo of a {name}", name, name))
            continue
        chain = [wordnet.nouns[parent].lemmas[0] for parent in wordnet.chain(offset)[:3]]
        rows.append((f"a photo of a {name}", f"{name}: {wordnet.nouns[offset].gloss}", ", ".join([name, *chain])))
    return rows


def class_vectors(rows: list[tuple[str, str, str]], vectors: TextVectors) -> np.ndarray:
    """[1000, 384] fp32: the sum of the three texts' vectors, each form centred on its own mean over the classes."""
    total = np.zeros((len(rows), 384), np.float32)
    for form in range(3):
        part = vectors.get([row[form] for row in rows])
        total += part - part.mean(0)
    return total
