# SPDX-License-Identifier: Apache-2.0
"""Samples per second of our training step beside the same network, batch and state in eager PyTorch: step_speed.py STEP_RUNNER
[--steps 6] [--rounds 3] [--threads 2].

The network is step_torch.py's, with the parts that it spells out put as a person would write them for speed: attention through
scaled_dot_product_attention, all experts of a layer at once. Both do a whole step in fp32 (forwards, backwards, clipping, AdamW), by
turns on the same threads, and their losses are of the same state: that the steps agree is step_torch.py's to show. Ends with 1 where
ours is slower.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import safetensors.torch
import torch
import torch.nn.functional as F

from step_torch import Z_WEIGHT, Network, contrast, pooled_texts


class Fast(Network):
    def attention(self, x, block, mask):
        heads, (batch, tokens, width) = self.c["heads"], x.shape
        q, k, v = (F.linear(x, self.p[f"{block}.attention.{m}.kernel"]).view(batch, tokens, heads, -1).transpose(1, 2) for m in "qkv")
        if self.c["qk_norm"]:
            q, k = self.norm(q, block + ".attention.q_norm"), self.norm(k, block + ".attention.k_norm")
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, width)
        return F.linear(y, self.p[block + ".attention.o.kernel"])

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.p[name + ".scale"], self.p.get(name + ".bias"), 1e-6)

    def mixture(self, x, block):
        batch, tokens, width = x.shape
        experts = self.c["experts"]
        logits = x @ self.p[block + ".ffn.router.kernel"].T
        self.z_loss = self.z_loss + logits.logsumexp(-1).square().mean() * self.share
        capacity = min(max(round(self.c["capacity_factor"] * tokens / experts), self.c["min_capacity"]), tokens)
        gate, chosen = logits.softmax(-1).transpose(1, 2).topk(capacity, dim=-1)  # [batch, experts, capacity]
        rows = (chosen + torch.arange(batch)[:, None, None] * tokens).transpose(0, 1).reshape(experts, -1)
        flat = x.reshape(-1, width)
        hidden = F.gelu(flat[rows] @ self.p[block + ".ffn.in.kernel"], approximate="tanh") @ self.p[block + ".ffn.out.kernel"]
        weighted = hidden * gate.transpose(0, 1).reshape(experts, -1, 1)
        return torch.zeros_like(flat).index_add(0, rows.flatten(), weighted.flatten(0, 1)).view(batch, tokens, width)


def loss_of(net, data):
    batch = len(data["pixels"])
    pooled = {"vision": net.vision(data["pixels"], data["kept"], 1.0), "sound": net.sound(data["spectrogram"], 1.0),
              "text": pooled_texts(net, data)}
    total = 0.0
    for a, b, name in (("vision", "sound", "picture_sound"), ("vision", "text", "picture_text"), ("sound", "text", "sound_text")):
        left, right = (net.space(pooled[m], m, other).view(batch, 1, -1) for m, other in ((a, b), (b, a)))
        total = total + contrast(left, right, F.relu(net.p["temperature." + name]) + 1e-6)
    return total / 3 + Z_WEIGHT * net.z_loss


def theirs(path, steps):
    with safetensors.safe_open(path, "pt") as file:
        config = json.loads(file.metadata()["config"])
    data = safetensors.torch.load_file(path)
    parameters = {k.removeprefix("parameter."): v.clone().requires_grad_() for k, v in data.items() if k.startswith("parameter.")}
    optimizer = torch.optim.AdamW(parameters.values(), lr=1e-4, betas=(0.9, 0.99), eps=1e-7, weight_decay=0.05)
    seconds = []
    for _ in range(steps):
        begun = time.perf_counter()
        loss_of(Fast(config, parameters), data).sum().backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), len(data["pixels"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("runner")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    ours, other, batch = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "state.safetensors"
        for _ in range(options.rounds):
            said = subprocess.run([options.runner, str(path), "--time", str(options.steps), str(options.threads)], check=True,
                                  capture_output=True, text=True).stdout
            ours.append(float(said))
            seconds, batch = theirs(path, options.steps)
            other.append(seconds)
    a, b = batch / statistics.median(ours), batch / statistics.median(other)
    print(f"ours {a:.1f} samples/s, eager PyTorch {torch.__version__} {b:.1f} samples/s: {a / b:.2f} times as many, {options.threads} threads")
    return 0 if a >= b else 1


if __name__ == "__main__":
    sys.exit(main())
