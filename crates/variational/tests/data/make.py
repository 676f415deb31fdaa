"""Makes sk20_seed1.txt: couplings of a Sherrington-Kirkpatrick model from numpy's default generator (numpy 2).

    python3 crates/variational/tests/data/make.py

Sites from 1; E = -sum J s s. Enumeration gives ln Z = 14.830417218710, 17.810251402397, 27.918760248215 and
39.507156077196 at beta = 0.5, 1, 2 and 3.
"""
import math
import pathlib

import numpy as np

N = 20
g = np.random.default_rng(1).standard_normal((N, N)) / math.sqrt(N)
lines = [f"{N} {N * (N - 1) // 2}"]
lines += [f"{i + 1} {j + 1} {g[i, j]!r}" for i in range(N) for j in range(i + 1, N)]
text = "\n".join(lines).replace("np.float64(", "").replace(")", "") + "\n"
(pathlib.Path(__file__).parent / "sk20_seed1.txt").write_text(text)
