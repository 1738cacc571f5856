# SPDX-License-Identifier: Apache-2.0
"""What the teachers reach together with no training, as an independent check of the engine's figures. Improved ConSE: class
probabilities at temperature 1.5 times centred class texts against query vectors minus the mean of all lemmas. Plain ConSE (Norouzi
et al. 2014): the ten most probable classes times the vectors of "a photo of a X", nothing centred."""

from __future__ import annotations

import numpy as np

TEMPERATURE = 1.5
TOP = 10


def concept_vectors(scores: np.ndarray, class_text: np.ndarray) -> np.ndarray:
    """[n, 1000] class scores to unit vectors [n, 384]."""
    logits = scores / TEMPERATURE
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    rows = p @ class_text
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def plain_concept_vectors(scores: np.ndarray, prompts: np.ndarray) -> np.ndarray:
    """As concept_vectors, of the ten most probable classes alone; prompts: the unit vectors of "a photo of a X", [1000, 384]."""
    best = np.argsort(-scores, axis=1)[:, :TOP]
    logits = np.take_along_axis(scores, best, 1)
    p = np.exp(logits - logits.max(1, keepdims=True))
    rows = (p[:, :, None] * prompts[best]).sum(1)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def figures(labels: list[str], media: np.ndarray, queries: dict[str, np.ndarray], asked: set[str]) -> dict:
    """R@1, R@5, R@10 and the median rank: one query per distinct label asked for, over the whole pool."""
    ranks = []
    for label in sorted(asked):
        order = np.argsort(-(media @ queries[label]), kind="stable")
        ranks.append(next(i for i, row in enumerate(order, 1) if labels[row] == label))
    ranks = np.array(ranks)
    return {"queries": len(ranks), "pool": len(labels), "median_rank": float(np.median(ranks)),
            **{f"r@{k}": round(100 * float((ranks <= k).mean()), 1) for k in (1, 5, 10)}}


def photos(rows: list[dict], scores: np.ndarray, class_text: np.ndarray, lemma_mean: np.ndarray,
           vectors_of) -> dict:
    """Figures on the photograph pool for clean and raw labels, report rows and all rows."""
    media = concept_vectors(scores, class_text)
    result = {}
    for field in ("label", "raw"):
        labels = [row[field] for row in rows]
        distinct = sorted(set(labels))
        vectors = vectors_of(distinct) - lemma_mean
        queries = dict(zip(distinct, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)))
        name = "clean" if field == "label" else "raw"
        result[name] = {
            "report": figures(labels, media, queries, {r[field] for r in rows if r["split"] == "report"}),
            "all": figures(labels, media, queries, set(labels)),
            "all_not_sights": figures(labels, media, queries, {r[field] for r in rows if not r["sight"]})}
    return result
