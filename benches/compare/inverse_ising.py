"""Couplings from samples: pseudolikelihood and screening against numpy and scipy, one thread each, in processor time.

Run after `cargo build --release --example inverse_ising`. No package for the inverse Ising problem installs on a current Python without
a deep-learning framework, so the peer is what one writes oneself: for every spin scipy's L-BFGS-B on the convex loss, gradients
by numpy, to the same tolerance of the gradient. Samples are drawn here by parallel heat-bath chains and handed over as `.npy`,
so that both work on the same bits. Relative error: sqrt(sum (J - J*)^2 / sum J*^2) over pairs.

The two programs take turns; times are those of the processor, not of the clock. The time of the example includes reading the
file; `seconds` is what it reports for the fit alone, on the clock and with all threads.
"""
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from scipy.optimize import minimize

import criterion

PROGRAM = criterion.TARGET / "release/examples/inverse_ising"
TOLERANCE = 1e-6


def draw(couplings, count, rng, chains=500, burn_in=300, thin=5):
    n = len(couplings)
    spins = rng.choice((-1.0, 1.0), size=(chains, n))
    kept = []
    sweep = 0
    while len(kept) * chains < count:
        for i in range(n):
            up = 1 / (1 + np.exp(-2 * (spins @ couplings[i])))
            spins[:, i] = np.where(rng.random(chains) < up, 1.0, -1.0)
        sweep += 1
        if sweep > burn_in and (sweep - burn_in) % thin == 0:
            kept.append(spins.copy())
    return np.concatenate(kept)[:count]


def sherrington_kirkpatrick(n, beta, rng):
    upper = np.triu(rng.normal(size=(n, n)) * beta / np.sqrt(n), 1)
    return upper + upper.T


def plus_minus_lattice(side, beta, rng):
    couplings = np.zeros((side * side, side * side))
    for row in range(side):
        for column in range(side):
            here = row * side + column
            for there in (row * side + (column + 1) % side, (row + 1) % side * side + column):
                couplings[here, there] = couplings[there, here] = beta * rng.choice((-1, 1))
    return couplings


def logistic(margins):
    return np.logaddexp(0, -2 * margins).mean(), -2 / (1 + np.exp(2 * margins)) / len(margins)


def screening(margins):
    weights = np.exp(-margins)
    return weights.mean(), -weights / len(margins)


def with_scipy(samples, loss):
    count, n = samples.shape
    rows = np.zeros((n, n))
    for i in range(n):
        # The own column carries the field.
        design = samples * samples[:, i:i + 1]
        design[:, i] = samples[:, i]

        def objective(x):
            value, slope = loss(design @ x)
            return value, slope @ design

        rows[i] = minimize(objective, np.zeros(n), jac=True, method="L-BFGS-B",
                           options=dict(maxiter=500, gtol=TOLERANCE, ftol=0)).x
    np.fill_diagonal(rows, 0)
    return (rows + rows.T) / 2


def relative_error(found, true):
    pairs = np.triu_indices(len(true), 1)
    return np.sqrt(((found - true)[pairs] ** 2).sum() / (true[pairs] ** 2).sum())


def with_example(path, method, n, threads):
    command = [PROGRAM, path, "--method", method, "--tolerance", str(TOLERANCE),
               "--threads", str(threads), "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if output.returncode:
        return None, None, None, output.stderr.strip()
    answer = json.loads(output.stdout)
    couplings = np.zeros((n, n))
    for i, j, value in answer["couplings"]:
        couplings[i, j] = couplings[j, i] = value
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return couplings, spent, answer["seconds"], None


def main():
    global PROGRAM
    quick = "--quick" in sys.argv
    for argument in sys.argv[1:]:
        # Another build of the example.
        if argument.startswith("--program="):
            PROGRAM = pathlib.Path(argument.partition("=")[2])
    print("| model | samples | method | program | relative error | processor s | clock s, all threads |")
    print("|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(5)
    cases = [("SK, N = 50, β = 1", sherrington_kirkpatrick(50, 1.0, rng), 5_000 if quick else 50_000, ("nmf", "plm", "rise")),
             ("2D ±J, N = 49, β = 1", plus_minus_lattice(7, 1.0, rng), 5_000, ("plm", "rise", "path"))]
    if not quick:
        cases.append(("SK, N = 200, β = 1", sherrington_kirkpatrick(200, 1.0, rng), 100_000, ("plm",)))
    for name, couplings, count, methods in cases:
        n = len(couplings)
        samples = draw(couplings, count, rng)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "samples.npy"
            np.save(path, samples.astype(np.int8))
            for method in methods:
                times = [with_example(path, method, n, 1) for _ in range(3)]
                found, spent, _, problem = min(times, key=lambda run: run[1] or 0)
                clock = min((with_example(path, method, n, 0)[2] or 0 for _ in range(3)))
                if problem:
                    print(f"| {name} | {count} | {method} | spin-models | {problem} | | |", flush=True)
                else:
                    error = relative_error(found, couplings)
                    print(f"| {name} | {count} | {method} | spin-models | {error:.4f} | {spent:.2f} | {clock:.2f} |", flush=True)
                loss = {"plm": logistic, "rise": screening}.get(method)
                if loss and n <= 100:
                    start = time.process_time()
                    error = relative_error(with_scipy(samples, loss), couplings)
                    peer = time.process_time() - start
                    print(f"| {name} | {count} | {method} | numpy, scipy | {error:.4f} | {peer:.2f} | |", flush=True)
                    if not problem:
                        criterion.record(f"couplings by {method}, {name}, {count} samples", "numpy, scipy", spent, peer, "processor s")


if __name__ == "__main__":
    main()
