# SPDX-License-Identifier: Apache-2.0
"""What is made of items once they are split: several cut-outs on one photograph, mixes of sounds, films, pairs of a picture
and a sound of the same thing, and the pools of films and notes."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import later
import pools
from captions import Item, named, sound_words, sounding
from common import chance, digest, say, words, write_jsonl, write_text

SEVERAL = 1000
FILMS = 1500
TURNTABLES = 300
MOTION_OBJECTS = 20
SOUNDS_A_PICTURE = 6
# Kinds of sound_words.tsv that one can both see and hear.
SEEN_AND_HEARD = {"animal", "instrument", "vehicle", "alarm", "bell", "device", "tool", "machine", "weapon", "weather", "nature"}


class Derived:
    """Works on a `build.Build` between its splits and its texts. `rows` and `films` are lines of items.jsonl and videos.jsonl
    with strings for texts."""

    def __init__(self, build, path_of, cut_of_key):
        self.build, self.path_of, self.cut_of_key = build, path_of, cut_of_key
        self.out, self.limit = build.out, build.limit
        self.rows: list[dict] = []
        self.films: list[dict] = []
        self.motion: list[dict] = []
        self.notes: list[dict] = []
        self.panzoom: list[dict] = []

    def make(self, roots: dict[str, Path]) -> None:
        self.several()
        self.mixes()
        self.moving()
        self.turntables()
        self.motion_pool()
        self.notes = pools.notes(roots["freepats"], self.out, "pools/media/notes")
        self.panzoom = pools.panzoom(self.build.photo_rows, self.out, "pools/media/panzoom", 2 if self.limit else pools.FILMS)

    def cut_of(self, item: Item) -> Path:
        return self.cut_of_key(item.key)

    def _of(self, kind: str, split: str) -> list[Item]:
        return [item for item in self.build.items if item.kind == kind and self.build.split[item.key] == split
                and item.source not in later.SOURCES]

    def _most(self, count: int) -> int:
        return min(count, 2 * self.limit) if self.limit else count

    def _figures(self) -> list[Item]:
        """Training pictures that can be cut out and whose label is a name, in an order that only the seed knows."""
        composed = {item.key for item, _ in self.build.composed}
        return sorted((item for item in self._of("image", "train") if item.key in composed and len(item.label.split()) <= 4),
                      key=lambda item: digest("figures", item.key))

    def several(self) -> None:
        figures, jobs = self._figures(), []
        for n in range(self._most(SEVERAL) if len(figures) > 1 else 0):
            name = f"several-{n:04d}"
            count = 2 + digest(name, "count") % 2
            chosen = [figures[digest(name, i) % len(figures)] for i in range(count)]
            labels = list(dict.fromkeys(item.label for item in chosen))
            if len(labels) < count:
                continue
            texts = [_listed(map(named, labels)), _listed(labels), *labels]
            path = f"media/several/{name}.jpg"
            jobs.append(("several", [str(self.cut_of(item)) for item in chosen], [str(g) for g in self.build.grounds], name,
                         str(self.out / path)))
            self.rows.append(_row(path, "image", "several", "composite", texts[1], texts))
        self._run(jobs, "several at once")

    def mixes(self) -> None:
        import mixes

        real = [item for item in self._of("sound", "train") if item.source != "midi"]
        jobs, rows = [], []
        for item in real:
            for n in range(mixes.VARIANTS):
                name = f"{item.key}#{n}"
                path = re.sub(r"^media/(.*)\.wav$", rf"media/mix/\1-{n}.wav", self.path_of(item))
                company = real[digest(name, "company") % len(real)]
                jobs.append(("variant", str(self.out / self.path_of(item)), str(self.out / self.path_of(company)), name,
                             str(self.out / path)))
                rows.append(_row(path, "sound", item.source, "composite", item.label, self.build.captions_of(item)))
        every = [item for item in real if len(item.label.split()) <= 4]
        for n in range(self._most(mixes.PAIRS) if every else 0):
            name = f"pair-{n:04d}"
            first, second = (every[digest(name, i) % len(every)] for i in range(2))
            if first.label == second.label:
                continue
            texts = [f"{first.label} and {second.label}", f"{second.label} with {first.label}", first.label, second.label]
            path = f"media/mix/{name}.wav"
            jobs.append(("pair", *(str(self.out / self.path_of(item)) for item in (first, second)), name, str(self.out / path)))
            rows.append(_row(path, "sound", "mix", "composite", texts[0], texts))
        self.rows += [row for row, made in zip(rows, self._run(jobs, "mixes of sounds")) if made]

    def moving(self) -> None:
        import motion

        jobs, rows = [], []
        for n, item in enumerate(self._figures()[: self._most(FILMS)]):
            way = list(motion.WAYS)[n % len(motion.WAYS)]
            path = f"media/motion/{way}-{n:04d}"
            jobs.append(("film", str(self.cut_of(item)), [str(g) for g in self.build.grounds], way, f"{item.key}#{way}",
                         str(self.out / path)))
            row = _row(path, "video", item.source, "pair", item.label, motion.captions(item.label, way))
            rows.append({**row, "motion": way, "frames": motion.FRAMES})
        self.films += [row for row, made in zip(rows, self._run(jobs, "moving cut-outs")) if made]

    def turntables(self) -> None:
        import furniture
        import motion

        models = {furniture.sides(item)[0][0]: item for item in self._of("image", "train") if item.source == "furniture-side"}
        jobs, rows = [], []
        for key in sorted(models, key=lambda key: digest("turntable", key))[: self._most(TURNTABLES)]:
            item = models[key]
            sides = [(str(self.cut_of_key(side)), file) for side, file in furniture.sides(item)]
            path = "media/turntable/" + key.rsplit("/", 1)[-1].rpartition("-")[0]
            jobs.append(("turntable", sides, [str(g) for g in self.build.grounds], key, str(self.out / path)))
            row = _row(path, "video", item.source, "pair", item.label, motion.captions(item.label, "turntable"))
            rows.append({**row, "motion": "turntable", "frames": motion.FRAMES})
        self.films += [row for row, made in zip(rows, self._run(jobs, "turntables")) if made]

    def motion_pool(self) -> None:
        """Every way of moving with each of some things that no training item shows."""
        import images
        import motion

        chosen: dict[str, Item] = {}
        for item in sorted(self._of("image", "instance"), key=lambda item: digest("motion", item.key)):
            if len(chosen) == MOTION_OBJECTS:
                break
            if item.plain and item.label not in chosen and len(item.label.split()) <= 2 and images.figure(self.cut_of(item)):
                chosen[item.label] = item
        jobs = []
        for item in chosen.values():
            asked = [motion.captions(item.label, way)[0] for way in motion.WAYS]
            for way, text in zip(motion.WAYS, asked):
                path = f"pools/media/motion/{re.sub('[^a-z]+', '-', item.label.lower())}-{way}"
                jobs.append(("film", str(self.cut_of(item)), [str(g) for g in self.build.grounds], way,
                             f"pool {item.key}#{way}", str(self.out / path)))
                self.motion.append({"path": path, "frames": motion.FRAMES, "label": text, "object": item.label,
                                    "motion": way, "asked": asked, "source": item.source})
        self._run(jobs, "motion pool")

    def _run(self, jobs: list, what: str) -> list:
        made = self.build.parallel(run, jobs, what)
        say(f"{what}: {sum(map(bool, made)):,} of {len(jobs):,}")
        return made

    def add_texts(self) -> None:
        """Tells the table of texts; captions that put together name a held-out word are left out."""
        held, texts = self.build.held, self.build.texts
        for row in self.rows + self.films:
            row["texts"] = [text for text in row["texts"] if not held.named_in(text)]
            for text in row["texts"]:
                texts.add(text, "caption")
        self.rows = [row for row in self.rows if row["texts"]]
        self.films = [row for row in self.films if row["texts"]]
        for row in self.motion:
            for text in row["asked"]:
                texts.add(text, "pool")
        for row in self.notes:
            texts.add(row["label"], "pool")

    def numbered(self, rows: list[dict]) -> list[dict]:
        return [{**row, "texts": [self.build.texts.of(text) for text in row["texts"]]} for row in rows]

    def write(self, rows: list[dict]) -> None:
        """videos.jsonl and the pairs of a picture and a sound. rows: the lines of items.jsonl."""
        films = [{"id": i, **row} for i, row in enumerate(self.numbered(self.films))]
        write_jsonl(self.out / "videos.jsonl", films)
        pairs = seen_and_heard(rows)
        write_text(self.out / "pairs_image_sound.tsv", "".join(f"{a}\t{b}\t{word}\n" for a, b, word in pairs))
        counts = self.build.counts
        counts["videos"] = {way: sum(row["motion"] == way for row in films) for way in sorted({row["motion"] for row in films})}
        counts["pairs_image_sound"] = {"pairs": len(pairs), "pictures": len({a for a, _, _ in pairs}),
                                       "sounds": len({b for _, b, _ in pairs}), "words": len({word for _, _, word in pairs})}
        say(f"videos: {counts['videos']}; pictures with sounds: {counts['pairs_image_sound']}")

    def write_pools(self) -> dict[str, list[dict]]:
        of = self.build.texts.of
        written = {
            "motion": [{**row, "text": of(row["label"]), "asked": [of(text) for text in row["asked"]]} for row in self.motion],
            "notes": [{**row, "text": of(row["label"])} for row in self.notes],
            "panzoom": [{**row, "spans": [{**span, "text": of(span["label"])} for span in row["spans"]]} for row in self.panzoom],
            "image_sound": self.image_sound()}
        for name, rows in written.items():
            write_jsonl(self.out / f"pools/{name}.jsonl", rows)
        names = pools.instruments()
        write_text(self.out / "pools/instruments.tsv", "".join(f"{n}\t{name}\t{of(name)}\n" for n, name in enumerate(names)
                                                              if name in self.build.texts.line))
        return written

    def image_sound(self) -> list[dict]:
        """Held-out pictures, and held-out sounds of things that can be seen: a sound answers a picture whose word is among
        its words."""
        sounds = [{"path": self.path_of(item), "label": item.label.lower(), "source": item.source}
                  for item in self._of("sound", "instance") if item.plain]
        sounds += [{"path": row["path"], "label": row["label"].lower(), "source": "gcompris"} for row in self.build.sound_rows
                   if row["split"] == "report" and row["names_a_sound"]]
        sounds += [{"path": row["path"], "label": row["label"], "source": "freepats"} for row in self.notes if row["note"] == 1]
        for row in sounds:
            row["words"] = seen_words(row["label"])
        sounds = [{**row, "kind": "sound"} for row in sounds if row["words"]]
        pictures = [{"path": self.path_of(item), "label": item.label.lower(), "source": item.source,
                     "words": [shown_word(item.label)], "kind": "image"}
                    for item in self._of("image", "instance") if item.plain and shown_word(item.label)]
        return one_sound_a_word(pictures, sounds)


def one_sound_a_word(pictures: list[dict], sounds: list[dict]) -> list[dict]:
    """The pictures that a sound answers, and the sounds: of a word that a picture shows, one. Were there more, chance alone
    would find one of them among ten."""
    asked, used, kept = {row["words"][0] for row in pictures}, set(), []
    for row in sorted(sounds, key=lambda row: digest("one sound a word", row["path"])):
        answered = asked & set(row["words"])
        if not answered & used:
            used |= answered
            kept.append(row)
    return [row for row in pictures if row["words"][0] in used] + sorted(kept, key=lambda row: row["path"])


def seen_words(label: str) -> list[str]:
    return [word for word in sounding(label.lower()) if sound_words()[word][0] in SEEN_AND_HEARD]


def shown_word(label: str) -> str | None:
    """The word of sound_words.tsv that a picture's label ends with (before "in", "with" and the like)."""
    head = " ".join(words(re.split(r"\s(?:in|with|of|on|for|from|at|to|and|by)\s", label.lower())[0]))
    fitting = [word for word in seen_words(label) if f" {head}".endswith(f" {word}")]
    return max(fitting, key=len) if fitting else None


