"""Writes the golden JSON instances and the energies of all their configurations.

    pip install dimod==0.12.23 bqpjson==0.5.3
    python3 make_golden.py

dimod serialises its own models and computes their energies; the bqpjson files are checked and evaluated by the
bqpjson package. Neither shares code with this crate.
"""

import itertools
import json
import pathlib

import bqpjson
import dimod

HERE = pathlib.Path(__file__).parent


def configurations(n, low):
    return itertools.product([low, 1], repeat=n)


def line(name, values, energy):
    return f"{name} {''.join('+' if v == 1 else '-' for v in values)} {energy!r}\n"


def dimod_files():
    linear = {"a": -1.0, (0, 1): 0.5, 3: 0.25, "é \"b\"": 0.0, -7: 1e-3}
    quadratic = {("a", (0, 1)): 1.5, ((0, 1), 3): -0.1, (3, "é \"b\""): 2.0, ("a", -7): -0.75, (3, -7): 1 / 3}
    for vartype in ["SPIN", "BINARY"]:
        model = dimod.BinaryQuadraticModel(linear, quadratic, 0.625, vartype)
        name = f"dimod_{vartype.lower()}.json"
        (HERE / name).write_text(json.dumps(model.to_serializable(), indent=1) + "\n")
        variables = list(model.variables)
        for values in configurations(len(variables), -1 if vartype == "SPIN" else 0):
            yield line(name, values, float(model.energy(dict(zip(variables, values)))))


def bqpjson_files():
    for domain in ["spin", "boolean"]:
        problem = {
            "version": "1.0.0",
            "id": 5,
            "description": f"golden instance, {domain}",
            "metadata": {"generated": "by make_golden.py", "chimera_degree": 2},
            "variable_ids": [2, 4, 6, 11],
            "variable_domain": domain,
            "scale": 2.5,
            "offset": -0.375,
            "linear_terms": [{"id": 2, "coeff": 1.3}, {"id": 11, "coeff": -0.7}],
            "quadratic_terms": [
                {"id_tail": 2, "id_head": 4, "coeff": -0.2},
                {"id_tail": 4, "id_head": 2, "coeff": 0.45},
                {"id_tail": 2, "id_head": 6, "coeff": 1.5},
                {"id_tail": 6, "id_head": 11, "coeff": 0.1},
            ],
            "solutions": [
                {"id": 0, "assignment": [{"id": i, "value": 1} for i in [2, 4, 6, 11]], "description": "all one"}
            ],
        }
        bqpjson.validate(problem)
        name = f"bqpjson_{domain}.json"
        (HERE / name).write_text(json.dumps(problem, indent=1) + "\n")
        ids = problem["variable_ids"]
        # The package evaluates the solutions listed in a problem.
        every = list(configurations(len(ids), -1 if domain == "spin" else 0))
        assignments = [[{"id": i, "value": v} for i, v in zip(ids, values)] for values in every]
        listed = {**problem, "solutions": [{"id": k, "assignment": a} for k, a in enumerate(assignments)]}
        for values, energy in zip(every, bqpjson.evaluate(listed)):
            yield line(name, values, energy)


def main():
    header = [
        "# Energies of every configuration of the JSON instances beside this file, in the numbers of the file\n",
        "# (Sign::Dimod): name, spins in the order of the variables, energy. Made by make_golden.py with\n",
        f"# dimod {dimod.__version__} and bqpjson 0.5.3.\n",
    ]
    (HERE / "golden_energies.txt").write_text("".join([*header, *dimod_files(), *bqpjson_files()]))


if __name__ == "__main__":
    main()
