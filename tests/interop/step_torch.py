# SPDX-License-Identifier: Apache-2.0
"""One training step, written anew in PyTorch from the method's description, against step_runner's: step_torch.py STEP_RUNNER.

The network is a patch-stem mixture of experts; the objectives are the contrast of three modalities with several clips and captions,
a smoothed softmax classifier and a sigmoid one, each with the router's z-loss. Everything in float64: losses and gradients must agree
to 1e-10 of the largest gradient of each tensor.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import safetensors.torch
import torch
import torch.nn.functional as F

Z_WEIGHT, BATCH, CLIPS, CAPTIONS, MARGIN, SMOOTHING = 0.01, 4, 2, 2, 0.1, 0.1
TOLERANCE = 1e-10


class Network:
    def __init__(self, config, parameters):
        defaults = {"qk_norm": True, "min_capacity": 1, "max_group": 2048, "capacity_factor": 1.0, "patch_frames": 4, "patch_size": 16,
                    "sound_patch": 16, "common_space": "joint", "time_buckets": 16, "row_buckets": 32, "column_buckets": 32,
                    "sound_frequency_buckets": 8}
        self.c = defaults | config
        self.p = parameters
        self.dtype = parameters["vision.input.kernel"].dtype
        self.z_loss = 0.0

    def affine(self, x, name):
        return F.linear(x, self.p[name + ".kernel"], self.p[name + ".bias"])

    def norm(self, x, name):
        mean = x.mean(-1, keepdim=True)
        var = (x * x).mean(-1, keepdim=True) - mean * mean
        y = (x - mean) / torch.sqrt(var.clamp_min(0) + 1e-6) * self.p[name + ".scale"]
        return y + self.p[name + ".bias"] if name + ".bias" in self.p else y

    def attention(self, x, block, mask):
        heads, (batch, tokens, width) = self.c["heads"], x.shape
        q, k, v = (F.linear(x, self.p[f"{block}.attention.{m}.kernel"]).view(batch, tokens, heads, -1).transpose(1, 2) for m in "qkv")
        if self.c["qk_norm"]:
            q, k = self.norm(q, block + ".attention.q_norm"), self.norm(k, block + ".attention.k_norm")
        scores = q @ k.transpose(-1, -2) / (width // heads) ** 0.5
        if mask is not None:
            both = (mask[:, None, :, None] & mask[:, None, None, :]).to(x.dtype)
            scores = scores + (both - 1) * 1e10
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, tokens, width)
        return F.linear(y, self.p[block + ".attention.o.kernel"])

    def groups(self, batch, tokens):
        if self.c.get("routing_group", "item") == "item":
            return batch
        every, experts = batch * tokens, self.c["experts"]
        count = max(every // self.c["max_group"], experts)
        while every % count or count % experts:
            count += 1
        return count

    def mixture(self, x, block):
        batch, tokens, width = x.shape
        experts = self.c["experts"]
        grouped = x.reshape(self.groups(batch, tokens), -1, width)
        logits = grouped @ self.p[block + ".ffn.router.kernel"].T
        self.z_loss = self.z_loss + logits.logsumexp(-1).square().mean() * self.share
        gates = logits.softmax(-1)
        capacity = min(max(round(self.c["capacity_factor"] * grouped.shape[1] / experts), self.c["min_capacity"]), grouped.shape[1])
        outputs = []
        for group, gate in zip(grouped, gates):
            out = torch.zeros_like(group)
            for e in range(experts):
                chosen = torch.argsort(gate[:, e], descending=True, stable=True)[:capacity]
                hidden = F.gelu(group[chosen] @ self.p[block + ".ffn.in.kernel"][e], approximate="tanh")
                out = out.index_add(0, chosen, gate[chosen, e, None] * (hidden @ self.p[block + ".ffn.out.kernel"][e]))
            outputs.append(out)
        return torch.stack(outputs).reshape(batch, tokens, width)

    def encode(self, tokens, positions, modality, mask=None, share=1.0):
        """`share`: of the list's items, by which a pass's mean z-loss counts."""
        self.share = share
        x = self.affine(tokens + self.norm(positions, modality + ".position.norm"), modality + ".pre")
        layers, sparse = self.c["layers"], self.c["sparse_layers"]
        for layer in range(layers):
            block = f"encoder.{layer}"
            x = x + self.attention(self.norm(x, block + ".attention.norm"), block, mask)
            y = self.norm(x, block + ".ffn.norm")
            if layer >= layers - sparse:
                x = x + self.mixture(y, block)
            else:
                hidden = F.gelu(F.linear(y, self.p[block + ".ffn.in.kernel"]), approximate="tanh")
                x = x + F.linear(hidden, self.p[block + ".ffn.out.kernel"])
        features = self.affine(self.norm(x, "encoder.norm"), modality + ".post")
        if mask is None:
            return features.mean(1)
        weight = mask.to(x.dtype)[..., None]
        return (features * weight).sum(1) / (weight.sum(1) + 1e-6)

    @staticmethod
    def rows(table, count, buckets):
        return table[[i * buckets // count for i in range(count)]]

    def vision(self, pixels, kept, share):
        f, s = self.c["patch_frames"], self.c["patch_size"]
        batch, frames, height, width, _ = pixels.shape
        t, r, k = frames // f, height // s, width // s
        x = (pixels.to(self.dtype) / 127.5 - 1).view(batch, t, f, r, s, k, s, 3).permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(batch, t * r * k, -1)
        p = self.p
        positions = (self.rows(p["vision.position.time"], t, self.c["time_buckets"])[:, None, None]
                     + self.rows(p["vision.position.row"], r, self.c["row_buckets"])[None, :, None]
                     + self.rows(p["vision.position.column"], k, self.c["column_buckets"])[None, None]).reshape(t * r * k, -1)
        tokens = torch.stack([x[i, kept[i]] for i in range(batch)])
        return self.encode(self.affine(tokens, "vision.input"), positions[kept], "vision", share=share)

    def sound(self, spectrogram, share):
        s = self.c["sound_patch"]
        batch, frames, bands = spectrogram.shape
        x = spectrogram.view(batch, frames // s, s, bands // s, s).transpose(2, 3).reshape(batch, -1, s * s)
        time = self.p["sound.position.time"][: frames // s]
        frequency = self.rows(self.p["sound.position.frequency"], bands // s, self.c["sound_frequency_buckets"])
        positions = (time[:, None] + frequency[None]).reshape(1, -1, self.c["width"])
        return self.encode(self.affine(x, "sound.input"), positions, "sound", share=share)

    def text(self, ids, mask, share):
        tokens = self.p["text.table"][ids] * self.c["width"] ** 0.5
        return self.encode(tokens, self.p["text.position"][: ids.shape[1]][None], "text", mask, share)

    def space(self, pooled, modality, against):
        name = modality + (".head" if self.c["common_space"] == "joint" else ".to_" + against)
        hidden = F.gelu(self.affine(pooled, name + ".hidden"), approximate="tanh")
        x = self.norm(self.affine(hidden, name + ".out"), name + ".norm")
        return x / (x.norm(dim=-1, keepdim=True) + 1e-6)


def contrast(a, b, temperature):
    scores = torch.einsum("imd,jnd->imjn", a, b) / temperature
    own = torch.stack([scores[i, :, i] - MARGIN for i in range(len(a))])
    positive = own.flatten(1).logsumexp(1)
    return ((scores.permute(0, 1, 2, 3).flatten(1).logsumexp(1) - positive).mean()
            + (scores.permute(2, 0, 1, 3).flatten(1).logsumexp(1) - positive).mean()) / 2


def pooled_texts(net, data):
    parts = [data[f"ids.{i}"] for i in range(2) if f"ids.{i}" in data]
    items = sum(len(part) for part in parts)
    batched = net.c.get("routing_group", "item") == "batch"
    out = torch.zeros(items, net.c["width"], dtype=net.dtype)
    for i, ids in enumerate(parts):
        own = net.text(ids, ids != 0 if batched else None, len(ids) / items)
        out = out.index_copy(0, data[f"members.{i}"], own)
    return out


def losses(net, data):
    def nce():
        pooled = {"vision": net.vision(data["pixels"], data["kept"], 1.0), "sound": net.sound(data["spectrogram"], 1.0),
                  "text": pooled_texts(net, data)}
        each = {"vision": CLIPS, "sound": CLIPS, "text": CAPTIONS}
        total = 0.0
        for a, b, name in (("vision", "sound", "picture_sound"), ("vision", "text", "picture_text"), ("sound", "text", "sound_text")):
            left = net.space(pooled[a], a, b).view(BATCH, each[a], -1)
            right = net.space(pooled[b], b, a).view(BATCH, each[b], -1)
            total = total + contrast(left, right, F.relu(net.p["temperature." + name]) + 1e-6)
        return total / 3

    def hot(logits):
        return F.one_hot(data["labels"], logits.shape[1]).double()

    def softmax():
        logits = net.affine(net.vision(data["pixels"], data["kept"], 1.0), "classifier.vision.kinds").view(BATCH, CLIPS, -1).mean(1)
        wanted = hot(logits) * (1 - SMOOTHING) + SMOOTHING / logits.shape[1]
        return -(wanted * logits.log_softmax(-1)).sum(-1).mean()

    def sigmoid():
        logits = net.affine(net.sound(data["spectrogram"], 1.0), "classifier.sound.noises").view(BATCH, CLIPS, -1).mean(1)
        return F.binary_cross_entropy_with_logits(logits, hot(logits))

    return {"nce": nce, "softmax": softmax, "sigmoid": sigmoid}


def check(path):
    with safetensors.safe_open(path, "pt") as file:
        config = json.loads(file.metadata()["config"])
    data = safetensors.torch.load_file(path)
    worst = 0.0
    for name in ("nce", "softmax", "sigmoid"):
        parameters = {k.removeprefix("parameter."): v.clone().requires_grad_() for k, v in data.items() if k.startswith("parameter.")}
        net = Network(config, parameters)
        total = losses(net, data)[name]() + Z_WEIGHT * net.z_loss
        total.sum().backward()
        ours = data[name + ".loss"].item()
        assert abs(ours / total.item() - 1) < TOLERANCE, (name, ours, total.item())
        compared = 0
        for key, parameter in parameters.items():
            mine = data.get(f"{name}.gradient.{key}")
            theirs = parameter.grad
            if theirs is None or not theirs.abs().max():
                assert mine is None or mine.abs().max() == 0, (name, key, "has a gradient here alone")
                continue
            error = ((mine - theirs).abs().max() / theirs.abs().max()).item()
            worst = max(worst, error)
            assert error < TOLERANCE, (name, key, error)
            compared += 1
        print(f"  {name}: loss {ours:.12f}, {compared} gradients")
    return worst


def main():
    with tempfile.TemporaryDirectory() as folder:
        for space in ("joint", "disjoint"):
            for routing in ("item", "batch"):
                out = pathlib.Path(folder) / f"{space}-{routing}.safetensors"
                subprocess.run([sys.argv[1], str(out), space, routing], check=True)
                print(f"{space} space, routing within {'an item' if routing == 'item' else 'groups of the batch'}:")
                print(f"  largest difference {check(out):.1e} of a tensor's largest gradient")


if __name__ == "__main__":
    main()
