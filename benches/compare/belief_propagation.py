"""Belief propagation and what is built on it: the example `qec` beside ldpc and relay-bp, one thread.

Run after `cargo build --release --example qec`; `--seconds` is the time of each peer and `--shots` the most shots. Both programs
decode the same shots of the code [[144,12,12]]: bit flips on its Z checks, and 12 rounds of its circuit of depth 7 with uniform
depolarizing noise, of which the Z half is decoded. With `--all` ours decodes every shot and the peer the first of them, as many
as its time allows; `--points FILE` appends a JSON line for each program and decoder, which the example `decoders_compared` draws
(`--peers FILE`); `--keep DIR` keeps the model and the shots there. Settings: bit flips with min-sum scaled by 0.625, 50 iterations; circuits with
scaling 1 - 2^-t, 200 iterations; relay with its defaults of 80 and 60 iterations, 300 legs (100 for bit flips), first strength
0.125, others from (-0.24, 0.66). The peers decode shot after shot, `qec decode` the file at once; reading is not timed.
"""
import argparse
import json
import math
import os
import pathlib
import subprocess
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import ldpc
import numpy as np
import relay_bp
import scipy.sparse as sparse
import stim
from ldpc import BpDecoder, BpOsdDecoder
from ldpc.bplsd_decoder import BpLsdDecoder

import criterion

# The code: monomials x^a y^b of its two polynomials on a torus of 12 by 6.
L, M = 12, 6
A = [(3, 0), (0, 1), (0, 2)]
B = [(0, 3), (1, 0), (2, 0)]
HALF = L * M
QEC = criterion.TARGET / "release/examples/qec"


def shifted(index, monomial, sign=1):
    """The site that a monomial, or its inverse, takes a site to."""
    x, y = divmod(index, M)
    return (x + sign * monomial[0]) % L * M + (y + sign * monomial[1]) % M


def checks():
    """H_x and H_z: a row a check, qubits of the left half, then of the right."""
    hx, hz = np.zeros((2, HALF, 2 * HALF), np.uint8)
    for i in range(HALF):
        for a, b in zip(A, B):
            hx[i, shifted(i, a)] ^= 1
            hx[i, HALF + shifted(i, b)] ^= 1
            hz[i, shifted(i, b, -1)] ^= 1
            hz[i, HALF + shifted(i, a, -1)] ^= 1
    return hx, hz


def independent(rows, start):
    """The rows that are independent of `start` and of each other."""
    basis, found = {}, []
    for keep, row in [(False, r) for r in start] + [(True, r) for r in rows]:
        word = int("".join(map(str, row)), 2)
        while word and word.bit_length() in basis:
            word ^= basis[word.bit_length()]
        if word:
            basis[word.bit_length()] = word
            if keep:
                found.append(row)
    return np.array(found, np.uint8)


def kernel(matrix):
    """A basis of the null space, by elimination of the matrix beside the identity."""
    n = matrix.shape[1]
    rows = [int("".join(map(str, column)), 2) << n | 1 << (n - 1 - k) for k, column in enumerate(matrix.T)]
    basis, out = {}, []
    for row in rows:
        while row >> n and row.bit_length() in basis:
            row ^= basis[row.bit_length()]
        if row >> n:
            basis[row.bit_length()] = row
        else:
            out.append([int(bit) for bit in format(row, f"0{n}b")])
    return np.array(out, np.uint8)


