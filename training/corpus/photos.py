# SPDX-License-Identifier: Apache-2.0
"""Photographs without captions, from wallpaper packages: backgrounds to paste cut-outs on and pieces for distillation.
Chosen by eye: the packages also hold drawings, gradients and logos."""

from __future__ import annotations

from pathlib import Path

CHOSEN = {
    "plasma-workspace-wallpapers": [
        f"usr/share/wallpapers/{name}/contents/images/2560x1600.jpg"
        for name in ("BytheWater", "ColdRipple", "ColorfulCups", "DarkestHour", "EveningGlow", "FallenLeaf", "Grey",
                     "Kite", "OneStandsOut", "Path", "summer_1am")],
    "mate-backgrounds": [
        f"usr/share/backgrounds/mate/nature/{name}.jpg"
        for name in ("Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird", "RainDrops", "Storm",
                     "TwoWings", "Wood", "YellowFlower")],
    "lomiri-wallpapers-16.04": [
        f"usr/share/backgrounds/{name}.jpg"
        for name in ("Bridge_by_Sander_Klootwijk", "Dragonfly_by_Bolly", "Picture_0B_by_freespace",
                     "Picture_1A_by_freespace", "Wine_by_Jakkub_Mede", "aitzgorri_by_Aitzol_Berasategi",
                     "analogpattern_by_Peter_Nerlich", "free_by_Peter_Nerlich", "friends_by_Aitzol_Berasategi",
                     "greentock_by_Peter_Nerlich", "life_by_Aitzol_Berasategi", "picosdeeuropa_by_Aitzol_Berasategi",
                     "seeding_by_Clements_Engelhardt", "sunset_by_Aitzol_Berasategi")],
    "lomiri-wallpapers-20.04": ["usr/share/backgrounds/Infinite-Sea_by_Aury88.jpg",
                                "usr/share/backgrounds/Kleiber_by_Lukas_Baubkus.jpg"],
}


def files(roots: dict[str, Path]) -> list[Path]:
    found = [roots[package] / name for package, names in CHOSEN.items() for name in names]
    missing = [str(path) for path in found if not path.exists()]
    if missing:
        raise SystemExit("these photographs are not where they were: " + ", ".join(missing))
    return found
