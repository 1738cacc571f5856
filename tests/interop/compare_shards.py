# SPDX-License-Identifier: Apache-2.0
"""Holds what read_shards prints against what webdataset read: compare_shards.py READ_SHARDS FOLDER."""
import json
import pathlib
import subprocess
import sys

program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
expected = json.loads((folder / "golden.json").read_text())
compared = 0
for which, pattern in (("golden", "golden-*.tar"), ("packed", "packed.tar.gz")):
    shards = sorted(str(path) for path in folder.glob(pattern))
    for extension in sorted({part for row in expected[which] for part in row["parts"]}):
        lines = subprocess.run([program, extension, *shards], check=True, capture_output=True, text=True).stdout.splitlines()
        assert len(lines) == len(expected[which]), (which, extension, len(lines))
        for line, row in zip(map(json.loads, lines), expected[which]):
            if extension in row["parts"]:
                assert (line["key"], line["hex"]) == (row["key"], row["parts"][extension]), (which, line, row["key"])
                compared += 1
            else:
                assert line["error"] == "has no media part", line
print(f"{compared} parts of {len(expected['golden']) + len(expected['packed'])} samples are byte-equal to what webdataset reads")
