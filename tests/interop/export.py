#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `imprint export` and `imprint label` write, read by others: Python's csv and json, NumPy, OpenTimelineIO for the two cut
lists, pycocotools for labels of images, webvtt-py for labels of videos.

    export.py IMPRINT MODEL SAMPLES      SAMPLES: a folder of media with at least one video
"""
import csv
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import opentimelineio as otio
import webvtt
from pycocotools.coco import COCO

program, model, samples = sys.argv[1:]
rate = 25


def imprint(library: Path, *arguments: str) -> str:
    command = [program, *arguments, "--library", str(library), "--model", model]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def cuts_of(file: Path) -> list[tuple[float, float]]:
    """Start and end of every clip in its source, in seconds, as they are played; they must lie one behind the other."""
    given = {"rate": rate} if file.suffix == ".edl" else {}  # a list of edits does not say it
    read = otio.adapters.read_from_file(str(file), **given)
    if not isinstance(read, otio.schema.Timeline):  # Final Cut's library, event and project
        read = next(iter(read.find_children(descended_from_type=otio.schema.Timeline)))
    placed = []
    for clip in read.find_clips():
        span, track = clip.trimmed_range(), clip.parent()
        # A track that begins later than the first one is read as one that is shifted.
        shift = track.source_range.start_time.to_seconds() if track.source_range else 0
        begins = clip.range_in_parent().start_time.to_seconds() - shift
        placed.append((begins, span.start_time.to_seconds(), span.end_time_exclusive().to_seconds()))
    cuts, at = [], 0.0
    for begins, start, end in sorted(placed):
        assert abs(begins - at) < 1 / rate, (file, begins, at)
        at += end - start
        cuts.append((start, end))
    return cuts


with tempfile.TemporaryDirectory() as folder:
    library, out = Path(folder) / "library", Path(folder)
    imprint(library, "index", samples)
    films = [line for line in csv.DictReader(io.StringIO(imprint(library, "export", "animal", "--kind", "video", "--all")))]
    assert films and all(line["kind"] == "video" for line in films)
    imprint(library, "tag", films[0]["path"], "--label", "a, \"quoted\" label", "--stars", "4")

    question = ["export", "an animal outside", "--all", "--kind", "video,image"]
    for name in ("hits.csv", "hits.jsonl", "hits.npy"):
        imprint(library, *question, "--out", str(out / name))
    table = list(csv.DictReader((out / "hits.csv").open(newline="", encoding="utf-8"), strict=True))
    lines = [json.loads(line) for line in (out / "hits.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(table) == len(lines) > 0
    for record, item in zip(table, lines):
        assert record["path"] == item["path"] and record["kind"] == item["kind"] and record["band"] == item["band"]
        assert (float(record["start"]) if record["start"] else None) == item["start"]
        assert abs(float(record["score"]) - item["score"]) < 1e-6
    vectors = numpy.load(out / "hits.npy")
    ids = [json.loads(line) for line in (out / "hits.ids.jsonl").read_text(encoding="utf-8").splitlines()]
    assert ids == lines
    assert vectors.dtype == numpy.float32 and vectors.shape[0] == len(ids) == len(lines), (vectors.shape, len(ids))
    assert numpy.allclose(numpy.linalg.norm(vectors, axis=1), 1, atol=1e-3)

    labels = list(csv.DictReader(io.StringIO(imprint(library, "export"), newline=""), strict=True))
    assert [(line["path"], line["labels"], line["stars"]) for line in labels] == [(films[0]["path"], "a, \"quoted\" label", "4")]

    wanted = [(item["start"], item["end"]) for item in lines if item["kind"] == "video" and item["start"] is not None]
    for name in ("cuts.edl", "cuts.fcpxml"):
        imprint(library, *question, "--out", str(out / name))
        cuts = cuts_of(out / name)
        assert len(cuts) == len(wanted), (name, len(cuts), len(wanted))
        for (start, end), (in_, out_) in zip(wanted, cuts):
            assert abs(start - in_) <= 1 / rate and abs(end - out_) <= 1.5 / rate, (name, start, end, in_, out_)

    label = ["label", "--set", "scenes", "--confidence", "0"]
    said = json.loads(imprint(library, *label, "--json"))
    imprint(library, *label, "--kind", "image", "--out", str(out / "labels.json"))
    coco = COCO(str(out / "labels.json"))
    pictures = {item["path"]: item["labels"][0]["label"] for item in said["files"] if item["kind"] == "image" and item["labels"]}
    read = {}
    for image in coco.loadImgs(coco.getImgIds()):
        (box,) = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        (category,) = coco.loadCats(box["category_id"])
        assert box["bbox"] == [0, 0, image["width"], image["height"]] and 0 < box["score"] <= 1
        read[image["file_name"]] = category["name"]
    assert read == pictures and read, (read, pictures)
    cues = 0
    for item in said["files"]:
        spans = [(span["start"], span["end"], span["label"]) for span in item["spans"] if span["start"] is not None]
        if not spans:
            continue
        imprint(library, *label, "--in", item["path"], "--out", str(out / "labels.vtt"))
        captions = webvtt.read(str(out / "labels.vtt"))
        assert len(captions) == len(spans), (item["path"], len(captions), len(spans))
        for caption, (start, end, name) in zip(captions, sorted(spans)):
            assert caption.text == name and abs(caption.start_in_seconds - int(start)) <= 1, (caption, start, end, name)
        cues += len(spans)
    assert cues
    print(f"labels: {len(read)} images by pycocotools, {cues} cues by webvtt-py: all as written")
    print(f"export: {len(table)} hits by csv, json and NumPy, {len(wanted)} cuts by OpenTimelineIO from EDL and FCPXML: all as written")
