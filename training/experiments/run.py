#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The paper's findings re-tested at a size that fits: alternating against combined, accumulated and single-task training, and a
mixture of experts against a dense network of equal active parameters.

    python3 training/experiments/run.py OUT [--corpus DIR] [--imprint PROGRAM] [--seeds 3] [--steps 150] [--only VARIANT]…

Takes pictures and sounds with labels from a prepared corpus (training/corpus), holds every fourth of each label out, trains each
variant once per seed by the recipe family base.toml, and writes OUT/results.json and OUT/table.md: per figure the mean over the seeds
with a 95 % interval (Student), and the paired difference to the reference; and OUT/EXPERIMENTS.md, the page that belongs in training/.
All variants draw equally many batches; a combined batch serves two objectives, and an accumulated step draws one for each. Finished
runs are kept: a second call goes on where the first stopped. Needs Pillow (training/corpus/requirements.txt).
"""
import argparse
import collections
import hashlib
import json
import math
import pathlib
import statistics
import subprocess

from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MOST_CLASSES, LEAST_OF_A_CLASS, MOST_SOUNDS = 40, 8, 1200
SIDE = 96  # of the copies of the pictures, at least: what is trained on has 64
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571}  # of 95 %, by the number of seeds

COMMON = {"sparse_layers": 2, "experts": 4, "policy": "alternate", "objectives": ("pictures", "kinds", "sounds")}
VARIANTS = {
    "alternate": {},
    "combine": {"policy": "combine"},
    "accumulate": {"policy": "accumulate"},
    "pictures alone": {"objectives": ("pictures",)},
    "kinds alone": {"objectives": ("kinds",)},
    "sounds alone": {"objectives": ("sounds",)},
    "dense": {"sparse_layers": 0, "experts": 1},
}
REFERENCE = "alternate"
OBJECTIVES = {
    "pictures": 'kind = "nce"\nname = "pictures"\ndatasets = "pictures"\nmodalities = ["vision", "text"]\nresolutions = "64x64"\n',
    "kinds": 'kind = "classify"\nname = "kinds"\ndatasets = "pictures"\nmodalities = "vision"\nresolutions = "64x64"\nclassifier = "kinds"\n',
    "sounds": 'kind = "nce"\nname = "sounds"\ndatasets = "sounds"\nmodalities = ["sound", "text"]\n',
}
BATCH = {"pictures": 32, "kinds": 32, "sounds": 16}
FIGURES = [("kinds-by-text", "top1"), ("kinds-by-probe", "top1"), ("sounds-by-text", "forwards.r10")]


def small_copy(picture, folder):
    """Decoding large pictures would cost more than the network does."""
    path = folder / f"{hashlib.sha256(str(picture).encode()).hexdigest()[:20]}.jpg"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        image = Image.open(picture).convert("RGB")
        scale = SIDE / min(image.size)
        if scale < 1:
            image = image.resize([max(SIDE, round(side * scale)) for side in image.size], Image.LANCZOS)
        image.save(path, quality=92)
    return path


def prepare(corpus, data):
    """Manifests of labelled pictures and sounds; every fourth of a label by its path's hash is held out."""
    texts = (corpus / "texts.txt").read_text().splitlines()
    items = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in (corpus / "items.jsonl").read_text().splitlines():
        item = json.loads(line)
        if item["split"] == "train" and item["kind"] in ("image", "sound") and item["role"] == "pair" and item["label"] and item["texts"]:
            items[item["kind"]][item["label"]].append(item)
    data.mkdir(parents=True, exist_ok=True)
    counts = {}
    for kind, name in (("image", "pictures"), ("sound", "sounds")):
        labels = sorted(items[kind], key=lambda label: (-len(items[kind][label]), label))
        labels = [label for label in labels if len(items[kind][label]) >= (LEAST_OF_A_CLASS if kind == "image" else 2)]
        if kind == "image":
            labels = labels[:MOST_CLASSES]
        else:
            while sum(len(items[kind][label]) for label in labels) > MOST_SOUNDS:
                labels.pop(0)  # the commonest are hundreds of notes of one instrument each
        with open(data / f"{name}.jsonl", "w") as out:
            for label in labels:
                ordered = sorted(items[kind][label], key=lambda item: hashlib.sha256(item["path"].encode()).digest())
                for i, item in enumerate(ordered):
                    path = corpus / item["path"]
                    if kind == "image":
                        path = small_copy(path, data / "pictures")
                    print(json.dumps({"path": str(path), "label": label, "captions": [texts[t] for t in item["texts"]],
                                      "split": "held-out" if i % 4 == 0 else "train"}), file=out)
        counts[name] = {"labels": len(labels), "items": sum(len(items[kind][label]) for label in labels)}
    return counts


