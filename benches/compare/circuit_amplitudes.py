"""Amplitudes of random circuits: spin-models against quimb and cotengra, one thread.

Run after `cargo build --release --example random_circuit`. The amplitude is that of 00...0 of a circuit that the example writes
as OpenQASM. "Search" is the time until the contraction begins: building, simplification and the search for an order;
the network is simplified by quimb's `full_simplify`. Operations are multiplications of complex numbers, 2^x. Contractions that
would take more than a minute at a billion multiplications a second are not done. Names of instances as arguments make
some rows only, for example `5x5-cz-10`.
"""
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1", RAYON_NUM_THREADS="1")
import json
import math
import re
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

# Rows, columns, gates, cycles.
INSTANCES = [(4, 4, "fsim", 14), (5, 5, "fsim", 8), (5, 5, "cz", 16), (6, 6, "cz", 12), (7, 7, "cz", 10)]
WIDEST = 28
LONGEST = 36
H = math.sqrt(0.5)
SINGLE = {
    "sx": np.array([[H, -1j * H], [-1j * H, H]]),
    "sy": np.array([[H, -H], [H, H]]),
    "sw": np.array([[H, -0.5 - 0.5j], [0.5 - 0.5j, H]]),
}


def fsim(theta, phi):
    c, s = math.cos(theta), -1j * math.sin(theta)
    return np.array([[1, 0, 0, 0], [0, c, s, 0], [0, s, c, 0], [0, 0, 0, np.exp(-1j * phi)]])


def read(text):
    """The circuit in quimb."""
    n = int(re.search(r"qreg q\[(\d+)\]", text).group(1))
    circuit = qtn.Circuit(n)
    for line in text[text.index("qreg") :].splitlines()[1:]:
        name, angles, qubits = re.match(r"(\w+)(?:\((.*)\))? (.*);", line).groups()
        qubits = [int(q) for q in re.findall(r"q\[(\d+)\]", qubits)]
        if name == "fsim":
            matrix = fsim(*map(float, angles.split(",")))
        elif name == "cz":
            matrix = np.diag([1, 1, 1, -1])
        else:
            matrix = SINGLE[name]
        circuit.apply_gate_raw(matrix.astype(complex), qubits)
    return circuit


def ours(rows, cols, gates, cycles, file):
    example = criterion.TARGET / "release/examples/random_circuit"
    flags = ["--rows", rows, "--cols", cols, "--gates", gates, "--depth", cycles, "--samples", 0, "--amplitudes", 1]
    command = [example, *map(str, flags), "--memory", "4096", "--write-qasm", file, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def searches():
    hyper = cotengra.HyperOptimizer(methods=["greedy"], max_time=20, parallel=False, minimize="flops", progbar=False)
    return {"greedy": cotengra.GreedyOptimizer(), "auto": cotengra.AutoOptimizer(cache=False), "hyper, 20 s": hyper}


def peer(text, search):
    """Amplitude, seconds before and in the contraction, binary logarithms of the largest tensor and of the multiplications."""
    circuit = read(text)
    start = time.perf_counter()
    network = circuit.amplitude("0" * circuit.N, rehearse="tn", dtype="complex128")
    tree = network.contraction_tree(optimize=searches()[search], output_inds=())
    before = time.perf_counter() - start
    width, cost = tree.contraction_width(), math.log2(tree.contraction_cost())
    if width > WIDEST or cost > LONGEST:
        return None, before, None, width, cost
    start = time.perf_counter()
    value = network.contract(all, output_inds=(), optimize=tree)
    return complex(value), before, time.perf_counter() - start, width, cost


def main():
    print(f"Machine: {criterion.machine()}; load {os.getloadavg()[0]:.1f}; quimb {quimb.__version__}, cotengra {cotengra.__version__}.\n")
    print("| circuit | program | search s | contraction s | log2 operations | log2 largest tensor |\n|---|---|---|---|---|---|")
    for rows, cols, gates, cycles in INSTANCES:
        name = f"{rows}x{cols}-{gates}-{cycles}"
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        with tempfile.NamedTemporaryFile("r", suffix=".qasm") as file:
            best = ours(rows, cols, gates, cycles, file.name)
            text = file.read()
        amplitude = complex(best["amplitude_re"], best["amplitude_im"])
        cost = math.log2(best["flops_per_contraction"] / 8)
        times = f"{best['seconds_search']:.3g} | {best['seconds']:.3g}"
        print(f"| {name} | spin-models | {times} | {cost:.1f} | {best['log2_largest_tensor']:.0f} |", flush=True)
        for search in searches():
            value, before, seconds, width, cost = peer(text, search)
            if value is not None:
                assert abs(value - amplitude) < 1e-9 * abs(amplitude), (name, value, amplitude)
            shown = "not done" if seconds is None else f"{seconds:.3g}"
            print(f"| {name} | quimb, {search} | {before:.3g} | {shown} | {cost:.1f} | {width:.0f} |", flush=True)
            if seconds is not None:
                mine = best["seconds_search"] + best["seconds"]
                criterion.record(f"amplitude of {name}, search included", f"quimb, {search}", mine, before + seconds, "s")


if __name__ == "__main__":
    main()
