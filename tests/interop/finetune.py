#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is learned from 5 and from 20 examples a class of media that no training step has seen: `imprint finetune` in each of its
modes beside nearest neighbours and scikit-learn's logistic regression on the old model's vectors, on everything that is left over.

    finetune.py IMPRINT CHECKPOINT CORPUS [--counts 5 20] [--modes probe lora full] [--seeds 1] [--sets photos sounds]

CORPUS is the prepared corpus, of which only held-out pools are read. Prints a Markdown table; shares of right answers in percent with
95 % intervals (bootstrap over the files left over), retention in points.
"""
import argparse
import json
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegressionCV
from sklearn.neighbors import KNeighborsClassifier

PROGRAMS = {"keyboards": (0, 2), "guitars": (3, 4), "winds": (7, 8, 9), "synthesizers": (10, 11, 12)}  # General MIDI's, by eights
DRUMS = ("drum", "cowbell", "hi-hat", "bongo")


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def photos(corpus: Path) -> dict[str, list[Path]]:
    """GCompris' photographs by subject."""
    classes = {"fish": "images/fishes", "tools": "images/tools", "renewable energy": "images/renewable", "monuments": "onument",
               "animals": "resource/animals"}
    return {name: sorted(corpus / row["path"] for row in rows(corpus / "pools/photos.jsonl") if part in row["path"])
            for name, part in classes.items()}


def sounds(corpus: Path) -> dict[str, list[Path]]:
    """Notes of FreePats by family, and held-out drums."""
    notes, own = rows(corpus / "pools/notes.jsonl"), rows(corpus / "pools/own_sounds.jsonl")
    found = {name: sorted(corpus / row["path"] for row in notes if row["program"] // 8 in eights) for name, eights in PROGRAMS.items()}
    found["drums"] = sorted(corpus / row["path"] for row in own if any(word in row["label"] for word in DRUMS))
    return found


def vectors(imprint: list[str], model: Path, files: list[Path], folder: Path) -> numpy.ndarray:
    """One unit vector a file: the mean over its moments."""
    said = subprocess.run([*imprint, "embed", *map(str, files), "--json", "--model", str(model), "--library", str(folder / "none")],
                          check=True, capture_output=True, text=True)
    of_file: dict[str, list] = {}
    for item in json.loads(said.stdout)["items"]:
        of_file.setdefault(item["input"], []).append(item["vector"])
    table = numpy.array([numpy.mean(of_file[str(file)], axis=0) for file in files], dtype=numpy.float32)
    return table / numpy.linalg.norm(table, axis=1, keepdims=True)


def interval(right: numpy.ndarray) -> str:
    draws = numpy.random.default_rng(1).choice(right, (2000, len(right))).mean(axis=1)
    low, high = numpy.percentile(100 * draws, (2.5, 97.5))
    return f"{100 * right.mean():.1f} ({low:.0f}–{high:.0f})"


def by_layer(layer: Path, table: numpy.ndarray) -> numpy.ndarray:
    """What a label set's layer answers, among its classes."""
    tensors = load_file(layer)
    kind = "picture" if "picture.weights" in tensors else "sound"
    return (table @ tensors[f"{kind}.weights"].T + tensors[f"{kind}.bias"])[:, :-1].argmax(axis=1)


def measure(options: argparse.Namespace, classes: dict[str, list[Path]], count: int, seed: int, folder: Path) -> dict:
    """Right or wrong for each file left over, by way of learning; and what each mode cost general search."""
    imprint, names = [str(options.imprint)], sorted(classes)
    learned, left = [], []
    for label, name in enumerate(names):
        files = classes[name][:]
        random.Random(f"{name} {seed}").shuffle(files)
        target = folder / "classes" / name
        target.mkdir(parents=True)
        for i, file in enumerate(files[:count]):
            copy = target / f"{i:02d}{file.suffix}"
            shutil.copyfile(file, copy)
            learned.append((copy, label))
        left += [(file, label) for file in files[count:]]
    truth = numpy.array([label for _, label in left])
    known = numpy.array([label for _, label in learned])
    here = vectors(imprint, options.checkpoint, [file for file, _ in learned], folder)
    there = vectors(imprint, options.checkpoint, [file for file, _ in left], folder)
    folds = min(5, count)
    regression = LogisticRegressionCV(Cs=numpy.logspace(-2, 5, 15), cv=folds, class_weight="balanced", scoring="neg_log_loss",
                                      l1_ratios=(0,), max_iter=2000, use_legacy_attributes=False).fit(here, known)
    result = {"nearest neighbour": KNeighborsClassifier(1).fit(here, known).predict(there) == truth,
              "3 nearest": KNeighborsClassifier(3).fit(here, known).predict(there) == truth,
              "scikit-learn": regression.predict(there) == truth}
    for mode in options.modes:
        out = folder / f"{mode}.safetensors"
        said = subprocess.run([*imprint, "finetune", str(folder / "classes"), "--mode", mode, "--out", str(out), "--seed", str(seed),
                               "--model", str(options.checkpoint), "--library", str(folder / "none"), "--json"],
                              check=True, capture_output=True, text=True)
        report = json.loads(said.stdout)
        table = there if mode == "probe" else vectors(imprint, out, [file for file, _ in left], folder)
        result[mode] = by_layer(folder / f"{mode}.layer.safetensors", table) == truth
        report["of"] = mode
        result.setdefault("reports", []).append(report)
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("imprint", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[5, 20])
    parser.add_argument("--modes", nargs="+", default=["probe", "lora", "full"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--sets", nargs="+", default=["photos", "sounds"])
    options = parser.parse_args()
    ways = ["nearest neighbour", "3 nearest", "scikit-learn", *options.modes]
    print("| set, examples of each class | left over | " + " | ".join(ways) + " |\n|" + "---|" * (len(ways) + 2))
    reports = []
    for name in options.sets:
        classes = {"photos": photos, "sounds": sounds}[name](options.corpus)
        for count in options.counts:
            runs = []
            for seed in range(1, options.seeds + 1):
                with tempfile.TemporaryDirectory() as folder:
                    runs.append(measure(options, classes, count, seed, Path(folder)))
            right = {way: numpy.concatenate([run[way] for run in runs]) for way in ways}
            cells = " | ".join(interval(right[way]) for way in ways)
            print(f"| {name}, {len(classes)} classes, {count} | {len(right[ways[0]])} | {cells} |", flush=True)
            reports += [(f"{name}, {count}", report) for run in runs for report in run.get("reports", [])]
    print("\n| run | steps | blend | retention before | loss in points (95 %) | at blend 1 | seconds |\n|---|---|---|---|---|---|---|")
    for name, report in reports:
        kept = report["retention"]
        if kept is None:
            print(f"| {name}, {report['of']} | – | – | – | – | – | {report['seconds']:.1f} |")
            continue
        print(f"| {name}, {report['of']} | {report['steps']} | {report['blend']} | {kept['before']:.1f} | "
              f"{kept['loss']:.1f} ({kept['low']:.1f} to {kept['high']:.1f}) | {report['blends'][0]['retention']['loss']:.1f} | "
              f"{report['seconds']:.0f} |")
    losses = [report["retention"]["loss"] for _, report in reports if report["retention"]]
    assert all(loss <= 2 for loss in losses), losses


main()
