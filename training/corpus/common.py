# SPDX-License-Identifier: Apache-2.0
"""What every stage shares: folders, hash-based choices, JSON lines, atomic writes and progress lines."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imprint"
DEBS = CACHE / "corpus-debs"        # downloaded packages and what they unpack to
VECTORS = CACHE / "corpus-vectors"  # teacher vectors by text: shared by corpora of any size
SEED = "imprint-corpus-1"           # changing it changes every split


def digest(*parts: object) -> int:
    """A 60-bit number that depends on the parts and the seed alone: every choice in the corpus is made with it."""
    text = "\x1f".join([SEED, *map(str, parts)])
    return int(hashlib.sha256(text.encode("utf-8")).hexdigest()[:15], 16)


def chance(*parts: object) -> float:
    """A number in [0, 1) from `digest`."""
    return digest(*parts) / float(16**15)


def sha256_of(path: Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def say(message: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {message}", file=sys.stderr, flush=True)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """The name to write a file under; it takes its own name when all is written. So a file that exists is whole, and one that
    a copy of the folder shares by a hard link is never written into: nor is what a killed run left under the first name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name("part-" + path.name)
    partial.unlink(missing_ok=True)
    yield partial
    partial.replace(path)


def write_text(path: Path, text: str) -> None:
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_bytes(path: Path, data: bytes) -> None:
    with whole(path) as partial:
        partial.write_bytes(data)


def write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def write_jsonl(path: Path, rows: list[dict]) -> None:
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read_jsonl(path: Path) -> list[dict]:
    with open(path, encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def tidy(text: str) -> str:
    """One line, single spaces, no space or stop at the ends."""
    return re.sub(r"\s+", " ", text).strip(" \t\r\n.,;:")


def article(noun: str) -> str:
    return ("an " if noun[:1].lower() in "aeiou" else "a ") + noun


_IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "feet": "foot", "teeth": "tooth",
    "geese": "goose", "mice": "mouse", "leaves": "leaf", "wolves": "wolf", "knives": "knife", "loaves": "loaf",
    "halves": "half", "scarves": "scarf", "shelves": "shelf", "oxen": "ox", "dice": "die", "lives": "life",
    "wives": "wife", "calves": "calf", "elves": "elf", "thieves": "thief",
}
_KEEP = {"bus", "gas", "lens", "glass", "grass", "glasses", "iris", "cactus", "octopus", "walrus", "virus", "species",
         "series", "christmas", "tennis", "chess", "scissors", "trousers", "jeans", "pants", "news", "yes", "this", "is",
         "was", "his", "has", "us", "its", "compass", "dress", "cross", "brass", "class", "moss", "bass", "hibiscus",
         "mars", "venus", "uranus", "texas", "asparagus", "hippopotamus", "rhinoceros", "platypus", "citrus"}


def singular(word: str) -> str:
    """The singular of a lower-case English word by rule; words that only look plural stay."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or word in _KEEP or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes")):
        return word[:-2]
    if word.endswith("oes"):
        return word[:-2]
    return word[:-1]


def plural(word: str) -> str:
    """The plural of an English noun or noun phrase by rule (last word)."""
    head, _, last = word.rpartition(" ")
    back = {value: key for key, value in _IRREGULAR.items()}
    if last in back:
        last = back[last]
    elif re.search(r"[^aeiou]y$", last):
        last = last[:-1] + "ies"
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        last += "es"
    else:
        last += "s"
    return f"{head} {last}" if head else last


def words(text: str) -> list[str]:
    """Lower-case singular words of a text, for the held-out-word rule and for look-ups."""
    return [singular(word) for word in re.findall(r"[a-z0-9']+", text.lower().replace("’", "'"))]
