"""spin-models against quimb and cotengra: exact contractions and boundary matrix product states, one thread.

Run after `cargo build --release --example solve`; `boundary` or `exact` as an argument makes one of the two tables. All
times are for ln Z alone and include the search for an order, on both sides: no order is kept from one repetition to the
next. Of the searches of cotengra the table has `greedy` and `auto`, with which quimb answers fastest.
"""
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1", RAYON_NUM_THREADS="1")
import json
import math
import random
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np

import criterion

warnings.filterwarnings("ignore")
import cotengra
import quimb
import quimb.tensor as qtn

BETA = 1.0
SEEDS = range(1, 6)
# 2 GiB a tensor.
WIDEST = 28
MASK = (1 << 64) - 1


def signs(seed):
    """The generator of `Ising::plus_minus_splitmix`."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield 1 if (z ^ (z >> 31)) >> 63 else -1


def lattice(*sides, seed=1):
    """±J couplings with free boundaries, site by site, the last direction first."""
    n = math.prod(sides)
    strides = [math.prod(sides[d + 1 :]) for d in range(len(sides))]
    draw = signs(seed)
    couplings = []
    for i in range(n):
        for d in reversed(range(len(sides))):
            if i // strides[d] % sides[d] + 1 < sides[d]:
                couplings.append((i, i + strides[d], next(draw)))
    return n, couplings


def regular(n, seed):
    """A random 3-regular graph by pairing, with ±J couplings."""
    draw = random.Random(seed)
    while True:
        stubs = [i for i in range(n) for _ in range(3)]
        draw.shuffle(stubs)
        edges = {(min(p), max(p)) for p in zip(stubs[::2], stubs[1::2]) if p[0] != p[1]}
        if 2 * len(edges) == 3 * n:
            return n, [(i, j, draw.choice([-1, 1])) for i, j in sorted(edges)]


def answers(model, *flags, repeats=5):
    n, couplings = model
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(f"{n} {len(couplings)}\n" + "".join(f"{i + 1} {j + 1} {w}\n" for i, j, w in couplings))
        file.flush()
        command = [criterion.TARGET / "release/examples/solve", file.name, "--beta", str(BETA), "--json", "--only-ln-z", *flags]
        lines = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(repeats)]
    return sorted((json.loads(line) for line in lines), key=lambda answer: answer["seconds"])


def ours(model, *flags, repeats=5):
    best = answers(model, *flags, repeats=repeats)[0]
    return best["ln_z"], best["seconds"]


def logarithm(value):
    return math.log(abs(value[0])) + value[1] * math.log(10)


def hyper_network(model):
    """Couplings as tensors, spins as legs of any number of them."""
    bond = {s: np.exp(BETA * s * np.array([[1.0, -1.0], [-1.0, 1.0]])) for s in (1, -1)}
    return qtn.TensorNetwork([qtn.Tensor(bond[w], inds=(f"s{i}", f"s{j}")) for i, j, w in model[1]])


def square_network(l, seed):
    """Spins as tensors, couplings as legs of dimension 2; the form that `contract_boundary` takes."""
    bonds = {(i, j): w for i, j, w in lattice(l, l, seed=seed)[1]}
    half = np.array([[math.sqrt(math.cosh(BETA)), s * math.sqrt(math.sinh(BETA))] for s in (1, -1)])
    tensors = []
    for r in range(l):
        for c in range(l):
            factors, legs = [], []
            for name, first, second in [
                (f"h{r},{c}", (r, c), (r, c + 1)),
                (f"h{r},{c - 1}", (r, c - 1), (r, c)),
                (f"v{r},{c}", (r, c), (r + 1, c)),
                (f"v{r - 1},{c}", (r - 1, c), (r, c)),
            ]:
                sign = bonds.get((first[0] * l + first[1], second[0] * l + second[1]))
                if min(first) < 0 or max(second) >= l or sign is None:
                    continue
                factors.append(half if first == (r, c) else half * [1, sign])
                legs.append(name)
            letters = "abcd"[: len(factors)]
            data = np.einsum(",".join("s" + x for x in letters) + "->" + letters, *factors)
            tensors.append(qtn.Tensor(data, inds=legs, tags=[f"I{r},{c}", f"X{r}", f"Y{c}"]))
    network = qtn.TensorNetwork(tensors)
    tags = dict(site_tag_id="I{},{}", x_tag_id="X{}", y_tag_id="Y{}")
    return qtn.TensorNetwork2D.from_TN(network, Lx=l, Ly=l, **tags)


def exact_instances():
    return [
        ("square 16 x 16", lattice(16, 16)),
        ("square 24 x 24", lattice(24, 24)),
        ("ladder 2 x 200", lattice(2, 200)),
        ("ladder 4 x 64", lattice(4, 64)),
        ("cubic 4 x 4 x 8", lattice(4, 4, 8)),
        ("cubic 4 x 4 x 16", lattice(4, 4, 16)),
        ("random 3-regular, N = 100", regular(100, 1)),
        ("random 3-regular, N = 200", regular(200, 1)),
    ]


def searches():
    """New ones each time: they remember the orders they have found."""
    return {"greedy": cotengra.GreedyOptimizer(), "auto": cotengra.AutoOptimizer(cache=False)}


def quimb_exact(network, search):
    """ln Z, seconds, widths and multiplications as binary logarithms. Networks too large for memory are not contracted."""
    start = time.perf_counter()
    tree = network.contraction_tree(optimize=searches()[search], output_inds=())
    value = None
    if tree.contraction_width() <= WIDEST:
        value = logarithm(network.contract(all, output_inds=(), optimize=tree, strip_exponent=True))
    seconds = time.perf_counter() - start
    return value, seconds, tree.contraction_width(), math.log2(tree.contraction_cost())


def exact():
    print("\n| instance | program | seconds | log2 multiplications | log2 largest tensor | ratio to spin-models |")
    print("|---|---|---|---|---|---|")
    # Compiles what quimb compiles at the first call.
    for search in searches():
        quimb_exact(hyper_network(lattice(3, 3)), search)
    for name, model in exact_instances():
        best = answers(model, "--method", "tensor-network", "--cost", "--memory", "2048", repeats=3)[0]
        value, seconds = best["ln_z"], best["seconds"]
        width, flops = best["log2_largest_tensor"], best["log2_multiplications"]
        print(f"| {name} | spin-models | {seconds:.3g} | {flops:.1f} | {width:.0f} | 1 |", flush=True)
        network = hyper_network(model)
        for search in searches():
            runs = [quimb_exact(network, search)]
            if runs[0][1] < 20:
                runs.append(quimb_exact(network, search))
            peer, peer_seconds, width, flops = min(runs, key=lambda run: (run[0] is None, run[1]))
            if peer is None:
                print(f"| {name} | quimb, {search} | not within memory | {flops:.1f} | {width:.0f} | |", flush=True)
                continue
            assert abs(peer - value) < 1e-10 * abs(value), name
            ratio = f"{peer_seconds / seconds:.1f}"
            print(f"| {name} | quimb, {search} | {peer_seconds:.3g} | {flops:.1f} | {width:.0f} | {ratio} |", flush=True)
            criterion.record(f"exact contraction, {name}", f"quimb, {search}", seconds, peer_seconds, "s")


def boundary():
    """Errors are root mean squares over some seeds: the error of one instance changes its sign with χ."""
    print("| L | χ | program | seconds | error of ln Z | ratio to spin-models |\n|---|---|---|---|---|---|")
    for l in [16, 32, 48]:
        models = [lattice(l, l, seed=seed) for seed in SEEDS]
        references = [ours(model, "--method", "planar", repeats=1)[0] for model in models]
        for chi in [16, 32]:
            flags = ["--method", "boundary-mps", "--chi", str(chi)]
            values, times = zip(*[ours(model, *flags) for model in models])
            seconds = sum(times) / len(times)
            error = deviation(values, references)
            print(f"| {l} | {chi} | spin-models | {seconds:.3g} | {error:.1e} | 1 |", flush=True)
            values, times = [], []
            for seed in SEEDS:
                network = square_network(l, seed)
                start = time.perf_counter()
                value = network.contract_boundary(max_bond=chi, cutoff=0.0, strip_exponent=True, equalize_norms=1.0)
                times.append(time.perf_counter() - start)
                values.append(logarithm(value))
            peer_seconds, error = min(times), deviation(values, references)
            print(f"| {l} | {chi} | quimb | {peer_seconds:.3g} | {error:.1e} | {peer_seconds / seconds:.0f} |", flush=True)
            criterion.record(f"boundary matrix product states, χ = {chi}", "quimb", seconds, peer_seconds, "s", l, "L")


def deviation(values, references):
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(values, references)) / len(references))


def main():
    print(f"Machine: {criterion.machine()}; quimb {quimb.__version__}.\n")
    parts = {"boundary": boundary, "exact": exact}
    for part in sys.argv[1:] or parts:
        parts[part]()


if __name__ == "__main__":
    main()
