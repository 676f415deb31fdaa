#!/usr/bin/env python3
"""Writes the instances of this directory. Python 3 and its standard library; the files come out byte for byte.

    python3 examples/data/make.py

All random numbers are SplitMix64 outputs with the seed named in the file, so that any language can remake them.
Gaussian numbers (Box-Muller) are rounded to nine decimals: the last digits of log and cos differ between machines.
"""

import json
import math
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def sign(self):
        return -1 if self.next() < 1 << 63 else 1

    def uniform(self):
        """From the 53 highest bits, in [0, 1)."""
        return (self.next() >> 11) * 2.0**-53

    def below(self, n):
        """By the high word of a product; the bias is below n / 2^64."""
        return (self.next() * n) >> 64

    def gauss(self, std=1.0):
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform()))
        return round(std * radius * math.cos(2.0 * math.pi * self.uniform()), 9)


def square_bonds(rows, columns, periodic):
    """Site by site, first the bond to (r, c+1), then the bond to (r+1, c)."""
    for r in range(rows):
        for c in range(columns):
            if c + 1 < columns or periodic:
                yield r * columns + c, r * columns + (c + 1) % columns
            if r + 1 < rows or periodic:
                yield r * columns + c, (r + 1) % rows * columns + c


def circle(n):
    """Unit distance between successive sites."""
    radius = 0.5 / math.sin(math.pi / n)
    angles = [2.0 * math.pi * k / n for k in range(n)]
    return [(round(radius * math.cos(a), 3) + 0.0, round(radius * math.sin(a), 3) + 0.0) for a in angles]


def write_edge_list(name, comments, n, couplings, positions=()):
    lines = [f"# {line}" for line in [*comments, "Made by examples/data/make.py."]]
    lines += [f"# position {i + 1} {x:g} {y:g}" for i, (x, y) in enumerate(positions)]
    lines.append(f"{n} {len(couplings)}")
    lines += [f"{i + 1} {j + 1} {w!r}" for i, j, w in couplings]
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")


def plus_minus_square(name, l, periodic, seed):
    stream = SplitMix64(seed)
    couplings = [(i, j, stream.sign()) for i, j in square_bonds(l, l, periodic)]
    ends = "periodic boundaries" if periodic else "free boundaries"
    comments = [
        f"+-J spin glass on the {l} x {l} square lattice, {ends}; energy -sum J s s.",
        f"Vertex {l} r + c + 1 is row r, column c. Bonds site by site, to the right, then down; one SplitMix64",
        f"output u for each, seed {seed}: J = -1 if u < 2^63, else +1. Sum of J: {sum(w for _, _, w in couplings)}.",
    ]
    write_edge_list(name, comments, l * l, couplings)


def sherrington_kirkpatrick(name, n, seed):
    stream = SplitMix64(seed)
    std = 1.0 / math.sqrt(n)
    couplings = [(i, j, stream.gauss(std)) for i in range(n) for j in range(i + 1, n)]
    comments = [
        f"Sherrington-Kirkpatrick model, {n} spins, J normal with mean 0 and variance 1/{n}; energy -sum J s s.",
        f"SplitMix64, seed {seed}, Box-Muller, pairs row by row, rounded to nine decimals. Drawn on a circle.",
    ]
    write_edge_list(name, comments, n, couplings, circle(n))


def random_graph(name, n, m, seed):
    stream = SplitMix64(seed)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    # The first m places of a Fisher-Yates shuffle.
    for k in range(m):
        other = k + stream.below(len(pairs) - k)
        pairs[k], pairs[other] = pairs[other], pairs[k]
    couplings = [(i, j, 1) for i, j in sorted(pairs[:m])]
    comments = [
        f"Max-Cut on a random graph with {n} vertices and {m} edges of weight 1, in the syntax of the G-set.",
        f"SplitMix64, seed {seed}: uniform among the graphs of this size. Read with --sign maxcut. Drawn on a circle.",
    ]
    write_edge_list(name, comments, n, couplings, circle(n))


