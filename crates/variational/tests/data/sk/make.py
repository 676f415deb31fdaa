"""Makes the Sherrington-Kirkpatrick instances of the table of networks: N = 24 and 50, ten each.

    python3 crates/variational/tests/data/sk/make.py

Instance k of N spins (k = 1 ... 10) has normal couplings of variance 1/N, rounded to six decimals, from numpy's default
generator with seed 1000 N + k (numpy 2), row by row above the diagonal. Sites from 1; E = -sum J s s.
"""
import math
import pathlib

import numpy as np

for n in (24, 50):
    for k in range(1, 11):
        g = np.random.default_rng(1000 * n + k).standard_normal(n * (n - 1) // 2) / math.sqrt(n)
        pairs = [(i, j) for i in range(1, n + 1) for j in range(i + 1, n + 1)]
        lines = [f"{n} {len(pairs)}"] + [f"{i} {j} {x:.6f}" for (i, j), x in zip(pairs, g)]
        (pathlib.Path(__file__).parent / f"sk{n}_{k}.txt").write_text("\n".join(lines) + "\n")
