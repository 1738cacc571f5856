#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other kinds of network, trained briefly and measured on every pool of `imprint eval`: a mixture of experts against a dense network
of equal active size, both on the given trunks, and a mixture that looks at pixels in place of a given picture trunk.

    python3 training/experiments/kinds.py OUT [--corpus DIR] [--imprint PROGRAM] [--seeds 2] [--steps 120] [--only KIND]…

Writes a part of a prepared corpus under OUT/corpus (links, and lists of its own), trains each kind once per seed from kinds-trunk.toml or
kinds-patch.toml (the latter once, with the mixture's given parts), measures each checkpoint on the whole corpus's pools, and writes
OUT/results.json and OUT/kinds.md, the section that belongs in resources/models/README.md. What is finished is kept: a second call goes on
where the first stopped. Needs numpy and safetensors (training/corpus/requirements.txt).
"""
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import textwrap

import numpy as np
from safetensors.numpy import load_file, save_file

from run import HERE, ROOT, commit_of, machine, options_of

# Of a corpus's training items one in so many takes part: a run's draws do not see more of them anyway.
SHARES = {"pair": 2, "composite": 16, "photo": 8, "video": 3, "sound": 2}
KINDS = {
    "mixture": {"said": "mixture of 6 experts", "recipe": "kinds-trunk.toml", "sparse_layers": 3, "experts": 6},
    "dense": {"said": "dense", "recipe": "kinds-trunk.toml", "sparse_layers": 0, "experts": 1},
    "patches": {"said": "mixture, pixel patches", "recipe": "kinds-patch.toml", "sparse_layers": 3, "experts": 6, "seeds": 1},
}
# Pool and group of `imprint eval`, and what the table calls them.
POOLS = [
    ("photos", "report", "photos"), ("photos", "report, other things", "without sights"), ("drawings", "all", "drawings"),
    ("words", "all", "held-out words"), ("sounds", "report, names a sound", "sounds of another source"),
    ("own_sounds", "all", "sounds of the training sources"), ("notes", "all", "notes"), ("motion", "all", "motion"),
    ("image_sound", "all", "image to sound"), ("panzoom", "all", "text to a span"),
]


def view_of(corpus, view):
    """Writes the part of the corpus that takes part; returns how much that is of what."""
    view.mkdir(parents=True, exist_ok=True)
    lists = ("items.jsonl", "videos.jsonl")
    for entry in corpus.iterdir():
        made = entry.name in lists or entry.name == "pairs_image_sound.tsv" or entry.name.startswith((".", "views-", "middles-"))
        if not made and not (view / entry.name).is_symlink():
            (view / entry.name).symlink_to(entry)
    counts, ids = {}, set()
    for name in lists:
        kept = []
        for line in (corpus / name).read_text().splitlines():
            item = json.loads(line)
            kind = item["role"] if item["kind"] == "image" else item["kind"]
            number = int.from_bytes(hashlib.sha256(item["path"].encode()).digest()[:4], "big")
            if item["split"] == "train" and number % SHARES[kind] == 0:
                kept.append(line)
                counts[kind] = counts.get(kind, 0) + 1
                ids |= {item["id"]} if name == lists[0] else set()
        (view / name).write_text("".join(line + "\n" for line in kept))
    pairs = (corpus / "pairs_image_sound.tsv").read_text().splitlines()
    (view / "pairs_image_sound.tsv").write_text(
        "".join(line + "\n" for line in pairs if {int(part) for part in line.split("\t")[:2]} <= ids))
    return counts


def teach(view, data):
    """What the sentence encoder says of each item's captions together, in the order in which the trainer reads the items."""
    data.mkdir(parents=True, exist_ok=True)
    teacher = load_file(str(view / "teacher.safetensors"))
    vectors, mean = teacher["vectors"], teacher["lemma_mean"]
    items = [json.loads(line) for line in (view / "items.jsonl").read_text().splitlines()]
    for kind, name in (("image", "pictures"), ("sound", "sounds")):
        rows = np.stack([(vectors[item["texts"]].astype(np.float32) - mean).mean(0) for item in items
                         if item["kind"] == kind and item["texts"]])
        save_file({"features": rows / np.linalg.norm(rows, axis=1, keepdims=True)}, str(data / f"{name}.safetensors"))


def kept(path, make):
    """What a file says, which is made where it is not there yet and takes its name when it is whole."""
    if not path.exists():
        partial = path.with_name(path.name + ".part")
        partial.write_text(json.dumps(make()))
        partial.replace(path)
    return json.loads(path.read_text())


def train(options, name, seed, run):
    """Trains a kind anew. Returns the steps and the processor time of one in seconds, start included."""
    out, settings = options.out.resolve(), KINDS[name]
    subprocess.run(["rm", "-rf", str(run)], check=True)
    recipe = out / f"{run.name}.toml"
    recipe.write_text((HERE / settings["recipe"]).read_text().format(
        seed=seed, steps=options.steps, warmup=max(1, options.steps // 15), name=name, corpus=out / "corpus", data=out / "data",
        sparse_layers=settings["sparse_layers"], experts=settings["experts"], stem=out / "mixture-1/mixture.safetensors"))
    print(f"{name}, seed {seed}", flush=True)
    child = subprocess.Popen([str(options.imprint), "train", "--json", str(recipe), "--run", str(run)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{run}: training failed")
    return {"steps": options.steps, "seconds": (used.ru_utime + used.ru_stime) / options.steps}


def output_of(command):
    return json.loads(subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout)


def figures_of(said):
    """By pool: R@1 and R@10 of the model and of chance in per cent, the interval of the model's R@10 over queries, the queries."""
    found = {}
    for pool, group, name in POOLS:
        groups = next(entry["groups"] for entry in said["pools"] if entry["pool"] == pool)
        entry = next(one for one in groups if one["group"] == group and one["labels"] != "raw")
        found[name] = {system: [100 * entry["systems"][system][figure] for figure in ("r1", "r10")] for system in ("model", "chance")}
        found[name]["interval"] = [100 * end for end in entry["systems"]["model"]["r10_interval"]]
        found[name]["queries"] = entry["queries"]
    return found


def cost_of(options, checkpoint):
    info = output_of([options.imprint, "model", "info", "--json", checkpoint])
    return {"active": info["active_parameters"], "blocks": info["encoder_parameters"], "all": info["parameters"],
            "picture": info["flops"]["picture"] / 1e6, "sound": info["flops"]["sound"] / 1e6}


def cell(values, form=".1f"):
    """The mean, and the least and the greatest over the seeds."""
    text = format(statistics.mean(values), form)
    return text + (f" ({min(values):{form}}–{max(values):{form}})" if len(values) > 1 else "")


def tables(results):
    """What each kind reaches, a row a pool; and what it costs, a row a kind."""
    lines = ["| pool, R@1 / R@10 in % | queries | " + " | ".join(KINDS[name]["said"] for name in results) + " | chance |",
             "|---" * (len(results) + 3) + "|"]
    for _, _, pool in POOLS:
        first = next(iter(results.values()))["seeds"][0][pool]
        cells = [" / ".join(cell([seed[pool]["model"][k] for seed in kind["seeds"]]) for k in (0, 1)) for kind in results.values()]
        lines.append("| " + " | ".join([pool, str(first["queries"]), *cells, " / ".join(f"{value:.1f}" for value in first["chance"])]) + " |")
    lines += ["", "| network | seeds | numbers that a token meets in the blocks | in the blocks | in all, trunks included | MFLOP a picture "
              "| MFLOP a sound | processor time a step |", "|---|---|---|---|---|---|---|---|"]
    for name, kind in results.items():
        cost = kind["cost"]
        lines.append(f"| {KINDS[name]['said']} | {len(kind['seeds'])} | {cost['active']:,} | {cost['blocks']:,} | {cost['all']:,} | "
                     f"{cost['picture']:.0f} | {cost['sound']:.0f} | {cell(kind['seconds'], '.2f')} s |")
    return "\n".join(lines) + "\n"


def told_apart(a, b, pool):
    """Whether R@10 of one kind is above that of the other: in every seed, and by more than questions differ (half the mean interval)."""
    ours, theirs = ([seed[pool]["model"][1] for seed in kind["seeds"]] for kind in (a, b))
    half = statistics.mean((seed[pool]["interval"][1] - seed[pool]["interval"][0]) / 2 for kind in (a, b) for seed in kind["seeds"])
    apart = max(ours) < min(theirs) or max(theirs) < min(ours)
    return apart and abs(statistics.mean(ours) - statistics.mean(theirs)) > half


def section(options, results, counts):
    """As it stands in resources/models/README.md."""
    seeds = max(len(kind["seeds"]) for kind in results.values())
    which, over = ("seed 1", "") if seeds == 1 else (f"seeds 1 to {seeds}, pixel patches seed 1 alone",
                                                     ": the mean over the seeds, in brackets the least and the greatest")
    only = "".join(f" --only {name}" for name in results) if len(results) < len(KINDS) else ""
    made = (f"Made by `{(HERE / 'kinds.py').relative_to(ROOT)} OUT --seeds {seeds} --steps {options.steps}{only}` ({which}) at commit "
            f"{commit_of(options)} on {machine()}, beside other work. Each network learned from nothing for {options.steps} steps on the "
            f"same part of the corpus ({counts['pair']:,} pictures, {counts['composite']:,} composites, {counts['photo']:,} photographs, "
            f"{counts['video']:,} films, {counts['sound']:,} sounds) and was measured as the shipped file is, by `imprint eval`{over}. "
            "*Dense* differs from *mixture* in its sparse blocks alone: a token meets as many numbers, but for the router.")
    if "patches" in results:
        made += (" *Pixel patches* has the mixture's blocks and the given sentence encoder, and no picture trunk: it cuts pictures of 96 × 96 "
                 "pixels. It saw no films and no pairs of a picture and a sound, so motion and image to sound were never taught to it.")
    found = ("Told apart is what differs in R@10 between every seed of one and every seed of the other, on average by more than half the "
             "interval over queries. So short a run says nothing of what a network would reach in a long one.")
    for a, b in (("mixture", "dense"), ("mixture", "patches")):
        if a in results and b in results:
            apart = [pool for _, _, pool in POOLS if told_apart(results[a], results[b], pool)]
            found += f" {KINDS[a]['said'].capitalize()} and {KINDS[b]['said']} are told apart on {', '.join(apart) or 'no pool'}."
    made, found = (textwrap.fill(text, 130, break_on_hyphens=False) for text in (made, found))
    return f"## Other kinds of network, trained briefly\n\n{made}\n\n{tables(results)}\n{found}\n"


def main():
    options = options_of(__doc__, 2, 120, KINDS)
    out = options.out.resolve()
    counts = view_of(options.corpus.resolve(), out / "corpus")
    teach(out / "corpus", out / "data")
    results = {}
    for seed in range(1, options.seeds + 1):  # a run cut short has whole seeds, which can be compared
        for name in options.only or KINDS:
            if seed > KINDS[name].get("seeds", options.seeds):
                continue
            run = out / f"{name}-{seed}"
            checkpoint = run / f"{name}.safetensors"
            trained = kept(out / f"{run.name}.train.json", lambda: train(options, name, seed, run))
            if trained["steps"] != options.steps:
                raise SystemExit(f"{run} was trained for {trained['steps']} steps; name another folder, or --steps {trained['steps']}")
            said = kept(out / f"{run.name}.eval.json", lambda: output_of(
                [options.imprint, "eval", "--json", checkpoint, "--corpus", options.corpus.resolve()]))
            entry = results.setdefault(name, {"seeds": [], "seconds": [], "cost": cost_of(options, checkpoint)})
            entry["seeds"].append(figures_of(said))
            entry["seconds"].append(trained["seconds"])
        (out / "results.json").write_text(json.dumps({"data": counts, "steps": options.steps, "results": results}, indent=1))
        (out / "kinds.md").write_text(section(options, results, counts))
    print((out / "kinds.md").read_text())


if __name__ == "__main__":
    main()
