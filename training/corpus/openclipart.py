# SPDX-License-Identifier: Apache-2.0
"""openclipart: drawings with a title and keywords in the SVG's metadata. Icon themes, stars, arrows, callouts, cards,
patterns and gradients are left out, and titles that are not English or name a collection are mended or dropped."""

from __future__ import annotations

import html
import re
from pathlib import Path

from captions import Item, stem_words
from common import singular, tidy
from wordnet import WordNet

LEFT_OUT = re.compile(
    r"^(computer/(icons|buttons|folders|diagrams)/|computer/[^/]*$|shapes/|special/|buttons/|logos/|decorations/"
    r"|signs_and_symbols/(led|disability)/|recreation/games/(cards|dice)/|unsorted/duplicates/)")
COLLECTION = re.compile(r"aiga|collection|various|clip ?art|iconset|icon ?set|svg|road signs|map symbols|untitled|"
                        r"unsorted|australian maps|page \d|^image|etiquette|advertising|icons$|"
                        r"^new|^picture|^layer|^drawing", re.I)
NOISE = {"", "hash", "unsorted", "clipart", "clip art", "clip_art", "media", "public domain", "png", "svg", "image",
         "icon", "icons", "icon theme", "theme", "magick", "externalsource", "mapsym", "symbol", "sign", "menu", "special",
         "signs and symbols", "united nations member", "simple", "common", "geometry", "shape", "shapes", "work",
         "architetto francesco rollandin", "computer icon", "appicon", "application", "action", "remixed", "recreation",
         "inkscape", "vector", "cartoon", "color", "colour", "black and white", "bw", "lineart", "line art", "outline"}
BROAD = {"animal", "food", "people", "transport", "transportation", "computer", "tool", "building", "plant", "geography",
         "education", "office", "entertainment", "activity", "festive", "holiday", "science", "hardware", "device",
         "mammal", "europe", "africa", "asia", "america", "sports", "clothing"}
STRAY = {"ganson", "bw", "b", "w", "nicu", "buculei", "architetto", "francesco", "rollandin", "archite", "drawn", "with",
         "straight", "lines", "clipart", "svg", "aiga", "illustration", "icon", "clip", "art", "blueprint", "inv", "vers"}


def items(svg_root: Path, png_root: Path, wordnet: WordNet) -> list[Item]:
    base, pngs = svg_root / "usr/share/openclipart/svg", png_root / "usr/share/openclipart/png"
    known = {lemma.lower() for lemma in wordnet.lemmas()} | {"of", "the", "and", "with", "in", "on", "a", "an", "for"}
    found = []
    for drawing in sorted(base.rglob("*.svg")):
        name = str(drawing.relative_to(base).with_suffix(""))
        if LEFT_OUT.match(name):
            continue
        title, keywords, author = _metadata(drawing)
        italian = bool(re.search(r"archit|francesc|rollandin", f"{name} {author}", re.I))
        keywords = [word for word in keywords if _english(word, known, 1.0)]
        label = _label(title, drawing.stem, known, italian)
        plain = label is not None and len(label.split()) <= 4
        if label is None:
            narrow = [word for word in keywords if word not in BROAD] or keywords
            if not narrow:
                continue
            label = max(narrow, key=len)
        if "flags" in name and "flag" not in label.lower():
            label = f"flag of {label}"
        family = "openclipart/" + re.sub(r"[\d_]+[a-z]?$", "", re.sub(r"_(bw|ganson\d*|bw_ganson)$", "", name))
        files = [str(path) for path in (pngs / (name + ".png"), drawing) if path.exists()]
        found.append(Item(f"openclipart/{name}", "openclipart", "image", files, label, [], keywords, family, plain))
    return found


def _metadata(path: Path) -> tuple[str, list[str], str]:
    text = path.read_text("utf-8", "replace")
    block = re.search(r"<metadata.*?</metadata>", text, re.S)
    if not block:
        return "", [], ""
    title = re.search(r"<dc:title>(.*?)</dc:title>", block[0], re.S)
    author = re.search(r"<dc:creator>.*?<dc:title>(.*?)</dc:title>", block[0], re.S)
    keywords = []
    for entry in re.findall(r"<rdf:li>(.*?)</rdf:li>", block[0], re.S):
        word = tidy(html.unescape(entry)).lower().replace("_", " ")
        if word not in NOISE and not word.startswith("hash(") and word not in keywords:
            keywords.append(word)
    return tidy(html.unescape(title[1])) if title else "", keywords, author[1] if author else ""


def _english(text: str, known: set[str], share: float) -> bool:
    parts = [part for part in re.findall(r"[a-z]+", text.lower()) if len(part) > 1]
    if not parts:
        return False
    hits = sum(part in known or singular(part) in known for part in parts)
    return hits >= share * len(parts)


def _label(title: str, stem: str, known: set[str], italian: bool) -> str | None:
    """A short English name from the title, or from the file's name where the title names a collection."""
    for text, from_file in ((title, False), (stem, True)):
        text = re.sub(r"^clip ?art by [\w. ]+ - ", "", text, flags=re.I)
        if not from_file and (COLLECTION.search(text) or title.lower().startswith("clipart by")):
            continue
        parts = [part for part in stem_words(re.sub(r"\(.*?\)", " ", text)).lower().split() if part not in STRAY]
        if from_file:  # the file's name ends with its author's: keep the words up to the first unknown one
            cut = next((i for i, part in enumerate(parts) if part not in known and singular(part) not in known), None)
            parts = parts[:cut]
        parts = [part for part in parts if len(part) > 1]
        label = " ".join(parts[:6])
        if label and _english(label, known, 1.0 if italian or from_file else 0.6) and label not in BROAD | NOISE:
            return label
    return None
