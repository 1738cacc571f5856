# SPDX-License-Identifier: Apache-2.0
"""Glyphs of a font as drawings."""

from __future__ import annotations

from pathlib import Path

from common import write_text


def drawing(font, glyph: str, colour: str, opacity: float = 1.0) -> str:
    """One glyph's outline as an SVG path. colour: as CSS writes it."""
    from fontTools.pens.svgPathPen import SVGPathPen

    glyphs = font.getGlyphSet()
    pen = SVGPathPen(glyphs)
    glyphs[glyph].draw(pen)
    return f'<path fill="{colour}" fill-opacity="{opacity:.2f}" d="{pen.getCommands()}"/>'


def write_svg(font, shapes: list[str], target: Path) -> None:
    """A drawing of one and a half em, so that what hangs out is in; who reads it trims it to what can be seen."""
    em, low = font["head"].unitsPerEm, font["hhea"].descent
    box, margin = round(1.5 * em), round(0.25 * em)
    write_text(target, f'<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512" viewBox="0 0 {box} {box}">'
                       f'<g transform="translate({margin} {box - margin + low}) scale(1 -1)">'
                       f'{"".join(shapes)}</g></svg>\n')