def memory(p, rounds, hz, logical):
    """A memory of Z: both kinds of checks are measured by the schedule of depth 7, detectors are those of the Z checks."""
    x = range(HALF)
    left, right = range(HALF, 2 * HALF), range(2 * HALF, 3 * HALF)
    z = range(3 * HALF, 4 * HALF)
    data = [*left, *right]
    order_x = [None, ("A", 1), ("B", 1), ("B", 0), ("B", 2), ("A", 0), ("A", 2)]
    order_z = [("A", 0), ("A", 2), ("B", 0), ("B", 1), ("B", 2), ("A", 1), None]
    circuit = stim.Circuit()
    circuit.append("R", data)
    circuit.append("X_ERROR", data, p)
    last = None
    for turn in range(rounds):
        circuit.append("R", z)
        circuit.append("X_ERROR", z, p)
        circuit.append("RX", x)
        circuit.append("Z_ERROR", x, p)
        for step_x, step_z in zip(order_x, order_z):
            pairs = []
            if step_x:
                half, monomial = (left, A[step_x[1]]) if step_x[0] == "A" else (right, B[step_x[1]])
                pairs += [(x[i], half[shifted(i, monomial)]) for i in range(HALF)]
            if step_z:
                half, monomial = (right, A[step_z[1]]) if step_z[0] == "A" else (left, B[step_z[1]])
                pairs += [(half[shifted(i, monomial, -1)], z[i]) for i in range(HALF)]
            flat = [qubit for pair in pairs for qubit in pair]
            circuit.append("CX", flat)
            circuit.append("DEPOLARIZE2", flat, p)
            idle = sorted(set(data) - set(flat))
            if idle:
                circuit.append("DEPOLARIZE1", idle, p)
            circuit.append("TICK")
        circuit.append("X_ERROR", z, p)
        circuit.append("M", z)
        circuit.append("Z_ERROR", x, p)
        circuit.append("MX", x)
        circuit.append("DEPOLARIZE1", data, p)
        for i in range(HALF):
            now = stim.target_rec(i - 2 * HALF)
            before = [] if turn == 0 else [stim.target_rec(i - 4 * HALF)]
            circuit.append("DETECTOR", [now, *before])
    circuit.append("X_ERROR", data, p)
    circuit.append("M", data)
    final = lambda row: [stim.target_rec(int(q) - 2 * HALF) for q in np.nonzero(row)[0]]
    for i in range(HALF):
        circuit.append("DETECTOR", [*final(hz[i]), stim.target_rec(i - 4 * HALF)])
    for k, row in enumerate(logical):
        circuit.append("OBSERVABLE_INCLUDE", final(row), k)
    return circuit.detector_error_model()


def flips(p, hz, logical):
    """Bit flips, a mechanism a qubit."""
    model = stim.DetectorErrorModel()
    for column, seen in zip(hz.T, logical.T):
        targets = [stim.target_relative_detector_id(int(i)) for i in np.nonzero(column)[0]]
        targets += [stim.target_logical_observable_id(int(i)) for i in np.nonzero(seen)[0]]
        model.append("error", [p], targets)
    return model


def matrices(model):
    """Checks, observables and priors of a model."""
    entries, seen, priors = [], [], []
    for instruction in model.flattened():
        if instruction.type == "error":
            j = len(priors)
            priors.append(instruction.args_copy()[0])
            for target in instruction.targets_copy():
                if target.is_relative_detector_id():
                    entries.append((target.val, j))
                elif target.is_logical_observable_id():
                    seen.append((target.val, j))
    matrix = lambda ones, rows: sparse.csr_matrix(
        (np.ones(len(ones), np.uint8), tuple(zip(*ones))), shape=(rows, len(priors)))
    return matrix(entries, model.num_detectors), matrix(seen, model.num_observables), np.array(priors)


def peers(checks, priors, iterations, scale, legs):
    """Our name, the peer and its decoder; a scale of 0 is 1 - 2^-t in ldpc."""
    ours = f"iterations={iterations}" + (f",scale={scale}" if scale else "")
    bp = dict(error_channel=list(priors), max_iter=iterations, bp_method="minimum_sum", ms_scaling_factor=scale,
              schedule="parallel")
    relay = lambda stop: relay_bp.RelayDecoderF32(
        checks, error_priors=priors, gamma0=0.125, pre_iter=80, num_sets=legs, set_max_iter=60,
        gamma_dist_interval=(-0.24, 0.66), stop_nconv=stop)
    program = f"ldpc {ldpc.__version__}"
    yield f"bp,{ours}", program, lambda: BpDecoder(checks, **bp).decode
    yield f"bp-osd:0,{ours}", program, lambda: BpOsdDecoder(checks, osd_method="osd_0", osd_order=0, **bp).decode
    yield f"bp-osd:cs:7,{ours}", program, lambda: BpOsdDecoder(checks, osd_method="osd_cs", osd_order=7, **bp).decode
    yield f"bp-osd:cs:10,{ours}", program, lambda: BpOsdDecoder(checks, osd_method="osd_cs", osd_order=10, **bp).decode
    yield f"bp-lsd:0,{ours}", program, lambda: BpLsdDecoder(checks, lsd_method="LSD_0", lsd_order=0, **bp).decode
    for stop in (1, 5):
        name = f"relay:{stop}" + (f",legs={legs}" if legs != 300 else "")
        yield name, "relay-bp 0.2.2", lambda stop=stop: relay(stop).decode


