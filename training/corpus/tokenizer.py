# SPDX-License-Identifier: Apache-2.0
"""Trains the vocabulary: SentencePiece unigram, 8,000 pieces, NFKC and case folding inside the model."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from common import chance
from texts import Texts

PIECES = 8000
# How often a text of a role is read. Held-out texts and labels of pools are never read.
WEIGHT = {"caption": 5, "class": 3, "lemma": 2, "prompt": 1, "gloss": 1}
GLOSS_SHARE = 0.4


def train(texts: Texts, target: Path, work: Path) -> None:
    import sentencepiece

    with tempfile.TemporaryDirectory(dir=work) as folder:
        with open(Path(folder, "tokenizer.txt"), "w", encoding="utf-8") as handle:
            for text in texts.lines:
                role = texts.role[text]
                if role == "gloss" and chance("tokenizer", text) > GLOSS_SHARE:
                    continue
                handle.write((text + "\n") * WEIGHT.get(role, 0))
        # The model remembers the names it is given: relative ones, so that it says nothing of the machine.
        here = os.getcwd()
        os.chdir(folder)
        os.makedirs("out")
        sentencepiece.SentencePieceTrainer.train(
            input="tokenizer.txt", model_prefix="out/tokenizer", model_type="unigram", vocab_size=PIECES,
            hard_vocab_limit=False, normalization_rule_name="nmt_nfkc_cf", byte_fallback=False, character_coverage=0.9995,
            pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, num_threads=1, minloglevel=1)
        os.chdir(here)
        os.replace(Path(folder, "out/tokenizer.model"), target)
