"""Simulated annealing: the example `anneal` against dwave-samplers, the same files, ranges and sweeps, one thread.

Run after `cargo build --release --example anneal`. Times are those of the samplers, without reading files and building
the model of dimod. Energies are per spin, with the standard error of the peer's mean.
"""
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
import json
import subprocess
import tempfile
import time

import dimod
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler

import criterion


def instances():
    """Biases that add to the energy, as in dimod: name, pairs, number of spins, range of beta."""
    rng = np.random.default_rng(1)
    n = 1000
    matrix = rng.normal(size=(n, n)) / np.sqrt(n)
    pairs = {(i, j): -matrix[i, j] for i in range(n) for j in range(i + 1, n)}
    yield "Sherrington-Kirkpatrick, N = 1000", pairs, n, (0.2, 20.0)
    l = 10
    pairs = {}
    for x in range(l):
        for y in range(l):
            for z in range(l):
                i = (x * l + y) * l + z
                for j in (((x + 1) % l * l + y) * l + z, (x * l + (y + 1) % l) * l + z, (x * l + y) * l + (z + 1) % l):
                    pairs[i, j] = float(rng.choice((-1, 1)))
    yield "cubic ±J, L = 10", pairs, l**3, (0.1, 4.0)


def ours(pairs, n, betas, sweeps, reads, *flags):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(f"{n} {len(pairs)}\n" + "".join(f"{i + 1} {j + 1} {float(w)!r}\n" for (i, j), w in pairs.items()))
        file.flush()
        command = [criterion.TARGET / "release/examples/anneal", "--file", file.name, "--sign", "dimod", "--json"]
        command += ["--sweeps", str(sweeps), "--reads", str(reads), "--seed", "7", *flags]
        if betas:
            command += ["--beta", "{}:{}".format(*betas)]
        runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(3)]
    runs = [json.loads(run) for run in runs]
    return min(run["seconds_per_read"] for run in runs), runs[0]["mean_energy"] / n, runs[0]["best_energy"] / n


def dwave(pairs, n, betas, sweeps, reads):
    model = dimod.BinaryQuadraticModel.from_ising({}, pairs)
    start = time.perf_counter()
    found = SimulatedAnnealingSampler().sample(model, num_reads=reads, num_sweeps=sweeps, beta_range=betas, seed=7)
    seconds = (time.perf_counter() - start) / reads
    energies = found.record.energy / n
    return seconds, energies.mean(), energies.min(), energies.std(ddof=1) / np.sqrt(reads)


def row(cells):
    print("| " + " | ".join(cells) + " |")


def main():
    print(f"Machine: {criterion.machine()}.\n")
    row(["instance", "sweeps", "program", "reads", "ms a read", "mean energy", "best energy", "ratio to spin-models"])
    print("|---|---|---|---|---|---|---|---|")
    for name, pairs, n, betas in instances():
        dense = len(pairs) > 10 * n
        for sweeps in [1000] if dense else [1000, 10_000]:
            reads = 64 if dense else 512
            seconds, mean, best = ours(pairs, n, betas, sweeps, reads)
            place = [name, str(sweeps)]
            row([*place, "spin-models", str(reads), f"{1e3 * seconds:.3g}", f"{mean:.5f}", f"{best:.5f}", "1"])
            one, mean, best = ours(pairs, n, betas, sweeps, 1)
            row([*place, "spin-models", "1", f"{1e3 * one:.3g}", f"{mean:.5f}", f"{best:.5f}", f"{one / seconds:.2g}"])
            fitted, mean, best = ours(pairs, n, None, sweeps, reads)
            cells = [str(reads), f"{1e3 * fitted:.3g}", f"{mean:.5f}", f"{best:.5f}", f"{fitted / seconds:.2g}"]
            row([*place, "spin-models, fitted range", *cells])
            reads = 32
            peer, mean, best, error = dwave(pairs, n, betas, sweeps, reads)
            cells = [f"{1e3 * peer:.3g}", f"{mean:.5f} ± {error:.5f}", f"{best:.5f}", f"{peer / seconds:.3g}"]
            row([*place, "dwave-samplers 1.8.0", str(reads), *cells])
            criterion.record(f"a read of {sweeps} sweeps, {name}", "dwave-samplers 1.8.0", seconds, peer, "s")


if __name__ == "__main__":
    main()
