#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints between Python's safetensors and ours, both ways.

    checkpoint.py IMPRINT CHECKPOINT…

Ours to Python: the library opens each file, sees every tensor, and its sums agree with the account that
`imprint model info` gives. Python to ours: the library writes all of it anew, and `imprint` gives the very same vectors.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import ml_dtypes  # noqa: F401  (teaches NumPy the name bfloat16, which safetensors asks for)
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

TEXTS = ["a dog at a window", "waves", "zwei Vögel"]


def imprint(program: str, *words: str) -> dict:
    return json.loads(subprocess.run([program, *words, "--json"], check=True, capture_output=True, text=True).stdout)


def vectors(program: str, checkpoint: Path) -> list[list[float]]:
    words = [word for text in TEXTS for word in ("--text", text)]
    return [item["vector"] for item in imprint(program, "embed", *words, "--model", str(checkpoint))["items"]]


def check(program: str, checkpoint: Path, folder: Path) -> None:
    with safe_open(checkpoint, framework="np") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    info = imprint(program, "model", "info", str(checkpoint))
    weights = {name: tensor for name, tensor in tensors.items() if tensor.dtype != np.uint8}
    counted = sum(tensor.size for name, tensor in weights.items() if not name.endswith(".row_scale"))  # of 8-bit rows
    assert counted == info["parameters"], "another number of parameters"
    stated = json.loads(metadata["imprint.config"])
    assert all(info["config"][key] == value for key, value in stated.items()), "another configuration"
    assert json.loads(metadata["imprint.provenance"]) == info["provenance"], "another provenance"
    assert all(np.isfinite(tensor.astype(np.float32)).all() for tensor in weights.values()), "a weight that is no number"
    kinds = sorted({str(tensor.dtype) for tensor in tensors.values()})

    again = folder / "again.safetensors"
    save_file(tensors, again, metadata)
    assert vectors(program, again) == vectors(program, checkpoint), "other vectors after Python wrote the file"
    print(f"{checkpoint.name}: {len(tensors)} tensors ({', '.join(kinds)}), {info['parameters']} parameters; "
          "read alike, and after Python wrote it anew the same vectors")


def main() -> None:
    program, *checkpoints = sys.argv[1:]
    assert checkpoints, __doc__
    with tempfile.TemporaryDirectory() as folder:
        for checkpoint in checkpoints:
            check(program, Path(checkpoint), Path(folder))


if __name__ == "__main__":
    main()
