"""Rank of a random dense n x n matrix over GF(2): linalg-core against Python packages, one thread."""
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1")
import time

import galois
import ldpc.mod2
import numpy as np
import scipy.sparse

import criterion


def best(call, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def peers(n):
    matrix = np.random.default_rng(n).integers(0, 2, (n, n), dtype=np.uint8)
    if n <= 4096:
        sparse = scipy.sparse.csr_matrix(matrix)
        yield "ldpc 2.4.1, mod2.rank", best(lambda: ldpc.mod2.rank(sparse), 1 if n > 2048 else 3)
    if n <= 1024:
        field = galois.GF2(matrix)
        yield "galois 0.4.11, matrix_rank", best(lambda: np.linalg.matrix_rank(field))


def main():
    criterion.run("gf2", "gf2_rank")
    print(f"Machine: {criterion.machine()}.\n")
    print("| n | program | seconds | ratio to linalg-core |\n|---|---|---|---|")
    for n in [1024, 4096, 8192]:
        ours = criterion.median_seconds("gf2_rank", "four_russians", str(n))
        print(f"| {n} | linalg-core | {ours:.4g} | 1 |")
        for name, seconds in peers(n):
            print(f"| {n} | {name} | {seconds:.4g} | {seconds / ours:.0f} |")
            criterion.record("rank of a dense matrix over GF(2)", name, ours, seconds, "s", n)


if __name__ == "__main__":
    main()
