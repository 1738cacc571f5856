#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hybrid stem's trunk against ONNX Runtime: the same weights, the same bytes of the same pictures, one thread each,
taking turns. Prints whether they agree and how many images a second each sees.

    trunk_onnx.py CHECKPOINT TRUNK_RUNNER [--seconds S] [--rounds N] [--threads N]

Exit: 0 they agree and ours is at least as fast, 1 not.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ml_dtypes  # noqa: F401  (teaches NumPy the name bfloat16, which safetensors asks for)
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

# Repeats, kernel and stride of each stage, as published for EfficientNet-lite0.
STAGES = [(1, 3, 1), (2, 3, 2), (2, 5, 2), (3, 3, 2), (3, 5, 1), (4, 5, 2), (1, 3, 1)]
SIZES = [(224, 224), (192, 256), (256, 192), (160, 320), (320, 160)]
AGREE = 1e-3  # of the largest value of each output: float32 sums in another order over fifty layers


class Graph:
    """An ONNX graph under construction for pictures of one size."""

    def __init__(self, weights: dict[str, np.ndarray], height: int, width: int):
        self.weights, self.side = weights, [height, width]
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, op: str, *inputs: str, **attributes) -> str:
        self.count += 1
        output = f"x{self.count}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], **attributes))
        return output

    def clamp(self, x: str) -> str:
        return self.add("Clip", x, self.constant(np.float32(0)), self.constant(np.float32(6)))

    def convolution(self, x: str, name: str, weight: np.ndarray, stride: int = 1, group: int = 1) -> str:
        kernel = weight.shape[2]
        before, after = [], []
        for axis, side in enumerate(self.side):  # TensorFlow's "same": the odd row of padding comes last
            out = -(-side // stride)
            padding = max((out - 1) * stride + kernel - side, 0)
            before.append(padding // 2)
            after.append(padding - padding // 2)
            self.side[axis] = out
        return self.add("Conv", x, self.constant(weight), self.constant(self.weights[f"{name}.bias"]),
                        kernel_shape=[kernel, kernel], strides=[stride, stride], pads=before + after, group=group)

    def pointwise(self, x: str, name: str) -> str:
        return self.convolution(x, name, self.weights[f"{name}.weight"][:, :, None, None])

    def depthwise(self, x: str, name: str, stride: int) -> str:
        weight = self.weights[f"{name}.weight"].transpose(2, 0, 1)[:, None]
        return self.convolution(x, name, weight, stride, weight.shape[0])


def trunk_model(weights: dict[str, np.ndarray], height: int, width: int) -> bytes:
    """uint8 [n, height, width, 3] in; map [n, channels, rows, columns] and logits out."""
    graph = Graph(weights, height, width)
    x = graph.add("Cast", "pixels", to=TensorProto.FLOAT)
    x = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    x = graph.add("Sub", x, graph.constant(np.float32(127)))
    x = graph.add("Div", x, graph.constant(np.float32(128)))
    x = graph.clamp(graph.convolution(x, "stem", weights["stem.weight"], 2))
    number = 0
    for repeats, kernel, stride in STAGES:
        for repeat in range(repeats):
            name = f"blocks.{number}"
            assert weights[f"{name}.depthwise.weight"].shape[0] == kernel
            wide = graph.clamp(graph.pointwise(x, f"{name}.expand")) if number else x
            wide = graph.clamp(graph.depthwise(wide, f"{name}.depthwise", 1 if repeat else stride))
            narrow = graph.pointwise(wide, f"{name}.project")
            x = graph.add("Add", narrow, x) if repeat else narrow
            number += 1
    features = graph.clamp(graph.pointwise(x, "head"))
    mean = graph.add("Flatten", graph.add("GlobalAveragePool", features))
    logits = graph.add("Gemm", mean, graph.constant(weights["classifier.weight"]),
                       graph.constant(weights["classifier.bias"]), transB=1)
    classes, channels = weights["classifier.weight"].shape
    outputs = [helper.make_tensor_value_info(features, TensorProto.FLOAT, ["n", channels, *graph.side]),
               helper.make_tensor_value_info(logits, TensorProto.FLOAT, ["n", classes])]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "trunk",
                          [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", height, width, 3])],
                          outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def pictures(count: int, height: int, width: int) -> np.ndarray:
    """Smooth colours with some noise: like photographs, about half of what the network clamps is clamped."""
    random = np.random.default_rng(height)
    coarse = random.integers(0, 256, (count, height // 16, width // 16, 3)).repeat(16, 1).repeat(16, 2)
    return np.clip(coarse + random.normal(0, 12, coarse.shape), 0, 255).astype(np.uint8)


def images_per_second(runtime: onnxruntime.InferenceSession, pixels: np.ndarray, seconds: float,
                      batch: int) -> tuple[float, float]:
    """Of the clock, and of processor time (all threads together), which a busy machine disturbs less."""
    steps = [pixels[i:i + batch] for i in range(0, len(pixels) - batch + 1, batch)]
    runtime.run(None, {"pixels": steps[0]})
    images, start, worked, passed = 0, time.perf_counter(), time.process_time(), 0.0
    while passed < seconds:
        for step in steps:
            runtime.run(None, {"pixels": step})
            images += batch
        passed = time.perf_counter() - start
    return images / passed, images / (time.process_time() - worked)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("runner", type=Path)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()

    with safe_open(arguments.checkpoint, framework="np") as file:
        names = [name for name in file.keys() if name.startswith("trunk.") and not name.endswith(".row_scale")]
        weights = {name.removeprefix("trunk."): file.get_tensor(name).astype(np.float32) for name in names}
        for name in set(file.keys()) & {name + ".row_scale" for name in names}:  # matrices as 8-bit rows
            weights[name.removeprefix("trunk.").removesuffix(".row_scale")] *= file.get_tensor(name)[:, None]
    agree = True
    with tempfile.TemporaryDirectory() as folder:
        given, seen = Path(folder) / "pictures.safetensors", Path(folder) / "seen.safetensors"
        for height, width in SIZES:
            pixels = pictures(3, height, width)
            save_file({"pixels": pixels}, given)
            subprocess.run([arguments.runner, arguments.checkpoint, given, seen], check=True)
            ours = load_file(seen)
            maps, logits = session(trunk_model(weights, height, width), 1).run(None, {"pixels": pixels})
            for name, theirs, mine in [("map", maps.transpose(0, 2, 3, 1), ours["map"]), ("logits", logits, ours["logits"])]:
                error = float(np.abs(theirs - mine).max() / np.abs(theirs).max())
                agree &= mine.shape == theirs.shape and error <= AGREE
                print(f"{height}x{width} {name}: largest difference {error:.1e} of the largest value, {list(mine.shape)}")

        pixels = pictures(16, 224, 224)
        save_file({"pixels": pixels}, given)
        model, threads = trunk_model(weights, 224, 224), arguments.threads
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}
        runtime = session(model, threads)
        rates: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for _ in range(arguments.rounds):  # by turns, so that what else the machine does hits both
            for batch in (1, 8):
                rates.setdefault(("ONNX Runtime", batch), []).append(images_per_second(runtime, pixels, arguments.seconds, batch))
                command = [arguments.runner, arguments.checkpoint, given, str(arguments.seconds), str(batch), str(threads)]
                ours = subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout
                rates.setdefault(("Imprint", batch), []).append(tuple(float(word) for word in ours.split()))
    best = {"ONNX Runtime": [0.0, 0.0], "Imprint": [0.0, 0.0]}
    for (name, batch), rounds in rates.items():
        middle = [statistics.median(column) for column in zip(*rounds)]
        best[name] = [max(pair) for pair in zip(best[name], middle)]
        clock = [pair[0] for pair in rounds]
        print(f"{name}, {threads} thread(s), batch {batch}: {middle[0]:.1f} images/s (of {len(rounds)} rounds "
              f"{min(clock):.1f} to {max(clock):.1f}), {middle[1]:.1f} per second of processor time")
    ratio, processor = (ours / theirs for ours, theirs in zip(best["Imprint"], best["ONNX Runtime"]))
    print(f"onnxruntime {onnxruntime.__version__}: outputs {'agree' if agree else 'DIFFER'}; Imprint / ONNX Runtime, best batch "
          f"of each: {ratio:.2f} by the clock (aim: at least 1), {processor:.2f} by processor time")
    return 0 if agree and ratio >= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
