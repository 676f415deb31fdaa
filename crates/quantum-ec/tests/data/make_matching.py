"""Golden files of tests/matching.rs, written by PyMatching 2.4.0:  python make_matching.py

matching/NAME.01: shots for dem/NAME.dem or circuit_level/NAME.dem, detectors on with probability 0.05 to 0.5;
matching/NAME.weights: the weight of the lightest matching of every shot.
"""
import pathlib

import numpy as np
import pymatching
import stim

here = pathlib.Path(__file__).parent
(here / "matching").mkdir(exist_ok=True)
# A mechanism of three detectors without a decomposition would be left out without a word.
for seed, name in [(0, "dem/rotated_surface_d3"), (1, "dem/repetition_d3"), (3, "circuit_level/repetition_d5_r4_p0.08")]:
    matching = pymatching.Matching.from_detector_error_model(stim.DetectorErrorModel.from_file(here / f"{name}.dem"))
    rng = np.random.default_rng(seed)
    density = np.linspace(0.05, 0.5, 100)
    shots = rng.random((100, matching.num_detectors)) < density[:, None]
    _, weights = matching.decode_batch(shots, return_weights=True)
    stem = here / "matching" / name.split("/")[1]
    stim.write_shot_data_file(data=shots, path=f"{stem}.01", format="01", num_detectors=matching.num_detectors)
    pathlib.Path(f"{stem}.weights").write_text("".join(f"{float(w)!r}\n" for w in weights))
