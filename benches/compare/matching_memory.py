"""Memory of matching decoders: resident growth by every further decoder, PyMatching and the example `qec`.

Run after `cargo build --release --example qec`; rotated surface memory X, d rounds, all four knobs at 0.001. PyMatching:
growth of the resident size by some decoders that have each decoded a few shots. Ours: peak resident size of
`qec decode --threads` at two numbers of threads, a decoder each. The peak of a program counts what its parent had when it was
started, hence a process of its own for PyMatching and many threads.
"""
import pathlib
import resource
import subprocess
import sys
import tempfile

import criterion

# Further decoders of PyMatching and threads of ours at each distance.
MORE = {5: (100, 1000), 13: (15, 100), 21: (6, 30)}


def peer(dem, correlated, more):
    """Bytes a decoder."""
    import numpy as np
    import pymatching

    def build():
        decoder = pymatching.Matching.from_detector_error_model_file(dem, enable_correlations=correlated)
        shots = np.zeros((64, (decoder.num_detectors + 7) // 8), np.uint8)
        shots[:, :8] = np.random.default_rng(1).integers(0, 256, (64, 8)) & 17
        decoder.decode_batch(shots, bit_packed_shots=True, bit_packed_predictions=True,
                             **({"enable_correlations": True} if correlated else {}))
        return decoder

    def resident():
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    kept = [build() for _ in range(3)]
    before = resident()
    kept += [build() for _ in range(more)]
    return (resident() - before) / more


# Starts the rest of its arguments and prints the peak.
STARTER = "import subprocess, resource, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); " \
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"


def peak(command):
    """Peak resident bytes of a program."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", STARTER, *command], capture_output=True, text=True, check=True)
    return 1024 * int(done.stdout)


WRITER = """
import sys, stim
d = int(sys.argv[1])
circuit = stim.Circuit.generated("surface_code:rotated_memory_x", distance=d, rounds=d, after_clifford_depolarization=0.001,
    before_round_data_depolarization=0.001, before_measure_flip_probability=0.001, after_reset_flip_probability=0.001)
circuit.detector_error_model(decompose_errors=True).to_file(sys.argv[2])
circuit.compile_detector_sampler(seed=7).sample_write(10000, filepath=sys.argv[3], format="b8")
"""


def main():
    if sys.argv[1:2] == ["--peer"]:
        print(peer(sys.argv[2], sys.argv[3] == "True", int(sys.argv[4])))
        return
    qec = sys.argv[1] if len(sys.argv) > 1 else str(criterion.TARGET / "release/examples/qec")
    print("| d | decoder | PyMatching, kB | ours, kB | ratio |\n|---|---|---|---|---|")
    for d, (more, threads) in MORE.items():
        with tempfile.TemporaryDirectory() as name:
            dem, dets = str(pathlib.Path(name, "dem")), str(pathlib.Path(name, "dets"))
            subprocess.run([sys.executable, "-c", WRITER, str(d), dem, dets], check=True)
            for correlated in (False, True):
                command = [sys.executable, __file__, "--peer", dem, str(correlated), str(more)]
                theirs = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
                decoder = "matching:correlated" if correlated else "matching"
                run = lambda n: peak([qec, "decode", "--dem", dem, "--in", dets, "--decoder", decoder, "--threads", str(n),
                                      "--no-warm-up", "--json"])
                mine = (run(2 * threads) - run(threads)) / threads
                print(f"| {d} | `{decoder}` | {theirs / 1e3:.0f} | {mine / 1e3:.0f} | {mine / theirs:.2f} |", flush=True)
                criterion.record(f"memory of a decoder, `{decoder}`", "PyMatching", mine / 1e3, theirs / 1e3, "kB", d, "d")


if __name__ == "__main__":
    main()
