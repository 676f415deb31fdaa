"""Golden files of tests/sensitivity.rs, written by Stim 1.16.0:  python make.py

NAME.stim: a circuit. NAME.dem: its detector error model, unrolled, without decomposition, disjoint channels approximated.
NAME.regions: a line `D#: tick operator, tick operator, ..` for every detector and observable.
Circuits: memory experiments of Stim's generator, one with every kind of noise, and random ones.
"""
import pathlib
import random

import stim

here = pathlib.Path(__file__).parent


def memory(task, distance, rounds, p):
    return stim.Circuit.generated(
        task, distance=distance, rounds=rounds, after_clifford_depolarization=p, before_round_data_depolarization=p,
        before_measure_flip_probability=p, after_reset_flip_probability=p)


EVERYTHING = stim.Circuit("""
    QUBIT_COORDS(0, 1) 0
    R 0 1 2 3
    RX 4
    X_ERROR(0.01) 0
    Y_ERROR(0.02) 1
    DEPOLARIZE1(0.03) 2
    PAULI_CHANNEL_1(0.1, 0.02, 0.03) 3
    PAULI_CHANNEL_1(0.1, 0, 0.1) 0 1
    TICK
    CX 0 1 2 3
    CZ 3 4
    DEPOLARIZE2(0.04) 0 1 2 3
    PAULI_CHANNEL_2(0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07) 3 4
    TICK
    E(0.1) X0 Y1
    ELSE_CORRELATED_ERROR(0.2) Z4
    ELSE_CORRELATED_ERROR(0.3) X2
    HERALDED_ERASE(0.08) 1
    DETECTOR(1, 2) rec[-1]
    HERALDED_PAULI_CHANNEL_1(0.01, 0.02, 0.03, 0.04) 2
    DETECTOR(1, 2, 3) rec[-1]
    MPP(0.01) Z0*Z1 !Z2*Z3
    DETECTOR rec[-1]
    DETECTOR rec[-2]
    I_ERROR(0.3) 0
    MPAD(0.05) 0 1
    DETECTOR rec[-1] rec[-2]
    CX rec[-3] 0 rec[-3] 1
    TICK
    SHIFT_COORDS(10)
    REPEAT 3 {
        MZZ(0.01) 0 1
        DETECTOR(1) rec[-1]
        SHIFT_COORDS(0, 1)
        X_ERROR(0.01) 0
        TICK
    }
    SPP Z0*Z1
    CZ 3 4
    MX(0.02) 4
    DETECTOR rec[-1]
    M 0 1 2 3
    DETECTOR(7) rec[-1]
    OBSERVABLE_INCLUDE(1) rec[-4] rec[-3]
    OBSERVABLE_INCLUDE(1) Z2
""")


def pauli_product(rng, n):
    return "*".join(f"{rng.choice('XYZ')}{q}" for q in rng.sample(range(n), rng.randint(1, min(3, n))))


def lines(rng, n, depth, before, nested):
    gates = stim.gate_data().items()
    one = [name for name, data in gates if data.is_unitary and data.is_single_qubit_gate]
    two = [name for name, data in gates if data.is_unitary and data.is_two_qubit_gate]
    text, records = [], before
    for _ in range(depth):
        (a, b), kind = rng.sample(range(n), 2), rng.randrange(14)
        p = rng.choice([0.01, 0.1])
        if kind < 3:
            text.append(f"{rng.choice(one)} {a} {b}")
        elif kind < 6:
            text.append(f"{rng.choice(two)} {a} {b}")
        elif kind == 6:
            text.append(f"{rng.choice(['R', 'RX', 'RY'])} {a}\nTICK")
        elif kind == 7:
            text.append(f"{rng.choice(['M', 'MX', 'MY', 'MR', 'MRX', 'MRY'])}({p}) !{a}")
            records += 1
        elif kind == 8:
            text.append(f"{rng.choice(['MXX', 'MYY', 'MZZ'])}({p}) {a} {b}\nMPP {pauli_product(rng, n)}")
            records += 2
        elif kind == 9:
            text.append(f"{rng.choice(['SPP', 'SPP_DAG'])} {pauli_product(rng, n)}")
        elif kind == 10 and records > 0:
            text.append(f"{rng.choice(['CX', 'CY', 'CZ'])} rec[-{rng.randint(1, records)}] {a}")
        elif kind == 11:
            text.append(f"DEPOLARIZE2({p}) {a} {b}\nDEPOLARIZE1({p}) {b}")
        elif kind == 12:
            text.append(f"{rng.choice('XYZ')}_ERROR({p}) {a}")
        elif records > 0:
            text.append("DETECTOR " + " ".join(f"rec[-{rng.randint(1, records)}]" for _ in range(rng.randint(1, 3))))
        if not nested and rng.random() < 0.1:
            body, after = lines(rng, n, 5, records, True)
            count = rng.choice([2, 5, 12])
            text += [f"REPEAT {count} {{", *body, "}"]
            records += count * (after - records)
    return text, records


def randoms(wanted):
    seed = 0
    while wanted:
        rng = random.Random(seed)
        seed += 1
        circuit = stim.Circuit("\n".join(lines(rng, rng.randint(3, 5), 40, 0, False)[0]))
        try:
            model = circuit.detector_error_model(flatten_loops=True)
        except ValueError:
            continue
        if model.num_errors > 5 and any(line.name == "REPEAT" for line in circuit):
            wanted -= 1
            yield f"random_{seed}", circuit


circuits = {
    "rotated_x_d3_r3": memory("surface_code:rotated_memory_x", 3, 3, 0.003),
    "rotated_z_d5_r2": memory("surface_code:rotated_memory_z", 5, 2, 0.001),
    "unrotated_z_d2_r30": memory("surface_code:unrotated_memory_z", 2, 30, 0.01),
    "color_d3_r12": memory("color_code:memory_xyz", 3, 12, 0.002),
    "repetition_d9_r3": memory("repetition_code:memory", 9, 3, 0.01),
    "everything": EVERYTHING,
    **dict(randoms(12)),
}
for name, circuit in circuits.items():
    model = circuit.detector_error_model(flatten_loops=True, approximate_disjoint_errors=True)
    (here / f"{name}.stim").write_text(f"{circuit}\n")
    (here / f"{name}.dem").write_text(f"{model}\n")
    with open(here / f"{name}.regions", "w") as file:
        for sensor, region in sorted(circuit.detecting_regions().items(), key=lambda item: str(item[0])):
            factors = {tick: "*".join(f"{'IXYZ'[operator[q]]}{q}" for q in range(len(operator)) if operator[q])
                       for tick, operator in sorted(region.items())}
            print(f"{sensor}:", ", ".join(f"{tick} {text}" for tick, text in factors.items() if text), file=file)