def random_tree(name, n, seed):
    stream = SplitMix64(seed)
    parent = [None] + [stream.below(i) for i in range(1, n)]
    couplings = [(parent[i], i, stream.gauss()) for i in range(1, n)]
    depth = [0] * n
    children = [[] for _ in range(n)]
    for i in range(1, n):
        depth[i] = depth[parent[i]] + 1
        children[parent[i]].append(i)
    # Leaves side by side in the order of a walk, every other site above the middle of its children.
    x = [0.0] * n
    leaves = 0
    stack = [(0, False)]
    while stack:
        i, seen = stack.pop()
        if not children[i]:
            x[i] = float(leaves)
            leaves += 1
        elif seen:
            x[i] = 0.5 * (x[children[i][0]] + x[children[i][-1]])
        else:
            stack.append((i, True))
            stack += [(child, False) for child in reversed(children[i])]
    comments = [
        f"Random recursive tree of {n} spins, every spin tied to a uniformly chosen earlier one; J normal with mean 0",
        f"and variance 1; energy -sum J s s. SplitMix64, seed {seed}: first the parents, then the couplings by",
        "Box-Muller, rounded to nine decimals. Drawn in layers.",
    ]
    write_edge_list(name, comments, n, couplings, list(zip(x, depth)))


def with_fields(name, rows, columns, seed):
    """One model in both JSON formats, numbers in our sign: J and h of E = c - sum J s s - sum h s."""
    stream = SplitMix64(seed)
    couplings = [(i, j, stream.sign()) for i, j in square_bonds(rows, columns, False)]
    n = rows * columns
    fields = [stream.gauss(0.5) for _ in range(n)]
    offset = 0.25
    positions = [[i % columns, i // columns] for i in range(n)]
    description = (
        f"+-J couplings on the {rows} x {columns} square lattice with normal fields of standard deviation 0.5; "
        f"SplitMix64, seed {seed}, signs first, then fields by Box-Muller, rounded to nine decimals; "
        "the numbers are J and h of E = offset - sum J s s - sum h s; made by examples/data/make.py"
    )
    bqpjson = {
        "version": "1.0.0",
        "id": 0,
        "description": description,
        "metadata": {"positions": positions},
        "variable_domain": "spin",
        "scale": 1.0,
        "offset": offset,
        "variable_ids": list(range(n)),
        "linear_terms": [{"id": i, "coeff": h} for i, h in enumerate(fields)],
        "quadratic_terms": [{"id_tail": i, "id_head": j, "coeff": float(w)} for i, j, w in couplings],
    }
    dimod = {
        "type": "BinaryQuadraticModel",
        "version": {"bqm_schema": "3.0.0"},
        "use_bytes": False,
        "index_type": "int64",
        "bias_type": "float64",
        "num_variables": n,
        "num_interactions": len(couplings),
        "variable_labels": [[i // columns, i % columns] for i in range(n)],
        "variable_type": "SPIN",
        "offset": offset,
        "info": {"description": description, "positions": positions},
        "linear_biases": fields,
        "quadratic_biases": [float(w) for _, _, w in couplings],
        "quadratic_head": [i for i, _, _ in couplings],
        "quadratic_tail": [j for _, j, _ in couplings],
    }
    for kind, document in [("bqpjson", bqpjson), ("dimod", dimod)]:
        members = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
        (HERE / f"{name}.{kind}.json").write_text("{\n" + members + "\n}\n", encoding="ascii", newline="\n")


def main():
    plus_minus_square("pm_square_4.txt", 4, False, 1)
    plus_minus_square("pm_square_16.txt", 16, False, 1)
    plus_minus_square("pm_torus_8.txt", 8, True, 1)
    sherrington_kirkpatrick("sk_20.txt", 20, 1)
    random_graph("gset_small.txt", 24, 60, 1)
    random_tree("tree_20.txt", 20, 1)
    with_fields("field_12", 3, 4, 1)


if __name__ == "__main__":
    main()
