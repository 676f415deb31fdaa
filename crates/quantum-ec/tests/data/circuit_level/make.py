"""Writes the detector error models of the circuit-level optima, with stim 1.16: all four noise knobs are p."""
import sys

import stim

MODELS = [
    ("repetition_d3_r3_p0.05", "repetition_code:memory", 3, 3, 0.05),
    ("repetition_d3_r8_p0.03", "repetition_code:memory", 3, 8, 0.03),
    ("repetition_d5_r3_p0.05", "repetition_code:memory", 5, 3, 0.05),
    ("repetition_d5_r4_p0.08", "repetition_code:memory", 5, 4, 0.08),
    ("rotated_z_d3_r1_p0.02", "surface_code:rotated_memory_z", 3, 1, 0.02),
    ("rotated_x_d3_r2_p0.01", "surface_code:rotated_memory_x", 3, 2, 0.01),
]

for name, task, distance, rounds, p in MODELS:
    circuit = stim.Circuit.generated(
        task, distance=distance, rounds=rounds, after_clifford_depolarization=p,
        before_round_data_depolarization=p, before_measure_flip_probability=p, after_reset_flip_probability=p)
    with open(f"{sys.argv[1]}/{name}.dem", "w") as out:
        out.write(str(circuit.detector_error_model().flattened()) + "\n")
