# SPDX-License-Identifier: Apache-2.0
"""Writes the tensors of a corpus as safetensors files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from common import whole


def write_tensors(path: Path, tensors: dict[str, np.ndarray], facts: dict[str, str]) -> None:
    """`facts`: what the file says of itself. A trainer that has the old file mapped goes on reading that one."""
    with whole(path) as partial:
        save_file(tensors, str(partial), facts)
