"""Matching against PyMatching: rotated surface memory X, d rounds, all four knobs of Stim's generator at p.

Run after `cargo build --release --example qec`; `python matching.py [--quick] [--correlated]`. Both programs decode the same
shots on one thread, in turn; a time is the least of five. PyMatching decodes a packed batch; ours is `qec decode`, whose time
is that of decoding packed shots in memory. `differ` counts failures: those of PyMatching, ours.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import pymatching
import stim

import criterion

GRID = {0.001: {5: 0.6, 9: 4.2, 13: 14, 17: 35, 21: 89}, 0.005: {5: 4.5, 9: 28, 13: 106, 17: 263, 21: 705},
        0.01: {5: 9.3, 9: 87, 13: 350, 17: 1330, 21: 4000}}


def circuit(d, p):
    return stim.Circuit.generated(
        "surface_code:rotated_memory_x", distance=d, rounds=d, after_clifford_depolarization=p,
        before_round_data_depolarization=p, before_measure_flip_probability=p, after_reset_flip_probability=p)


def ours(folder, decoder, threads=1):
    command = [criterion.TARGET / "release/examples/qec", "decode", "--dem", folder / "dem", "--in", folder / "dets",
               "--in-observables", folder / "obs", "--decoder", decoder, "--json", "--threads", str(threads)]
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(output.stdout.splitlines()[0])


def peer(matching, dets, obs, correlated):
    options = {"enable_correlations": True} if correlated else {}
    start = time.perf_counter()
    found = matching.decode_batch(dets, bit_packed_shots=True, bit_packed_predictions=True, **options)
    seconds = time.perf_counter() - start
    return 1e6 * seconds / len(dets), int((found != obs).any(axis=1).sum())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--correlated", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print(f"Machine: {criterion.machine()}; PyMatching {pymatching.__version__}.\n")
    decoder = "matching:correlated" if arguments.correlated else "matching"
    print("| d | p | shots | PyMatching, µs | ours, µs | ratio | failures | build, ms |\n|---|---|---|---|---|---|---|---|")
    for p, row in GRID.items():
        for d, estimate in row.items():
            if arguments.correlated and (d > 13 or p == 0.01):
                continue
            shots = int(min(100_000, max(200, 1e6 / estimate)))
            if arguments.quick:
                shots //= 5
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                model = circuit(d, p).detector_error_model(decompose_errors=True)
                model.to_file(folder / "dem")
                dets, obs = circuit(d, p).compile_detector_sampler(seed=7).sample(
                    shots, separate_observables=True, bit_packed=True)
                dets.tofile(folder / "dets")
                obs.tofile(folder / "obs")
                start = time.perf_counter()
                matching = pymatching.Matching.from_detector_error_model_file(
                    str(folder / "dem"), enable_correlations=arguments.correlated)
                build = 1e3 * (time.perf_counter() - start)
                pairs = [(peer(matching, dets, obs, arguments.correlated), ours(folder, decoder))
                         for _ in range(arguments.repeats)]
            theirs = min(pair[0][0] for pair in pairs)
            mine = min(pair[1]["microseconds_per_shot"] for pair in pairs)
            failures = f"{pairs[0][0][1]}, {pairs[0][1]['logical_errors']}"
            own = 1e3 * min(pair[1]["build_seconds"] + pair[1]["io_seconds"] for pair in pairs)
            print(f"| {d} | {p} | {shots} | {theirs:.3g} | {mine:.3g} | {mine / theirs:.2f} | {failures} | {build:.1f}, {own:.1f} |",
                  flush=True)
            criterion.record(f"decoding a shot by `{decoder}`, p = {p}", f"PyMatching {pymatching.__version__}", mine, theirs, "µs", d,
                             "d")


if __name__ == "__main__":
    main()
