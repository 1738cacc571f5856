# SPDX-License-Identifier: Apache-2.0
"""Sweet Home 3D's furniture libraries: each model comes with a rendered icon and a name."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from captions import Item, bare
from common import CACHE, tidy

ICONS = CACHE / "corpus-cutouts" / "furniture-source"
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
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(icon))
                label = bare(re.sub(r"\d+$|\(.*?\)", "", name))
                category = tidy(entry.get("category", "")).lower()
                keywords = [] if category in DULL else [category]
                tags = [tidy(tag).lower() for tag in entry.get("tags", "").split(",")]
                keywords += [tag for tag in tags if tag and tag not in DULL]
                if label:
                    found.append(Item(f"furniture/{library.stem}-{number:03d}", "furniture", "image", [str(target)], label,
                                      [], keywords, f"furniture/{library.stem}/{label}"))
    return found


def _entries(properties: str) -> list[tuple[int, dict[str, str]]]:
    rows: dict[int, dict[str, str]] = {}
    for line in properties.splitlines():
        match = re.match(r"(\w+)#(\d+)\s*=\s*(.*)", line)
        if match:
            value = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), match[3])
            rows.setdefault(int(match[2]), {})[match[1]] = value
    return sorted(rows.items())
