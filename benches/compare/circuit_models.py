"""Detector error models of circuits: the example `qec` against Stim, one thread.

Run after `cargo build --release --example qec`. Rotated surface codes, memory of X, d rounds, all four knobs of Stim's
generator at 0.001; blocks folded and unrolled. Times are those of the conversion in memory, best of five, the two programs in
turn; reading and writing are outside. The models are compared first: unrolled and merged, probabilities equal to 1e-12.

The second table: failures of PyMatching on the same shots with the decompositions of both.
"""
import json
import pathlib
import subprocess
import tempfile
import time

import pymatching
import stim

import criterion

QEC = criterion.TARGET / "release/examples/qec"


def circuit(distance, p, task="rotated_memory_x"):
    return stim.Circuit.generated(
        f"surface_code:{task}", distance=distance, rounds=distance, after_clifford_depolarization=p,
        before_round_data_depolarization=p, before_measure_flip_probability=p, after_reset_flip_probability=p)


def ours(folder, circuit, *flags):
    """The model and the seconds it took."""
    source, target = pathlib.Path(folder, "circuit.stim"), pathlib.Path(folder, "model.dem")
    circuit.to_file(source)
    command = [QEC, "dem", "--circuit", source, "--out", target, "--json", *flags]
    seconds = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["seconds"]
    return stim.DetectorErrorModel.from_file(target), seconds


def theirs(circuit, **options):
    start = time.perf_counter()
    circuit.detector_error_model(**options)
    return time.perf_counter() - start


def merged(model):
    table = {}
    for error in model.flattened():
        if error.type == "error":
            symptom = frozenset()
            for target in error.targets_copy():
                if not target.is_separator():
                    symptom ^= {str(target)}
            (p,), q = error.args_copy(), table.get(symptom, 0.0)
            table[symptom] = p * (1 - q) + q * (1 - p)
    return table


def same(model, other):
    a, b = merged(model), merged(other)
    return a.keys() == b.keys() and all(abs(a[symptom] - b[symptom]) < 1e-12 for symptom in a)


def failures(model, detectors, observables):
    matching = pymatching.Matching.from_detector_error_model(model)
    predicted = matching.decode_batch(detectors, bit_packed_shots=True, bit_packed_predictions=True)
    return int((predicted != observables).any(axis=1).sum())


def main():
    print(f"Machine: {criterion.machine()}.\n")
    print("| d | blocks | Stim, ms | quantum-ec, ms | ratio | models |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for distance in [5, 9, 13, 21]:
            subject = circuit(distance, 0.001)
            for blocks, options, flags in [("folded", {}, []), ("unrolled", {"flatten_loops": True}, ["--flatten-loops"])]:
                model, _ = ours(folder, subject, *flags)
                equal = "equal" if same(model, subject.detector_error_model(**options)) else "different"
                pairs = [(theirs(subject, **options), ours(folder, subject, *flags)[1]) for _ in range(5)]
                peer, mine = (min(times) for times in zip(*pairs))
                print(f"| {distance} | {blocks} | {1e3 * peer:.1f} | {1e3 * mine:.2f} | {peer / mine:.1f} | {equal} |")
                case = f"detector error model of a circuit, blocks {blocks}"
                criterion.record(case, f"Stim {stim.__version__}", mine, peer, "s", distance, "d")
        print("\n| code | d | p | shots | failures, Stim | failures, quantum-ec |\n|---|---|---|---|---|---|")
        for task in ["rotated_memory_x", "unrotated_memory_z"]:
            for distance, shots in [(3, 400000), (5, 100000), (7, 50000)]:
                subject = circuit(distance, 0.005, task)
                sampler = subject.compile_detector_sampler(seed=7)
                detectors, observables = sampler.sample(shots, separate_observables=True, bit_packed=True)
                counts = [failures(model, detectors, observables) for model in (
                    subject.detector_error_model(decompose_errors=True), ours(folder, subject, "--decompose-errors")[0])]
                print(f"| {task} | {distance} | 0.005 | {shots} | {counts[0]} | {counts[1]} |")


if __name__ == "__main__":
    main()