def recipe(name, seed, steps, data, classes):
    settings = COMMON | VARIANTS[name]
    objectives = "".join(f"[[objective]]\n{OBJECTIVES[o]}batch = {BATCH[o]}\n\n" for o in settings["objectives"])
    if settings["policy"] == "accumulate":  # every step draws all
        steps = math.ceil(steps / len(settings["objectives"]))
    return (HERE / "base.toml").read_text().format(
        seed=seed, steps=steps, warmup=max(1, steps // 6), name=name.replace(" ", "-"), data=data, classes=classes, objectives=objectives,
        policy=settings["policy"], sparse_layers=settings["sparse_layers"], experts=settings["experts"],
        tokenizer=ROOT / "resources/recipes/english-8k.model", prompts=ROOT / "resources/prompts/picture.txt")


def figures_of(run):
    found = {}
    for line in (run / "metrics.jsonl").read_text().splitlines():
        line = json.loads(line)
        for group, figure in FIGURES:
            if group in line:
                if line[group]["unreadable"]:
                    raise SystemExit(f"{run}: {group} left samples out that took too long to decode; delete the folder and call again")
                found[f"{group} {figure}"] = line[group][figure]
    return found


def interval(values):
    mean = statistics.mean(values)
    if len(values) < 2:
        return mean, None
    return mean, STUDENT[len(values)] * statistics.stdev(values) / math.sqrt(len(values))


def cell(values):
    mean, half = interval([100 * value for value in values])
    return f"{mean:.1f}" + (f" ± {half:.1f}" if half is not None else "")


def table(results, counts, steps):
    names = [f"{group} {figure}" for group, figure in FIGURES]
    lines = [f"{counts['pictures']['items']} pictures of {counts['pictures']['labels']} kinds, {counts['sounds']['items']} sounds; "
             f"{steps} steps' samples; in %, mean ± half of the 95 % interval over {len(next(iter(results.values())))} seeds; "
             f"in brackets the paired difference to \"{REFERENCE}\".", "",
             "| variant | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for variant, seeds in results.items():
        row = []
        for name in names:
            text = cell([seed[name] for seed in seeds])
            if variant != REFERENCE and REFERENCE in results:
                text += f" ({cell([seed[name] - other[name] for seed, other in zip(seeds, results[REFERENCE])])})"
            row.append(text)
        lines.append(f"| {variant} | " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def costs(options, name):
    """Parameters that a token meets, and FLOPs of encoding one item, as `imprint model info` counts them."""
    folder = options.out.resolve() / f"{name.replace(' ', '-')}-1"
    said = subprocess.run([str(options.imprint), "model", "info", "--json", str(folder / f"{name.replace(' ', '-')}.safetensors")],
                          check=True, capture_output=True, text=True).stdout
    info = json.loads(said)
    return info["active_parameters"], info["encoder_parameters"], info["flops"]


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    return f"{model}, {sum(line.startswith('processor') for line in lines)} logical cores"


def commit_of(options):
    return options.commit or subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()


def page(options, results, counts):
    seeds = len(next(iter(results.values())))
    text = f"""# The paper's findings, re-tested at a size that fits

Made by `{pathlib.Path(__file__).relative_to(ROOT)} OUT --seeds {seeds} --steps {options.steps}` (seeds 1 to {seeds}) at commit
{commit_of(options)} on {machine()}. A patch-stem network (`base.toml`, 64 × 64 pictures) learns from labelled pictures and sounds
of the corpus; every fourth item of a label is held out and never trained on. `run.py` says what each variant is.

- *kinds-by-text*: held-out pictures classified by the names of their kinds; *kinds-by-probe*: by a linear probe on the frozen features;
  *sounds-by-text*: R@10 of held-out sounds among {min(300, counts['sounds']['items'])} by their captions.
- *alternate*: each step draws one of three objectives (pictures with captions, kinds of pictures, sounds with captions). *combine*: a
  batch of pictures serves both of its objectives at once, so that each of them sees twice as many as in *alternate*. *accumulate*: each step draws all three and adds their gradients up, in a
  third of the steps. *alone*: all steps go to one objective.
- *dense*: no experts; a token meets as many parameters as in the mixture of {COMMON['experts']}.

{table(results, counts, options.steps)}"""
    if "dense" in results and REFERENCE in results:
        text += "\n| network | parameters a token meets | parameters | MFLOP a picture | MFLOP a sound |\n|---|---|---|---|---|\n"
        for name in (REFERENCE, "dense"):
            active, all_of_them, flops = costs(options, name)
            label = f"mixture of {COMMON['experts']} experts" if name == REFERENCE else "dense"
            text += f"| {label} | {active:,} | {all_of_them:,} | {flops['picture'] / 1e6:.1f} | {flops['sound'] / 1e6:.1f} |\n"
    text += "\n## What they say\n\nBy chance alone about one in twenty of these intervals leaves zero out.\n\n"
    for name, runs in results.items():
        if name == REFERENCE or REFERENCE not in results or len(runs) < 2:
            continue
        for figure in runs[0]:
            mean, half = interval([100 * (a[figure] - b[figure]) for a, b in zip(runs, results[REFERENCE])])
            verdict = "cannot be told apart" if half == 0 or abs(mean) <= half else "is better" if mean > 0 else "is worse"
            text += f"- *{name}* against *{REFERENCE}*, {figure}: {mean:+.1f} ± {half:.1f} points: it {verdict}.\n"
    return text + """
Network, data and steps are as small as they are so that all runs end within 90 minutes on two cores that others use as well. They say
what holds here, not what holds at the paper's size.
"""


def options_of(description, seeds, steps, choices):
    """What both programs of this folder are asked; `choices` are what --only takes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--corpus", type=pathlib.Path, default=pathlib.Path.home() / ".cache/imprint/corpus")
    parser.add_argument("--imprint", type=pathlib.Path, default=ROOT / "build/release/bin/imprint")
    parser.add_argument("--seeds", type=int, default=seeds, choices=range(1, 7))
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--commit", help="what the page names; by default that of this working tree")
    parser.add_argument("--only", action="append", choices=sorted(choices))
    return parser.parse_args()


def main():
    options = options_of(__doc__, 3, 150, VARIANTS)
    data = options.out.resolve() / "data"
    counts = prepare(options.corpus.resolve(), data)
    results = {}
    for seed in range(1, options.seeds + 1):  # a run cut short has whole seeds, which can be compared
        for name in options.only or VARIANTS:
            run = options.out.resolve() / f"{name.replace(' ', '-')}-{seed}"
            if not (run / f"{name.replace(' ', '-')}.safetensors").exists():
                subprocess.run(["rm", "-rf", str(run)], check=True)
                path = options.out / f"{run.name}.toml"
                path.write_text(recipe(name, seed, options.steps, data, counts["pictures"]["labels"]))
                print(f"{name}, seed {seed}", flush=True)
                subprocess.run([str(options.imprint), "train", str(path), "--run", str(run)], check=True, stdout=subprocess.DEVNULL)
            results.setdefault(name, []).append(figures_of(run))
        (options.out / "results.json").write_text(json.dumps({"data": counts, "steps": options.steps, "results": results}, indent=1))
        (options.out / "table.md").write_text(table(results, counts, options.steps))
        (options.out / "EXPERIMENTS.md").write_text(page(options, results, counts))
    print((options.out / "table.md").read_text())


if __name__ == "__main__":
    main()