def seen_and_heard(rows: list[dict]) -> list[tuple[int, int, str]]:
    """Training pictures and, for each, some training sounds of the same thing."""
    by_word = defaultdict(list)
    for row in rows:
        if row["kind"] == "sound" and row["split"] == "train" and row["source"] != "mix":
            for word in seen_words(row["label"]):
                by_word[word].append(row["id"])
    found = []
    for row in rows:
        if row["kind"] == "image" and row["split"] == "train" and row["role"] == "pair":
            word = shown_word(row["label"])
            sounds = sorted(by_word[word], key=lambda sound: digest("heard", row["path"], sound))[:SOUNDS_A_PICTURE]
            found += [(row["id"], sound, word) for sound in sounds]
    return found


def run(job: tuple) -> bool:
    """Makes one thing unless it is there; false where it cannot be made."""
    import images
    import mixes
    import motion

    what, *rest, target = job
    target = Path(target)
    if (target / f"{motion.FRAMES - 1}.jpg").exists() if what in ("film", "turntable") else target.exists():
        return True
    try:
        if what == "several":
            cuts, grounds, name = rest
            images.several([images.figure(Path(cut)) for cut in cuts], [Path(ground) for ground in grounds], name, target)
        elif what == "variant":
            source, company, name = rest
            mixes.variant(Path(source), Path(company), name, target)
        elif what == "pair":
            first, second, name = rest
            mixes.pair(Path(first), Path(second), name, target)
        elif what == "film":
            cut, grounds, way, name = rest
            return motion.film(Path(cut), [Path(ground) for ground in grounds], way, name, target)
        elif what == "turntable":
            sides, grounds, name = rest
            for cut, file in sides:
                images.render(file, Path(cut))
            motion.turntable([Path(cut) for cut, _ in sides], [Path(ground) for ground in grounds], name, target)
        return True
    except ValueError:  # silent
        return False


def _row(path: str, kind: str, source: str, role: str, label: str, texts: list[str]) -> dict:
    return {"path": path, "kind": kind, "source": source, "role": role, "split": "train", "label": label,
            "texts": list(dict.fromkeys(texts))}


def _listed(names) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"
