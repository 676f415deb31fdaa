"""Golden files of tests/golden.rs, written by Stim and sinter 1.16.0:  python make_golden.py

shots/NAME.FORMAT: the same 64 shots in all six formats, NAME giving measurements, detectors and observables.
dem/NAME.dem: models with repeat blocks; dem/NAME.flat.dem: the same with loops and shifts resolved;
dem/NAME.txt: counts, coordinates of detectors, and the rate of every detector in exact arithmetic.
sinter.csv: a table of counts.
"""
import collections
import pathlib

import numpy as np
import sinter
import stim

here = pathlib.Path(__file__).parent

for m, d, l, density in [(9, 0, 0, 0.3), (0, 64, 1, 0.1), (0, 0, 130, 0.02), (0, 600, 3, 0.004), (0, 255, 0, 0.003)]:
    rng = np.random.default_rng(m + 10 * d + 1000 * l)
    table = rng.random((64, m + d + l)) < density
    table[0] = False
    table[1] = True
    for form in ["01", "b8", "r8", "hits", "dets", "ptb64"]:
        stim.write_shot_data_file(data=table, path=here / f"shots/m{m}_d{d}_l{l}.{form}", format=form,
                                  num_measurements=m, num_detectors=d, num_observables=l)

nested = stim.DetectorErrorModel("""
    error[a tag \\C](0.125) D0 D2 ^ D1 L3
    repeat 3 {
        detector(1, 2.5) D0
        error(0.001) D0 D1 L0 ^ D1
        repeat 4 {
            error(1e-7) D1
            shift_detectors(0, 0, 1) 2
            detector(0, 0, 0, 7) D3
        }
        shift_detectors(0.5) 1
        logical_observable L5
    }
    detector D0
    error(0.3333333333333333) D4
""")


def circuit(task, d, p):
    return stim.Circuit.generated(
        task, distance=d, rounds=d + 2, after_clifford_depolarization=p, before_round_data_depolarization=p,
        before_measure_flip_probability=p, after_reset_flip_probability=p)


models = {
    "nested": nested,
    "repetition_d3": circuit("repetition_code:memory", 3, 0.01).detector_error_model(decompose_errors=True),
    "rotated_surface_d3": circuit("surface_code:rotated_memory_x", 3, 0.005).detector_error_model(decompose_errors=True),
}
for name, dem in models.items():
    flat = dem.flattened()
    (here / f"dem/{name}.dem").write_text(f"{dem}\n")
    (here / f"dem/{name}.flat.dem").write_text(f"{flat}\n")
    # <(-1)^flips> of a detector is the product of 1 - 2p over the errors that flip it.
    signs = [1.0] * dem.num_detectors
    for e in flat:
        if e.type == "error":
            odd = set()
            for t in e.targets_copy():
                if t.is_relative_detector_id():
                    odd ^= {t.val}
            for k in odd:
                signs[k] *= 1 - 2 * e.args_copy()[0]
    coordinates = sorted((k, v) for k, v in dem.get_detector_coordinates().items() if v)
    lines = [f"detectors {dem.num_detectors}", f"observables {dem.num_observables}", f"errors {dem.num_errors}"]
    lines += [f"rate {k} {(1 - s) / 2!r}" for k, s in enumerate(signs)]
    lines += [f"coordinates {k} {' '.join(map(repr, v))}" for k, v in coordinates]
    (here / f"dem/{name}.txt").write_text("\n".join(lines) + "\n")

# A table as sinter 1.16.0 writes it.
rows = [
    sinter.TaskStats(strong_id="a1b2", decoder="pymatching", json_metadata={"d": 3, "p": 0.01, "name": 'x, "y"'},
                     shots=123456, errors=789, discards=12, seconds=3.25, custom_counts=collections.Counter({"obs_mistake_mask=E_": 7})),
    sinter.TaskStats(strong_id="a1b3", decoder="pymatching", json_metadata={"d": 5, "p": 0.01}, shots=10**9, errors=5,
                     seconds=1234.5),
    sinter.TaskStats(strong_id="c", decoder="x", json_metadata=None, shots=0),
]
(here / "sinter.csv").write_text("\n".join([sinter.CSV_HEADER, *(row.to_csv_line() for row in rows)]) + "\n")
