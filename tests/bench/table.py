#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One table of all figures: ours, what it is held against in the same run, their ratio, the aim.

    table.py RESULT.json…        Google Benchmark's JSON, and what the others print
"""
import json
import platform
import statistics
import sys
from pathlib import Path

ROWS: list[tuple[str, str, str, str, str]] = []
NOTES: list[str] = []


def row(figure: str, ours: str, other: str, ratio: float | None, aim: str, met: bool | None = None) -> None:
    mark = "" if met is None else " ✓" if met else " ✗"
    ROWS.append((figure, ours, other, "" if ratio is None else f"{ratio:.2f}{mark}", aim))


class Results:
    """Medians over repetitions by name."""

    def __init__(self, document: dict):
        self.runs: dict[str, list[dict]] = {}
        for run in document["benchmarks"]:
            if run.get("run_type") != "aggregate":
                self.runs.setdefault(run["name"].removesuffix("/real_time"), []).append(run)

    def of(self, name: str, field: str = "real_time") -> float:
        return statistics.median(run[field] for run in self.runs[name])

    def starting(self, prefix: str) -> list[str]:
        return [name for name in self.runs if name.startswith(prefix)]


def moe(results: Results) -> None:
    """The bar of 3 stands beside every pair, the ones that no form can reach included: what the experts' products alone
    take bounds each of them, and NOTES says by how much."""
    names = {"Loop": "loop over a stack of experts", "Separate": "loop over separate matrices", "Einsum": "one-hot einsum",
             "Paper": "one-hot einsum in the paper's types"}
    for groups, shape in ((1, "1 × 2,048 tokens"), (8, "8 × 256 tokens")):
        def of(form: str, bits: int, step: str = "forward_backward") -> float:
            return results.of(f"{step}/{form}/groups:{groups}/bits:{bits}")

        label = f"MoE layer, {shape}, forward and backward"
        pairs = [(bits, form, bits) for bits in (32, 16) for form in ("Loop", "Separate", "Einsum")]
        for ours, form, bits in [*pairs, (32, "Paper", 32), (16, "Paper", 32), (16, "Loop", 32), (16, "Separate", 32)]:
            mine, other = of("Ours", ours), of(form, bits)
            kind = "" if form == "Paper" else f", {TYPES[bits]}"
            row(f"{label}, {TYPES[ours]}", f"{mine:.0f} ms", f"{names[form]}{kind} {other:.0f} ms", other / mine, "≥ 3",
                other / mine >= 3)
        for bits in (32, 16):
            floor = results.of(f"products/back:1/bits:{bits}")
            for form in ("Ours", "Separate", "Einsum", "Loop"):
                whole = of(form, bits)
                row(f"share of products, {shape}, {names.get(form, 'ours')}, {TYPES[bits]}", f"{whole:.0f} ms",
                    f"the experts' products alone {floor:.0f} ms", floor / whole, "")
            row(f"{label}, {TYPES[bits]}", f"{of('Ours', bits):.0f} ms",
                f"dense of equal active size {of('Dense', bits):.0f} ms", of("Ours", bits) / of("Dense", bits), "")
            ours, dense = (of(form, bits, "forward") for form in ("Ours", "Dense"))
            row(f"MoE layer, {shape}, forward, {TYPES[bits]}", f"{ours:.0f} ms", f"dense of equal active size {dense:.0f} ms",
                ours / dense, "≤ 1.3", ours / dense <= 1.3)
    ours, fast, one_hot, paper = (results.of(f"forward_backward/{form}/groups:1/bits:{bits}")
                                  for form, bits in (("Ours", 32), ("Ours", 16), ("Einsum", 32), ("Paper", 32)))
    share = results.of("products/back:1/bits:32") / ours
    NOTES.append(f"At the bar's own shape, 2,048 tokens in one group: as each form is run, ours with bf16 products and the one-hot form "
                 f"in the types of the paper's code, the ratio is {paper / fast:.2f}; in one precision, fp32, it is {one_hot / ours:.2f}. "
                 f"There {share:.0%} of our time are the experts' own products, which every form must make, so that 3 would take a "
                 f"one-hot form that spends more than twice as long on its masks as on its experts.")
    tokens, width, hidden, experts = 2048, 768, 3072, 16
    ffn = 12 * tokens * width * hidden
    for group in (2048, 256):
        masks = 5 * 2 * tokens * experts * (group // experts) * width  # two products forwards, three backwards
        NOTES.append(f"Multiplications of the one-hot form in groups of {group}: {(ffn + masks) / ffn:.2f} times those of the "
                     "experts. As far as products decide, no form of the same precision can be faster than it by more.")


TYPES = {32: "fp32", 16: "bf16"}


def encoder(results: Results) -> None:
    for bits, name in ((32, "fp32"), (16, "bf16")):
        for threads in (1, 2):
            key = f"bits:{bits}/threads:{threads}"
            peak = max(results.of(f"product/{shape}/{key}", "FLOP/s") for shape in ("Square", "Tall"))
            batches = [int(name.rsplit(":", 1)[1]) for name in results.starting(f"encoder_base/{key}/")]
            batch = max(batches, key=lambda n: results.of(f"encoder_base/{key}/batch:{n}", "FLOP/s"))
            ours = results.of(f"encoder_base/{key}/batch:{batch}", "FLOP/s")
            items = results.of(f"encoder_base/{key}/batch:{batch}", "items/s")
            row(f"encoder at Base size, {name}, {threads} thread(s), {items:.2f} items/s", f"{ours / 1e9:.0f} GFLOP/s",
                f"matrix product {peak / 1e9:.0f} GFLOP/s", ours / peak, "≥ 0.5" if bits == 16 else "",
                ours / peak >= 0.5 if bits == 16 else None)
    if "avx512_bf16" not in Path("/proc/cpuinfo").read_text():
        NOTES.append("This processor has no bf16 instructions: its bf16 figures are of a path that the program never chooses.")
    one, two, bf16 = (results.of(f"shipped_model/bits:{bits}/threads:{n}", "items/s")
                      for bits, n in ((32, 1), (32, 2), (16, 1)))
    row("shipped model, pictures, two threads", f"{two:.0f}/s", f"one thread {one:.0f}/s", two / one, "")
    row("shipped model, pictures, bf16", f"{bf16:.0f}/s", f"fp32 {one:.0f}/s", bf16 / one, "")
    load = results.of("shipped_model_load") / 1000
    row("shipped model, loading", f"{load:.2f} s", "", None, f"< 0.5 s {'✓' if load < 0.5 else '✗'}")


def loss(results: Results) -> None:
    for form in sorted({name.split("/")[1] for name in results.starting("peak/")}):
        sizes = sorted(int(name.rsplit(":", 1)[1]) for name in results.starting(f"peak/{form}/"))
        first, last = (results.of(f"peak/{form}/batch:{n}", "peak_MiB") for n in (sizes[0], sizes[-1]))
        growth = (last / first) / (sizes[-1] / sizes[0])
        aim = "≤ 1.1 (linear)" if form != "WholeMatrix" else ""
        row(f"contrastive loss ({form}), peak memory at batch {sizes[-1]}", f"{last:.1f} MiB",
            f"batch {sizes[0]}: {first:.1f} MiB × {sizes[-1] // sizes[0]}", growth, aim, growth <= 1.1 if aim else None)


def index(result: dict) -> None:
    row(f"index {result['photos']} photos end to end", f"{result['index_seconds']:.1f} s",
        f"decode alone {result['decode_seconds']:.1f} s + encode alone {result['encode_seconds']:.1f} s",
        result["ratio"], f"≤ {result['ratio_at_most']}", result["ratio"] <= result["ratio_at_most"])
    rate, limit = (result["photos"] / result[f"{what}_seconds"] for what in ("index", "decode"))
    row("photos a second, end to end", f"{rate:.0f}/s", f"decode alone {limit:.0f}/s", rate / limit,
        f"≥ {min(60, limit):.0f}/s", rate >= min(60, limit))
    row("its memory, all processes", f"{result['peak_gib']:.2f} GiB", "", None,
        f"< {result['peak_gib_at_most']} GiB {'✓' if result['peak_gib'] < result['peak_gib_at_most'] else '✗'}")


def video(result: dict) -> None:
    for one in result["videos"]:
        row(f"one frame a second of {result['seconds']} s of 1080p H.264, a keyframe in {one['gop']}, processor time",
            f"{one['ours']:.2f} s", f"ffmpeg {one['ffmpeg']:.2f} s", one["ratio"], f"≤ {result['ratio_at_most']}",
            one["ratio"] <= result["ratio_at_most"])


def search(result: dict) -> None:
    answers = {answer["name"]: answer for answer in result["answers"]}
    others = [answer for answer in answers.values() if not answer["name"].startswith("ours")]
    best_exact = min((a for a in others if "IVF" not in a["name"]), key=lambda a: a["ms"])
    best = min((a for a in others if a["recall"] >= result["recall_at_least"]), key=lambda a: a["ms"])
    for name, other, ratio in (("ours, exact", best_exact, result["exact_ratio"]), ("ours, inverted file", best, result["ratio"])):
        row(f"search {result['rows']:,} moments, {name.removeprefix('ours, ')}, recall@10 {answers[name]['recall']:.3f}",
            f"{answers[name]['ms']:.1f} ms", f"{other['name']} {other['ms']:.1f} ms", ratio, f"≤ {result['ratio_at_most']}",
            ratio <= result["ratio_at_most"] and answers[name]["recall"] >= result["recall_at_least"])


def feedback(result: dict) -> None:
    row(f"an answer judged, {result['moments']:,} moments ranked again", f"{result['slow_ms']:.1f} ms",
        f"median {result['median_ms']:.1f} ms", None,
        f"≤ {result['slow_ms_at_most']} ms {'✓' if result['slow_ms'] <= result['slow_ms_at_most'] else '✗'}")


def memory(result: dict) -> None:
    first, last = result["runs"][0], result["runs"][-1]
    row(f"peak memory of indexing {last['files']:,} small files", f"{last['peak_bytes'] / 2**20:.0f} MiB",
        f"{first['files']:,} files {first['peak_bytes'] / 2**20:.0f} MiB", result["ratio"], f"≤ {result['ratio_at_most']}",
        result["ratio"] <= result["ratio_at_most"])


def engine(result: dict) -> None:
    for one in result["recipes"]:
        for figures, which in ((one["first"], "the first tenth of"), (one, "the rest of")):
            compute = figures["step_seconds"] / (1 + figures["added"])
            held = figures is one
            row(f"training by {one['recipe']}, data and bookkeeping, {which} {one['steps']} steps",
                f"{1000 * figures['added'] * compute:.1f} ms", f"a step's compute {1000 * compute:.0f} ms", figures["added"],
                f"≤ {result['at_most']}" if held else "", figures["added"] <= result["at_most"] if held else None)


def main() -> None:
    for name in sys.argv[1:]:
        document = json.loads(Path(name).read_text())
        kind = Path(name).stem
        plain = {"index": index, "search": search, "video": video, "feedback": feedback, "engine": engine, "memory": memory}
        if kind in plain:
            plain[kind](document)
        else:
            {"moe": moe, "encoder": encoder, "loss": loss}[kind](Results(document))
    head = ("figure", "ours", "held against", "ratio", "aim")
    widths = [max(len(line[i]) for line in [head, *ROWS]) for i in range(len(head))]
    for line in [head, tuple("-" * width for width in widths), *ROWS]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    print(f"\n{model}; load when the table was made: {Path('/proc/loadavg').read_text().split()[0]}", *NOTES, sep="\n")


if __name__ == "__main__":
    main()