def note(arguments, title, program, decoder, failures, shots, microseconds):
    """A line of the file of points."""
    if arguments.points:
        with open(arguments.points, "a") as file:
            point = {"problem": title, "program": program, "decoder": decoder, "shots": shots, "logical_errors": failures,
                     "microseconds_per_shot": microseconds}
            file.write(json.dumps(point) + "\n")


def wilson(failures, shots, z=1.96):
    rate = failures / shots
    scale = 1 / (1 + z * z / shots)
    centre = scale * (rate + z * z / (2 * shots))
    half = scale * z * math.sqrt(rate * (1 - rate) / shots + z * z / (4 * shots * shots))
    # Rounding would leave 1e-17 where no shot has failed.
    lower, upper = max(0.0, round(centre - half, 12)), min(1.0, centre + half)
    return f"{100 * rate:.3g}% ({100 * lower:.3g} to {100 * upper:.3g})"


def qec(folder, name, events, flipped, program):
    """Decodes these shots with the example."""
    paths = [pathlib.Path(folder, file) for file in ("events.b8", "flips.b8")]
    for path, table in zip(paths, (events, flipped)):
        path.write_bytes(np.packbits(table, axis=1, bitorder="little").tobytes())
    command = [program, "decode", "--dem", pathlib.Path(folder, "model.dem"),
               "--in", paths[0], "--in-observables", paths[1], "--decoder", name, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def compare(title, model, arguments, iterations, scale, legs):
    checks_of, seen, priors = matrices(model)
    events, flipped, _ = model.compile_sampler(seed=13).sample(arguments.shots)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.keep:
            folder = arguments.keep
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        model.to_file(pathlib.Path(folder, "model.dem"))
        for name, program, build in peers(checks_of, priors, iterations, scale, legs):
            if arguments.decoders and not any(name.startswith(prefix) for prefix in arguments.decoders):
                continue
            found = qec(folder, name, events, flipped, arguments.qec) if arguments.all else None
            if found:
                note(arguments, title, "quantum-ec", name.split(",")[0], found["logical_errors"], found["shots"],
                     found["microseconds_per_shot"])
            if arguments.seconds <= 0:
                continue
            decode = build()
            decode(events[0].astype(np.uint8))
            spent, failures, shots = 0.0, 0, 0
            while shots < len(events) and spent < arguments.seconds:
                syndrome = events[shots].astype(np.uint8)
                start = time.process_time()
                error = decode(syndrome)
                spent += time.process_time() - start
                failures += bool(np.any((seen @ error % 2) != flipped[shots]))
                shots += 1
            found = found or qec(folder, name, events[:shots], flipped[:shots], arguments.qec)
            theirs, mine = 1e6 * spent / shots, found["microseconds_per_shot"]
            note(arguments, title, program.split()[0], name.split(",")[0], failures, shots, theirs)
            print(f"| {title} | {name.split(',')[0]} | {shots} | {program} | {wilson(failures, shots)} | {theirs:.4g} | "
                  f"{wilson(found['logical_errors'], found['shots'])} | {mine:.4g} | {theirs / mine:.3g} |", flush=True)
            criterion.record(f"decoding a shot by `{name.split(',')[0]}`, {title}", program, mine, theirs, "µs")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--shots", type=int, default=20000)
    parser.add_argument("--decoders", nargs="*", help="beginnings of the names to run; all without")
    parser.add_argument("--p", type=float, nargs="*", default=[0.001, 0.003], help="strengths of the circuit noise")
    parser.add_argument("--circuit-only", action="store_true", help="no bit flips")
    parser.add_argument("--all", action="store_true", help="ours decodes all shots, the peers the first of them")
    parser.add_argument("--points", help="a file of JSON lines to append to")
    parser.add_argument("--keep", help="a folder for the model and the shots")
    parser.add_argument("--qec", default=QEC, help="the example to run")
    arguments = parser.parse_args()
    hx, hz = checks()
    logical = independent(kernel(hx), hz)
    print(f"Machine: {criterion.machine()}; load {os.getloadavg()[0]:.1f}.\n")
    print("| problem | decoder | shots | peer | its failures | µs a shot | our failures | µs a shot | ratio |")
    print("|---|---|---|---|---|---|---|---|---|")
    if not arguments.circuit_only:
        compare("bit flips, p = 0.05", flips(0.05, hz, logical), arguments, 50, 0.625, 100)
    for p in arguments.p:
        model = memory(p, 12, hz, logical)
        compare(f"circuit, p = {p}", model, arguments, 200, 0.0, 300)
    print(f"\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
