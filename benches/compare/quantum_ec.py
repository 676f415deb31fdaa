"""Sampling from detector error models: the example `qec` against Stim's compiled model sampler, one thread.

Run after `cargo build --release --example qec`. Rotated surface codes, d rounds, all four knobs of Stim's generator at
0.001. Times are those of the samplers, to packed shots in memory, best of five, the two programs in turn; reading and
building are outside.
"""
import json
import pathlib
import subprocess
import tempfile
import time

import stim

import criterion

P = 0.001


def model(distance):
    return stim.Circuit.generated(
        "surface_code:rotated_memory_x", distance=distance, rounds=distance, after_clifford_depolarization=P,
        before_round_data_depolarization=P, before_measure_flip_probability=P,
        after_reset_flip_probability=P).detector_error_model()


def ours(path, shots):
    command = [criterion.ROOT / "target/release/examples/qec", "sample", "--dem", path, "--shots", str(shots), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["shots_per_second"]


def peer(sampler, shots):
    start = time.perf_counter()
    sampler.sample(shots, bit_packed=True)
    return shots / (time.perf_counter() - start)


def main():
    print(f"Machine: {criterion.machine()}.\n")
    print("| d | mechanisms | program | shots a second | ratio to Stim |\n|---|---|---|---|---|")
    for distance, shots in [(5, 262144), (13, 65536), (21, 16384)]:
        dem = model(distance)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.dem")
            dem.to_file(path)
            sampler = dem.compile_sampler(seed=2)
            sampler.sample(1024, bit_packed=True)
            pairs = [(peer(sampler, shots), ours(path, 4 * shots)) for _ in range(5)]
        theirs, mine = (max(rates) for rates in zip(*pairs))
        print(f"| {distance} | {dem.num_errors} | Stim {stim.__version__} | {theirs:.3g} | 1 |")
        print(f"| {distance} | {dem.num_errors} | quantum-ec | {mine:.3g} | {mine / theirs:.3g} |")


if __name__ == "__main__":
    main()
