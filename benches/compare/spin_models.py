"""spin-models against other programs: sums over all configurations and single-spin Monte Carlo, one thread.

Run after `cargo build --release --example solve`; the Monte Carlo rates of spin-models come from the criterion bench
`monte_carlo`.
"""
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1", RAYON_NUM_THREADS="1")
import json
import math
import random
import subprocess
import tempfile
import time

import numpy as np

import criterion

BETA = 0.5


def best(call, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def glass(n):
    """Sherrington-Kirkpatrick couplings, pairs from 0."""
    draw = random.Random(n)
    return [(i, j, draw.gauss(0, 1) / math.sqrt(n)) for i in range(n) for j in range(i + 1, n)]


def ours(n, couplings, *flags):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(f"{n} {len(couplings)}\n" + "".join(f"{i + 1} {j + 1} {w!r}\n" for i, j, w in couplings))
        file.flush()
        command = [criterion.TARGET / "release/examples/solve", file.name, "--beta", str(BETA), "--json", *flags]
        lines = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(3)]
    answers = [json.loads(line) for line in lines]
    return answers[0]["ln_z"], min(answer["seconds"] for answer in answers)


def dimod_exact(n, couplings):
    """All energies of dimod's ExactSolver, then ln Z."""
    import dimod

    model = dimod.BinaryQuadraticModel.from_ising({}, {(i, j): -w for i, j, w in couplings})
    energies = dimod.ExactSolver().sample(model).record.energy
    low = energies.min()
    return math.log(np.exp(-BETA * (energies - low)).sum()) - BETA * low


def numpy_sum(n, couplings):
    """Energies of all states in numpy, the usual few lines."""
    states = np.arange(1 << n)
    spins = [(1 - 2 * ((states >> i) & 1)).astype(np.float32) for i in range(n)]
    energies = np.zeros(1 << n)
    for i, j, w in couplings:
        energies -= w * (spins[i] * spins[j])
    low = energies.min()
    return math.log(np.exp(-BETA * (energies - low)).sum()) - BETA * low


def enumeration():
    print("| n | program | seconds | ratio to spin-models |\n|---|---|---|---|")
    for n in [16, 20]:
        couplings = glass(n)
        value, seconds = ours(n, couplings, "--method", "enumerate")
        print(f"| {n} | spin-models (ln Z, energy, magnetizations) | {seconds:.3g} | 1 |")
        for name, call in [("dimod 0.12 ExactSolver (energies)", dimod_exact), ("numpy (ln Z)", numpy_sum)]:
            assert abs(call(n, couplings) - value) < 1e-5 * abs(value), name
            peer = best(lambda: call(n, couplings), 1)
            print(f"| {n} | {name} | {peer:.3g} | {peer / seconds:.0f} |")
            criterion.record("sum over all states", name, seconds, peer, "s", n, "N")
    couplings = glass(30)
    print(f"| 30 | spin-models (ln Z, energy, magnetizations) | {ours(30, couplings, '--method', 'enumerate')[1]:.3g} | 1 |")
    seconds = ours(30, couplings, "--method", "enumerate", "--correlations")[1]
    print(f"| 30 | spin-models (all pair moments too) | {seconds:.3g} | |")


def monte_carlo():
    import peapods

    beta = 0.44
    for l in [64, 256]:
        seconds = criterion.median_seconds("spin_flips", "metropolis_sequential_square", str(l))
        rate = l * l / seconds * 1e-9
        print(f"| {l} | spin-models, Metropolis with cached fields, any graph | {rate:.4f} | 1 |")
        model = peapods.Ising((l, l), temperatures=np.array([1 / beta]), n_replicas=1)
        sweeps = max(2, int(3e7 / l / l))
        model.sample(2, sweep_mode="metropolis", warmup_ratio=0.0, sequential=True)
        peer = best(lambda: model.sample(sweeps, sweep_mode="metropolis", warmup_ratio=0.0, sequential=True), 2)
        peer_rate = l * l * sweeps / peer * 1e-9
        print(f"| {l} | peapods 0.2.0 | {peer_rate:.4f} | {peer_rate / rate:.2f} |")
        criterion.record("Metropolis with cached fields, square lattice", "peapods 0.2.0", rate, peer_rate, "flips/ns", l, "L", more=True)


def main():
    print(f"Machine: {criterion.machine()}.\n")
    enumeration()
    criterion.run("monte_carlo", "spin_flips", "--quick")
    print("\n| L | program | flips/ns | ratio to spin-models |\n|---|---|---|---|")
    monte_carlo()


if __name__ == "__main__":
    main()
