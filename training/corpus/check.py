# SPDX-License-Identifier: Apache-2.0
"""Checks a finished corpus against its own rules; prints what is wrong and exits with 1 where anything is."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from common import CACHE, read_jsonl, words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, nargs="?", default=CACHE / "corpus")
    root = parser.parse_args().corpus
    wrong: list[str] = []
    texts = (root / "texts.txt").read_text("utf-8").split("\n")[:-1]
    roles = (root / "text_roles.tsv").read_text("utf-8").split("\n")[:-1]
    held = set((root / "pools/heldout_words.txt").read_text("utf-8").split("\n")[:-1])
    items, films = read_jsonl(root / "items.jsonl"), read_jsonl(root / "videos.jsonl")

    def expect(good: bool, message: str) -> None:
        if not good:
            wrong.append(message)

    expect(len(texts) == len(roles) == len(set(texts)), "texts and roles differ in number, or a text stands twice")
    expect(all(text.strip() == text and text for text in texts), "an empty or untidy text")
    for text, role in zip(texts, roles):
        parts = words(text.replace("-", " ").replace("/", " "))
        named = [phrase for n in range(1, 5) for i in range(len(parts) - n + 1)
                 if (phrase := " ".join(parts[i:i + n])) in held]
        expect((role == "heldout") == bool(named), f"{text!r} has role {role} and names {named}")
    for item in items:
        expect((root / item["path"]).is_file(), f"{item['path']} is not there")
        if item["split"] == "train":
            bad = [texts[line] for line in item["texts"] if roles[line] in ("heldout", "pool")]
            expect(not bad, f"{item['path']} trains on {bad}")
        expect("gcompris" not in item["path"].lower(), f"{item['path']} is the held-out source's")
    train = {item["path"] for item in items if item["split"] == "train"}
    for item in films:
        expect(all((root / item["path"] / f"{n}.jpg").is_file() for n in range(item["frames"])), f"{item['path']} lacks a frame")
        bad = [texts[line] for line in item["texts"] if roles[line] in ("heldout", "pool")]
        expect(not bad and bool(item["texts"]), f"{item['path']} trains on {bad}")
    for pool in ("photos", "sounds", "drawings", "own_sounds", "words", "notes"):
        for row in read_jsonl(root / f"pools/{pool}.jsonl"):
            expect((root / row["path"]).is_file(), f"pool {pool}: {row['path']} is not there")
            expect(row["path"] not in train, f"pool {pool}: {row['path']} is trained on")
            expect(0 <= row["text"] < len(texts), f"pool {pool}: {row['path']} has no text")
    for line in (root / "text_pairs.tsv").read_text("utf-8").splitlines():
        a, b, _ = line.split("\t")
        expect("heldout" not in (roles[int(a)], roles[int(b)]), f"a pair names a held-out word: {line}")
    more_pools(root, items, train, expect)
    tensors(root, len(texts), expect)
    for message in wrong[:40]:
        print(message)
    print(f"{len(items):,} items, {len(texts):,} texts: {len(wrong):,} things wrong")
    sys.exit(bool(wrong))


def more_pools(root: Path, items: list[dict], train: set[str], expect) -> None:
    for line in (root / "pairs_image_sound.tsv").read_text("utf-8").splitlines():
        picture, sound, _ = line.split("\t")
        kinds = [(items[int(i)]["kind"], items[int(i)]["split"]) for i in (picture, sound)]
        expect(kinds == [("image", "train"), ("sound", "train")], f"no pair of training items: {line}")
    motion = read_jsonl(root / "pools/motion.jsonl")
    shown = {item["label"] for item in items if item["split"] != "train"}
    for row in motion:
        expect(all((root / row["path"] / f"{n}.jpg").is_file() for n in range(row["frames"])), f"pool motion: {row['path']}")
        expect(row["object"] in shown, f"pool motion: {row['object']} is no held-out thing")
        expect(len(row["asked"]) == 8 and row["text"] in row["asked"], f"pool motion: {row['path']}: not eight ways")
    expect(len(motion) == 8 * len({row["object"] for row in motion}), "pool motion: not every thing moves in every way")
    pictures = 0
    rows = read_jsonl(root / "pools/image_sound.jsonl")
    heard = {word for row in rows if row["kind"] == "sound" for word in row["words"]}
    for row in rows:
        expect((root / row["path"]).is_file() and row["path"] not in train, f"pool image_sound: {row['path']}")
        pictures += row["kind"] == "image"
        expect(row["kind"] == "sound" or row["words"][0] in heard, f"pool image_sound: nothing sounds like {row['path']}")
    whole = json.loads((root / "counts.json").read_text("utf-8"))["limit"] is None
    expect(pictures > 0 or not whole, "pool image_sound: no picture")
    photos = {row["path"]: row for row in read_jsonl(root / "pools/photos.jsonl")}
    for row in read_jsonl(root / "pools/panzoom.jsonl"):
        expect((root / row["path"]).is_file(), f"pool panzoom: {row['path']} is not there")
        for span in row["spans"]:
            photo = photos.get(span["photo"], {})
            expect(photo.get("split") == "report" and photo["text"] == span["text"], f"pool panzoom: {span['photo']}")


def tensors(root: Path, texts: int, expect) -> None:
    import numpy as np
    from safetensors.numpy import load_file

    teacher, concepts = load_file(str(root / "teacher.safetensors")), load_file(str(root / "concepts.safetensors"))
    expect(teacher["vectors"].shape == (texts, 384) and teacher["vectors"].dtype == np.float16, "teacher vectors' shape")
    norms = np.linalg.norm(teacher["vectors"].astype(np.float32), axis=1)
    expect(bool(np.abs(norms - 1).max() < 2e-3), "a teacher vector is not of unit length")
    expect(concepts["class_text"].shape == (1000, 384) and concepts["class_text"].dtype == np.float32, "class_text")
    expect(bool(np.allclose(concepts["query_mean"], teacher["lemma_mean"])), "query_mean is not lemma_mean")
    wanted = load_file(str(root / "query_expansion.safetensors"))
    lines, vectors = wanted["lines"], wanted["vectors"].astype(np.float32)
    expect(len(lines) == len(set(lines.tolist())) == len(vectors) and lines.max() < texts, "the lines of expanded queries")
    expect(bool(np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 2e-3), "an expanded query is not of unit length")


if __name__ == "__main__":
    main()
