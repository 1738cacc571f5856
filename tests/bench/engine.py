#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What data and bookkeeping add to a training step's compute: engine.py IMPRINT [--steps N], one JSON document for table.py.

Trains two recipes and reads what each step says of itself in metrics.jsonl: its seconds, and the share of them that went neither into
the network nor into the optimiser (waiting for batches, losses, logs); the first tenth of the steps is told apart. The recipes are
tiny-cpu as it is, whose steps are so short that everything else shows and whose media are decoded once, and the same data and
objectives with a network of the paper's Small width that decodes its media anew at every step, as over data larger than memory.
"""
import argparse
import json
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPES = ROOT / "resources/recipes"
SMALL = {"cache_mib": 0, "width": 384, "layers": 6, "heads": 6, "ffn_width": 1536, "sparse_layers": 3, "head_width": 512, "joint_dim": 512}
AT_MOST = 0.10


def small_width(folder):
    text = (RECIPES / "tiny-cpu.toml").read_text()
    for key, value in SMALL.items():
        text = re.sub(rf"^{key} = \d+$", f"{key} = {value}", text, flags=re.MULTILINE)
    text = re.sub(r'"(english-8k\.model|tiny/[^"]+|\.\./[^"]+)"', lambda m: json.dumps(str((RECIPES / m[1]).resolve())), text)
    path = folder / "small-width.toml"
    path.write_text(text)
    return path


def measure(imprint, recipe, run, steps):
    subprocess.run([imprint, "train", str(recipe), "--run", str(run), "--steps", str(steps)], check=True, capture_output=True)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    lines = [line for line in lines if "objective" in line]
    first = len(lines) // 10  # decoders start, and what a cache will hold is decoded for the only time

    def added(some):
        seconds = sum(line["seconds"] for line in some)
        beside = sum(line["seconds"] * line["overhead"] for line in some)
        return {"step_seconds": seconds / len(some), "added": beside / (seconds - beside)}

    return {"recipe": recipe.stem, "steps": len(lines), "first": added(lines[:first])} | added(lines[first:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("imprint")
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        recipes = {"tiny-cpu": (RECIPES / "tiny-cpu.toml", options.steps), "small-width": (small_width(folder), max(12, options.steps // 3))}
        results = [measure(options.imprint, recipe, folder / key, steps) for key, (recipe, steps) in recipes.items()]
    print(json.dumps({"recipes": results, "at_most": AT_MOST}))


if __name__ == "__main__":
    main()
