# SPDX-License-Identifier: Apache-2.0
"""Pictures of 3-D models from any side. A model becomes a cloud of coloured points on its surfaces, and the nearest point
wins a pixel: no graphics driver, the same picture everywhere."""

from __future__ import annotations

import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np

POINTS = 280_000
EDGE = 288
LIGHT = np.array([-0.45, 0.75, 0.5]) / np.linalg.norm([-0.45, 0.75, 0.5])


@lru_cache(maxsize=1)
def cloud(model: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points [n, 3] in a ball of radius 1 around the origin (y is up), unit normals [n, 3], colours [n, 3] in 0 ... 1,
    of a Wavefront OBJ file with its materials. ValueError where there is no surface."""
    import trimesh

    loaded = trimesh.load(model, process=False, force="scene")  # a file of one material would load as a bare mesh
    meshes = [mesh for mesh in loaded.dump() if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces)]
    areas = [float(np.nansum(mesh.area_faces)) for mesh in meshes]
    if not sum(areas) > 0:
        raise ValueError("no surface")
    draws = np.random.default_rng(zlib.crc32(Path(model).name.encode()))
    parts = [_sample(mesh, int(np.ceil(POINTS * area / sum(areas))), draws) for mesh, area in zip(meshes, areas) if area > 0]
    points, normals, colours = (np.concatenate(rows) for rows in zip(*parts))
    low, high = points.min(0), points.max(0)
    points = points - (low + high) / 2
    return points / max(1e-9, float(np.linalg.norm(points, axis=1).max())), normals, colours


def _sample(mesh, count: int, draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    areas = np.nan_to_num(mesh.area_faces)
    faces = np.minimum(np.searchsorted(np.cumsum(areas), draws.random(count) * areas.sum()), len(areas) - 1)
    a, b = draws.random((2, count, 1))
    a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)
    corners = mesh.faces[faces]

    def inside(values: np.ndarray) -> np.ndarray:
        first, second, third = (values[corners[:, i]] for i in range(3))
        return first + a * (second - first) + b * (third - first)

    triangles = mesh.vertices[corners]
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    material, uv = getattr(mesh.visual, "material", None), getattr(mesh.visual, "uv", None)
    image = getattr(material, "image", None)
    if image is not None and uv is not None:
        pixels = np.asarray(image.convert("RGB"))
        place = inside(np.asarray(uv, float)[:, :2]) % 1.0
        across, down = place[:, 0] * (pixels.shape[1] - 1), (1 - place[:, 1]) * (pixels.shape[0] - 1)
        colours = pixels[down.astype(int), across.astype(int)] / 255
    else:
        main = getattr(material, "main_color", None)
        colours = np.broadcast_to(np.asarray(main[:3] if main is not None else (160, 160, 160), float) / 255, (count, 3))
    return inside(mesh.vertices), normals, colours


def view(model: str, yaw: float, pitch: float) -> np.ndarray:
    """[EDGE, EDGE, 4] uint8 with transparency: the model turned by `yaw` and seen from `pitch` degrees above."""
    points, normals, colours = cloud(model)
    yaw, pitch = np.radians(yaw), np.radians(pitch)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    tilt = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    rotation = tilt @ turn
    seen, facing = points @ rotation.T, normals @ rotation.T
    scale = 3.2 / (3.2 - seen[:, 2])  # a camera at 3.2 radii
    flat = seen[:, :2] * scale[:, None]
    flat -= (flat.min(0) + flat.max(0)) / 2
    flat *= (EDGE / 2 - 3) / np.abs(flat).max()
    x, y = (EDGE / 2 + flat[:, 0]).astype(int), (EDGE / 2 - flat[:, 1]).astype(int)
    depth = ((3.2 - seen[:, 2]) * 1e5).astype(np.int64) << 32 | np.arange(len(points))
    nearest = np.full(EDGE * EDGE, np.iinfo(np.int64).max)
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):  # a point covers four pixels, so that surfaces have no holes
        np.minimum.at(nearest, (y + down) * EDGE + x + right, depth)
    hit = nearest < np.iinfo(np.int64).max
    who = nearest[hit] & 0xFFFFFFFF
    light = 0.5 + 0.5 * np.abs(facing[who] @ LIGHT)  # models are open shells with normals either way
    picture = np.zeros((EDGE * EDGE, 4), np.uint8)
    picture[hit, :3] = np.clip(255 * colours[who] * light[:, None] + 12, 0, 255)
    picture[hit, 3] = 255
    return picture.reshape(EDGE, EDGE, 4)


def rendered(spec: str) -> np.ndarray:
    """`view` of "model:FILE:YAW:PITCH"."""
    _, file, yaw, pitch = spec.split(":")
    return view(file, float(yaw), float(pitch))
