# SPDX-License-Identifier: Apache-2.0
"""Sweet Home 3D's furniture libraries: each model comes with a rendered icon and a name, and is rendered from other sides."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from captions import Item, bare
from common import CACHE, tidy, write_bytes

ICONS = CACHE / "corpus-cutouts" / "furniture-source"
MODELS = CACHE / "corpus-cutouts" / "furniture-models"
YAWS, PITCH = (-30, 15, 60, 105), 16  # degrees; the four in turn are a film of the model turning,
PICTURES = (1, 3)                     # and these two are pictures of their own
DULL = {"miscellaneous", "doors and windows", "lights", "blend swap", "scpts", "adjustable"}


def items(root: Path) -> list[Item]:
    found = []
    for library in sorted((root / "usr/share/sweethome3d/furniture").glob("*.sh3f")):
        with zipfile.ZipFile(library) as archive:
            for number, entry in _entries(archive.read("PluginFurnitureCatalog.properties").decode("latin-1")):
                icon, name = entry.get("icon", "").lstrip("/"), entry.get("name", "")
                if not icon or not name:
                    continue
                target = ICONS / f"{library.stem}-{number:03d}{Path(icon).suffix}"
                if not target.exists():
                    write_bytes(target, archive.read(icon))
                label = bare(re.sub(r"\d+$|\(.*?\)", "", name))
                category = tidy(entry.get("category", "")).lower()
                keywords = [] if category in DULL else [category]
                tags = [tidy(tag).lower() for tag in entry.get("tags", "").split(",")]
                keywords += [tag for tag in tags if tag and tag not in DULL]
                if not label:
                    continue
                name, family = f"{library.stem}-{number:03d}", f"furniture/{library.stem}/{label}"
                found.append(Item(f"furniture/{name}", "furniture", "image", [str(target)], label, [], keywords, family))
                model = _model(archive, entry.get("model", "").lstrip("/"), name)
                for n in PICTURES if model else ():
                    found.append(Item(f"furniture-side/{name}-{n}", "furniture-side", "image", [_spec(model, n)], label, [],
                                      keywords, family, plain=False))
    return found


def _spec(model: Path | str, side: int) -> str:
    return f"model:{model}:{YAWS[side]}:{PITCH}"


def sides(item: Item) -> list[tuple[str, str]]:
    """Of an item of this source that is a side of a model: the key and the file of each side, in the order of turning."""
    model = item.files[0].split(":")[1]
    return [(f"{item.key.rpartition('-')[0]}-{n}", _spec(model, n)) for n in range(len(YAWS))]


def _model(archive: zipfile.ZipFile, entry: str, name: str) -> Path | None:
    """Unpacks the folder of a Wavefront model; returns the model's file."""
    if not entry.lower().endswith(".obj") or "/" not in entry:
        return None
    folder = MODELS / name
    if not folder.exists():
        partial, inside = folder.with_name(name + ".part"), entry.rpartition("/")[0] + "/"
        for member in archive.namelist():
            if member.startswith(inside) and not member.endswith("/"):
                write_bytes(partial / member[len(inside):], archive.read(member))
        partial.rename(folder)
    return folder / entry.rpartition("/")[2]


def _entries(properties: str) -> list[tuple[int, dict[str, str]]]:
    rows: dict[int, dict[str, str]] = {}
    for line in properties.splitlines():
        match = re.match(r"(\w+)#(\d+)\s*=\s*(.*)", line)
        if match:
            value = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), match[3])
            rows.setdefault(int(match[2]), {})[match[1]] = value
    return sorted(rows.items())
