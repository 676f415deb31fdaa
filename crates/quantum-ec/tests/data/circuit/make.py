"""Golden files of tests/circuits.rs, written by Stim 1.16.0:  python make.py

TASK.stim: what `stim gen` writes, distance and rounds 3, the four knobs 0.001, 0.002, 0.003 and 0.004.
references.txt: random circuits of all gates with their reference samples, between lines of #.
unitaries.txt: the matrix of every unitary gate, a line a row, real and imaginary parts; the first qubit is the
lowest bit.
events.txt: shots of records and the detection events that Stim makes of them.
"""
import pathlib
import random

import numpy as np
import stim

here = pathlib.Path(__file__).parent
for task in ["repetition_code:memory", "surface_code:rotated_memory_x", "surface_code:rotated_memory_z",
             "surface_code:unrotated_memory_x", "surface_code:unrotated_memory_z", "color_code:memory_xyz"]:
    circuit = stim.Circuit.generated(
        task, distance=3, rounds=3, after_clifford_depolarization=0.001, before_round_data_depolarization=0.002,
        before_measure_flip_probability=0.003, after_reset_flip_probability=0.004)
    (here / f"{task.replace(':', '_')}.stim").write_text(f"{circuit}\n")

data = stim.gate_data()
unitary = [n for n, g in data.items() if g.is_unitary and n not in ("SPP", "SPP_DAG")]
one = [n for n in unitary if not data[n].is_two_qubit_gate]
two = [n for n in unitary if data[n].is_two_qubit_gate]
lines = []
for name in unitary:
    for row in data[name].unitary_matrix:
        lines.append(" ".join([name] + [f"{x.real:.9f} {x.imag:.9f}" for x in row]))
(here / "unitaries.txt").write_text("\n".join(lines) + "\n")


def product(n):
    qubits = random.sample(range(n), random.randint(1, n))
    return "*".join(random.choice(["", "", "!"]) + random.choice("XYZ") + str(q) for q in qubits)


def random_circuit(n, length):
    out, records = [], 0
    for _ in range(length):
        r, q = random.random(), random.randrange(n)
        a, b = random.sample(range(n), 2)
        if r < 0.4:
            out.append(f"{random.choice(one)} {q} {a}")
        elif r < 0.65:
            out.append(f"{random.choice(two)} {a} {b}")
        elif r < 0.7:
            out.append(f"{random.choice(['SPP', 'SPP_DAG'])} {product(n)}")
        elif r < 0.78:
            out.append(f"{random.choice(['R', 'RX', 'RY'])} {q}")
        elif r < 0.95:
            out.append(random.choice([
                f"{random.choice(['M', 'MX', 'MY', 'MR', 'MRX', 'MRY'])} {random.choice(['', '!'])}{q}",
                f"MPP {product(n)}",
                f"{random.choice(['MXX', 'MYY', 'MZZ'])} !{a} {b}"]))
            records += 1
        elif r < 0.96:
            out.append("MPAD 0 1")
            records += 2
        elif records:
            back = random.randint(1, records)
            out.append(random.choice([f"{random.choice(['CX', 'CY', 'CZ'])} rec[-{back}] {q}",
                                      f"{random.choice(['XCZ', 'YCZ', 'CZ'])} {q} rec[-{back}]"]))
    return "\n".join(out)


random.seed(2)
pieces = []
for n, length in [(2, 40), (3, 60), (5, 80), (6, 200), (70, 400), (130, 600)] * 2:
    text = random_circuit(n, length)
    sample = "".join("01"[int(bit)] for bit in stim.Circuit(text).reference_sample())
    pieces.append(f"{text}\n#{sample}\n")
(here / "references.txt").write_text("".join(pieces))

circuit = stim.Circuit((here / "color_code_memory_xyz.stim").read_text().replace("R 0 1", "X 0 3\nR 1"))
records = np.random.default_rng(3).random((16, circuit.num_measurements)) < 0.3
events, flips = circuit.compile_m2d_converter().convert(measurements=records, separate_observables=True)
text = [f"{''.join('01'[int(b)] for b in r)} {''.join('01'[int(b)] for b in e)} {''.join('01'[int(b)] for b in f)}"
        for r, e, f in zip(records, events, flips)]
(here / "events.txt").write_text(f"{circuit}\n#\n" + "\n".join(text) + "\n")
