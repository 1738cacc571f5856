# SPDX-License-Identifier: Apache-2.0
"""Runs an indexing and prints what became of the corpus: by ending, and by reason. Fails where a file was lost sight of.

usage: table.py CORPUS COMMAND…        the command prints the report of `imprint index --json`
"""
import collections
import json
import pathlib
import resource
import subprocess
import sys

corpus = pathlib.Path(sys.argv[1])
run = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, check=False)
if run.returncode not in (0, 1):
    sys.exit(f"the run ended with {run.returncode}: neither done nor done with failures listed")
report = json.loads(run.stdout)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of the largest process
failed = {item["path"]: item["reason"] for item in report["failed"]}

files = [p for p in corpus.rglob("*") if p.is_file() and not p.is_symlink() and not any(s.startswith(".") for s in p.parts)]
by_ending = collections.defaultdict(lambda: [0, 0])
reasons = collections.Counter()
for path in files:
    row = by_ending[path.suffix.lower() or "(none)"]
    row[0] += 1
    row[1] += str(path) in failed
for reason in failed.values():
    reasons[reason.split(" (")[0].split(":")[0]] += 1

print("| ending | files | refused |\n|---|---|---|")
for ending, (count, refused) in sorted(by_ending.items(), key=lambda item: -item[1][0]):
    print(f"| {ending} | {count} | {refused} |")
print("\n| reason | files |\n|---|---|")
for reason, count in reasons.most_common():
    print(f"| {reason} | {count} |")
passed_over = len(files) - report["files"]
print(
    f"\n{len(files)} files: {report['indexed']} indexed with {report['moments']} moments, {len(failed)} refused with a reason, "
    f"{passed_over} passed over (no media, and not named so); {report['seconds']:.0f} s, "
    f"the largest process took {peak:.0f} MiB"
)
crashed = [path for path, reason in failed.items() if "signal" in reason or "ended with status" in reason]
for path in crashed:
    print(f"crashed: {path}: {failed[path]}")
if report["indexed"] + report["unchanged"] + len(failed) != report["files"] or passed_over < 0:
    sys.exit("some file is neither indexed nor refused")
