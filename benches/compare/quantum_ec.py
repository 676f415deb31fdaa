"""Sampling from circuits and from detector error models, and the time of exact decoding: the example `qec`, one thread.

Run after `cargo build --release --example qec`. Sampling stands against Stim's compiled samplers: rotated surface codes, d
rounds, all four knobs of Stim's generator at 0.001. Times are those of the samplers, to packed shots in memory, best of five,
the two programs in turn; reading and building are outside.

Decoding is timed by itself, on repetition codes of Stim with all knobs but the data noise, and on codes without circuits,
where the time is that of sampling and decoding.
"""
import json
import pathlib
import subprocess
import tempfile
import time

import stim

import criterion

P = 0.001


def circuit(distance):
    return stim.Circuit.generated(
        "surface_code:rotated_memory_x", distance=distance, rounds=distance, after_clifford_depolarization=P,
        before_round_data_depolarization=P, before_measure_flip_probability=P, after_reset_flip_probability=P)


def qec(*arguments):
    command = [criterion.TARGET / "release/examples/qec", *map(str, arguments), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0])


def ours(kind, path, shots):
    return qec("sample", kind, path, "--shots", shots)["shots_per_second"]


def peer(sampler, shots):
    start = time.perf_counter()
    sampler.sample(shots, bit_packed=True)
    return shots / (time.perf_counter() - start)


def versus(kind, what, sampler, shots, factor):
    """Best rates of both, in turns; `what` can be written to a file, ours gets `factor` times the shots."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "input")
        what.to_file(path)
        sampler.sample(1024, bit_packed=True)
        pairs = [(peer(sampler, shots), ours(kind, path, factor * shots)) for _ in range(5)]
    return (max(rates) for rates in zip(*pairs))


def rates(case, distance, size, theirs, mine):
    criterion.record(case, f"Stim {stim.__version__}", mine, theirs, "shots/s", distance, "d", more=True)
    print(f"| {distance} | {size} | Stim {stim.__version__} | {theirs:.3g} | 1 |")
    print(f"| {distance} | {size} | quantum-ec | {mine:.3g} | {mine / theirs:.3g} |")


def repetition(distance, p):
    return stim.Circuit.generated(
        "repetition_code:memory", distance=distance, rounds=distance, after_clifford_depolarization=p,
        before_measure_flip_probability=p, after_reset_flip_probability=p).detector_error_model()


def decoding():
    print("\n| problem | decoder | shots | failures | microseconds a shot |\n|---|---|---|---|---|")
    for distance, shots in [(3, 16384), (11, 1024), (25, 64)]:
        with tempfile.TemporaryDirectory() as folder:
            path, events, flips = (pathlib.Path(folder, name) for name in ["model.dem", "events", "flips"])
            repetition(distance, 0.05).to_file(path)
            qec("sample", "--dem", path, "--shots", shots, "--out", events, "--observables-out", flips)
            found = qec("decode", "--dem", path, "--in", events, "--in-observables", flips)
        row(f"repetition circuit, d = rounds = {distance}, p = 0.05", found)
    for code, distance, noise, p, shots in [
            ("unrotated-surface", 9, "bit-flip", 0.1, 8192), ("rotated-surface", 5, "depolarizing", 0.15, 8192),
            ("unrotated-surface", 9, "depolarizing", 0.15, 1024)]:
        found = qec("threshold", "--code", code, "--distances", distance, "--noise", noise, "--p", p, "--shots", shots)
        row(f"{code}:{distance}, {noise}, p = {p}", found)


def row(problem, found):
    failures, shots = found["logical_errors"], found["shots"]
    print(f"| {problem} | {found['decoder']} | {shots} | {failures / shots:.4f} | {found['microseconds_per_shot']:.3g} |")


def main():
    print(f"Machine: {criterion.machine()}.\n")
    print("| d | mechanisms | program | shots a second | ratio to Stim |\n|---|---|---|---|---|")
    for distance, shots in [(5, 262144), (13, 65536), (21, 16384)]:
        dem = circuit(distance).detector_error_model()
        rates("sampling from a model", distance, dem.num_errors, *versus("--dem", dem, dem.compile_sampler(seed=2), shots, 4))
    print("\n| d | detectors | program | shots a second | ratio to Stim |\n|---|---|---|---|---|")
    for distance, shots in [(5, 524288), (9, 131072), (13, 65536), (21, 8192)]:
        noisy = circuit(distance)
        found = versus("--circuit", noisy, noisy.compile_detector_sampler(seed=2), shots, 4)
        rates("sampling from a circuit", distance, noisy.num_detectors, *found)
    decoding()


if __name__ == "__main__":
    main()
