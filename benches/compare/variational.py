"""One training step of a variational autoregressive network (Wu, Wang and Zhang, PRL 122, 080602 (2019)): the crate against PyTorch.

Masked dense layers with biases and PReLU, the mixture with the mirror image, batch 1000. PyTorch samples as its users do: a full
forward pass for every spin, then one pass with its gradient at s and at -s. Steps of the two programs alternate with the criterion
bench `van` in one run; medians.
"""
import math
import os
import sys
import time

import torch

import criterion

BATCH = 1000


def couplings(name):
    if name == "sk20":
        n = 20
        generator = torch.Generator().manual_seed(1)
        return torch.triu(torch.randn(n, n, generator=generator) / math.sqrt(n), 1)
    l = int(name[1:])
    matrix = torch.zeros(l * l, l * l)
    for row in range(l):
        for column in range(l):
            here = row * l + column
            matrix[here, row * l + (column + 1) % l] += 1
            matrix[here, (row + 1) % l * l + column] += 1
    return matrix


class Layer(torch.nn.Module):
    """Unit (i, c) sees the units of sites up to i, or before i."""

    def __init__(self, n, inputs, outputs, strict):
        super().__init__()
        site_in = torch.arange(n).repeat_interleave(inputs)
        site_out = torch.arange(n).repeat_interleave(outputs)
        allowed = site_in[None, :] < site_out[:, None] if strict else site_in[None, :] <= site_out[:, None]
        self.register_buffer("mask", allowed.float())
        bound = 1 / math.sqrt(n * inputs)
        self.weight = torch.nn.Parameter((torch.rand_like(self.mask) * 2 - 1) * bound * self.mask)
        self.bias = torch.nn.Parameter((torch.rand(n * outputs) * 2 - 1) * bound)

    def forward(self, x):
        return torch.nn.functional.linear(x, self.weight * self.mask, self.bias)


def network(n, depth, width):
    parts, inputs = [], 1
    for k in range(depth):
        last = k == depth - 1
        parts.append(Layer(n, inputs, 1 if last else width, k == 0))
        if not last:
            parts.append(torch.nn.PReLU(n * width, init=0.5))
        inputs = width
    return torch.nn.Sequential(*parts)


def step_seconds(name, depth, width, threads, budget):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    matrix = couplings(name)
    n = len(matrix)
    net = network(n, depth, width)
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)

    def ln_q(s):
        one = lambda t: torch.nn.functional.logsigmoid(net(t) * t).sum(1)
        return torch.logaddexp(one(s), one(-s)) - math.log(2)

    times, begin = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < budget:
        start = time.perf_counter()
        with torch.no_grad():
            s = torch.zeros(BATCH, n)
            for i in range(n):
                s[:, i] = torch.where(torch.rand(BATCH) < torch.sigmoid(net(s)[:, i]), 1.0, -1.0)
            s *= torch.where(torch.rand(BATCH, 1) < 0.5, 1.0, -1.0)
        value = ln_q(s)
        with torch.no_grad():
            loss = value - 0.44 * ((s @ matrix) * s).sum(1)
        ((loss - loss.mean()) * value).mean().backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        adam.zero_grad()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def main():
    budget = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    rows = []
    criterion.run("van", "van_step")
    for name, depth, width in [("sk20", 1, 1), ("l8", 3, 4), ("l16", 3, 4)]:
        for threads in [1, 2]:
            ours = criterion.median_seconds("van_step", f"{name}_made_{depth}_{width}", str(threads))
            theirs = step_seconds(name, depth, width, threads, budget)
            rows.append((name, f"made:{depth}:{width}", threads, ours, theirs))
    print(f"Machine: {criterion.machine()}; load {os.getloadavg()[0]:.1f}; PyTorch {torch.__version__}.\n")
    print("| model | network | threads | variational, ms a step | PyTorch, ms a step | ratio |\n|---|---|---|---|---|---|")
    for name, net, threads, ours, theirs in rows:
        print(f"| {name} | {net} | {threads} | {1e3 * ours:.3g} | {1e3 * theirs:.3g} | {theirs / ours:.1f} |")
        case = f"training step, {net}, {threads} thread{'s' if threads > 1 else ''}"
        criterion.record(case, f"PyTorch {torch.__version__}", ours, theirs, "s", len(couplings(name)), "N")


if __name__ == "__main__":
    main()
