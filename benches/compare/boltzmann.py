"""Restricted Boltzmann machines of 784 x 500 units against numpy, one thread each, in processor time.

Run after `cargo build --release --example rbm_mnist`, with the directory of the MNIST files as argument. An epoch is persistent
contrastive divergence with one sweep, centred, batch 128, 60 000 images binarised at 128; the two programs take turns. Times are
those of the processor, not of the clock, so that they mean something on a machine that does other things; the least of three.
"""
import os
import pathlib
import resource
import subprocess
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

import criterion

VISIBLE, HIDDEN, BATCH = 784, 500, 128


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def draw(p, rng):
    return (rng.random(p.shape, dtype=np.float32) < p).astype(np.float32)


def epoch_of_numpy(data, rng, updates):
    weights = (0.01 * rng.standard_normal((VISIBLE, HIDDEN))).astype(np.float32)
    p = np.clip(data.mean(0), 1e-3, 1 - 1e-3)
    a, b = np.log(p / (1 - p)), np.zeros(HIDDEN, np.float32)
    chains = data[:BATCH]
    order = rng.permutation(len(data))
    start = time.process_time()
    for k in range(updates):
        v = data[order[k * BATCH:(k + 1) * BATCH]]
        h = sigmoid(v @ weights + b)
        chains = draw(sigmoid(draw(sigmoid(chains @ weights + b), rng) @ weights.T + a), rng)
        model = sigmoid(chains @ weights + b)
        c, d = v.mean(0), h.mean(0)
        gradient = ((v - c).T @ (h - d) - (chains - c).T @ (model - d)) / BATCH
        to_a, to_b = v.mean(0) - chains.mean(0), d - model.mean(0)
        weights += 0.01 * gradient
        a += 0.01 * (to_a - gradient @ d)
        b += 0.01 * (to_b - c @ gradient)
    return (time.process_time() - start) * (len(data) // BATCH) / updates


def processor_seconds(directory, epochs):
    command = [criterion.TARGET / "release/examples/rbm_mnist", "--data", directory, "--binarisation", "threshold",
               "--hidden", str(HIDDEN), "--epochs", str(epochs), "--threads", "1", "--learning-rate", "0.01",
               "--ais-temperatures", "4", "--ais-chains", "1", "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    directory = pathlib.Path(sys.argv[1])
    raw = np.fromfile(directory / "train-images-idx3-ubyte", np.uint8, offset=16).reshape(-1, VISIBLE)
    data = (raw >= 128).astype(np.float32)
    rng = np.random.Generator(np.random.SFC64(1))
    print(f"Machine: {criterion.machine()}.\n")
    theirs, ours = [], []
    for _ in range(3):
        theirs.append(epoch_of_numpy(data, rng, 60))
        # The difference of two runs leaves the reading of the files and the evaluation out.
        ours.append((processor_seconds(directory, 4) - processor_seconds(directory, 1)) / 3)
    print("| program | processor seconds an epoch | ratio to numpy |\n|---|---|---|")
    for name, seconds in [(f"numpy {np.__version__}", min(theirs)), ("boltzmann-machines", min(ours))]:
        print(f"| {name} | {seconds:.2f} | {min(theirs) / seconds:.2f} |")
    criterion.record("epoch of 60 000 images, 784 x 500 units", f"numpy {np.__version__}", min(ours), min(theirs), "processor s")


if __name__ == "__main__":
    main()
