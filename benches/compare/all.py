"""Runs the comparisons of all crates with other programs and joins what they measure into one page with figures.

    python3 benches/compare/all.py --list
    python3 benches/compare/all.py --only gf2 --repeats 3
    python3 benches/compare/all.py --mnist DIR

Needs Python 3.11 and cargo. The other programs are installed from requirements.txt into a virtual environment under the target
directory. Every script is run `--repeats` times, all scripts in turn, so that a disturbance of the machine falls on one run of each;
within a script ours and theirs alternate as its own text says. Scripts hand over pairs of numbers (`criterion.record`); a ratio is
taken within a run, and the page has the median of the ratios with the least and the greatest. What was measured earlier and is not
run now stays: with `--only` the rest of the page is that of the runs before. Running everything takes hours; without a directory of
MNIST files `boltzmann` is left out.

The page is docs/benchmarks/compared.md, its figures are docs/figures/compared_*.svg, raw numbers stay in TARGET/compare.
"""
import argparse
import datetime
import hashlib
import html
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import venv

import criterion

HERE = pathlib.Path(__file__).resolve().parent
STORE = criterion.TARGET / "compare"
PAGE = criterion.ROOT / "docs/benchmarks/compared.md"
FIGURES = criterion.ROOT / "docs/figures"
# The page of the crate, the examples to build, and arguments. Scripts that are not named here take the defaults.
SETTINGS = {
    "annealing": ("spin-models", ["anneal"], []),
    "belief_propagation": ("quantum-ec", ["qec"], []),
    "boltzmann": ("boltzmann", ["rbm_mnist"], ["MNIST"]),
    "circuit_amplitudes": ("spin-models", ["random_circuit"], []),
    "circuit_models": ("quantum-ec", ["qec"], []),
    "gf2": ("linalg-core", [], []),
    "inverse_ising": ("spin-models", ["inverse_ising"], []),
    "matching": ("quantum-ec", ["qec"], []),
    "matching_memory": ("quantum-ec", ["qec"], []),
    "monte_carlo": ("spin-models", [], []),
    "path_integral": ("path-integral-nn", [], ["STORE"]),
    "quantum_ec": ("quantum-ec", ["qec"], []),
    "spin_models": ("spin-models", ["solve"], []),
    "tensor_network": ("spin-models", ["solve"], []),
    "variational": ("variational", [], []),
}
COLOURS = ["#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d08a00", "#555555"]


def scripts():
    """Names of the scripts that hand over numbers."""
    found = [path.stem for path in sorted(HERE.glob("*.py")) if path.stem not in ("all", "criterion")]
    return [name for name in found if "criterion.record(" in (HERE / f"{name}.py").read_text(encoding="utf-8")]


def settings(name):
    return SETTINGS.get(name, (None, [], []))


def environment(directory):
    """The interpreter of a virtual environment with the other programs; made anew when requirements.txt has changed."""
    requirements = HERE / "requirements.txt"
    stamp = directory / "requirements.sha256"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    python = directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (stamp.exists() and stamp.read_text() == digest):
        venv.create(directory, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        stamp.write_text(digest)
    return python


def run(python, name, number, arguments):
    """One run of a script; its numbers, or None if it failed. Its tables are kept beside them."""
    folder = STORE / name
    folder.mkdir(parents=True, exist_ok=True)
    records = folder / f"{number}.jsonl"
    records.unlink(missing_ok=True)
    variables = dict(os.environ, COMPARE_RECORDS=str(records), PYTHONDONTWRITEBYTECODE="1")
    began = datetime.datetime.now(datetime.timezone.utc)
    load = os.getloadavg()[0]
    with open(folder / f"{number}.md", "w", encoding="utf-8") as out:
        status = subprocess.run([python, HERE / f"{name}.py", *arguments], env=variables, stdout=out, cwd=criterion.ROOT).returncode
    if status or not records.exists():
        print(f"{name}, run {number}: status {status}, {'some' if records.exists() else 'no'} numbers", file=sys.stderr)
        return None
    numbers = [json.loads(line) for line in records.read_text(encoding="utf-8").splitlines()]
    seconds = (datetime.datetime.now(datetime.timezone.utc) - began).total_seconds()
    return {"began": began.isoformat(timespec="seconds"), "seconds": round(seconds), "load": round(load, 1), "numbers": numbers}


def versions(python):
    """Versions of what requirements.txt names, as they are installed."""
    names = {re.split(r"[=<>\s]", line)[0].lower() for line in (HERE / "requirements.txt").read_text().splitlines() if line.strip()}
    listed = subprocess.run([python, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True, check=True).stdout
    return sorted(f"{package['name']} {package['version']}" for package in json.loads(listed) if package["name"].lower() in names)


def commit():
    """The commit that was measured, or None outside a checkout."""
    found = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=criterion.ROOT, capture_output=True, text=True)
    return found.stdout.strip() if found.returncode == 0 else None


def pairs(runs):
    """Over the runs of a script: (case, size, peer) with the pairs of numbers, in the order of the script."""
    table = {}
    for entry in (entry for found in runs for entry in found["numbers"]):
        key = (entry["case"], entry["size"], entry["peer"])
        row = table.setdefault(key, {"unit": entry["unit"], "more": entry["more"], "axis": entry["axis"], "pairs": []})
        row["pairs"].append((entry["ours"], entry["theirs"]))
    return table


def advantage(row):
    """How many times less ours costs, in every run: their cost over ours, our rate over theirs."""
    return [ours / theirs if row["more"] else theirs / ours for ours, theirs in row["pairs"] if ours > 0 and theirs > 0]


def shown(x):
    """Three digits, without an exponent where that is readable."""
    if x == 0 or not math.isfinite(x):
        return str(x)
    if 1e-3 <= abs(x) < 1e6:
        return f"{x:.{max(0, 2 - math.floor(math.log10(abs(x))))}f}"
    return f"{x:.2e}"


def table(name, found):
    """The rows of a script in Markdown."""
    lines = ["| case | peer | unit | ours | theirs | ratio | least to greatest |", "|---|---|---|---|---|---|---|"]
    for (case, size, peer), row in pairs(found["runs"]).items():
        ratios = advantage(row)
        if not ratios:
            continue
        place = case if size is None else f"{case}, {row['axis']} = {size}"
        ours, theirs = (statistics.median(column) for column in zip(*row["pairs"]))
        spread = f"{shown(min(ratios))} to {shown(max(ratios))}" if len(ratios) > 1 else "one run"
        cells = [place, peer, row["unit"], shown(ours), shown(theirs), shown(statistics.median(ratios)), spread]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def curves(found):
    """Cases with several sizes: name, axis, unit of cost and, for each program, (size, median, least, greatest)."""
    cases = {}
    for (case, size, peer), row in pairs(found["runs"]).items():
        if size is not None:
            cases.setdefault(case, []).append((size, peer, row))
    for case, rows in cases.items():
        if len({size for size, _, _ in rows}) < 2:
            continue
        axis, unit, more = rows[0][2]["axis"], rows[0][2]["unit"], rows[0][2]["more"]
        programs = {}
        for size, peer, row in rows:
            for program, column in [("ours", 0), (peer, 1)]:
                values = [pair[column] for pair in row["pairs"] if pair[column] > 0]
                # A rate is drawn as what a piece costs.
                costs = sorted(1 / value for value in values) if more else sorted(values)
                if costs:
                    programs.setdefault(program, {})[size] = (statistics.median(costs), costs[0], costs[-1])
        yield case, axis, f"1 / ({unit})" if more else unit, programs


def figure(title, axis, unit, programs):
    """Cost against size on logarithmic axes, with the least and the greatest as bars."""
    width, height, left, right, top, bottom = 640, 400, 80, 200, 40, 56
    points = [(size, *values) for curve in programs.values() for size, values in curve.items()]
    sizes = [math.log10(point[0]) for point in points]
    costs = [math.log10(value) for point in points for value in point[2:]]
    span = lambda values: (min(values) - 0.05 * (max(values) - min(values) or 1), max(values) + 0.05 * (max(values) - min(values) or 1))
    (x0, x1), (y0, y1) = span(sizes), span(costs)
    x = lambda size: left + (math.log10(size) - x0) / (x1 - x0) * (width - left - right)
    y = lambda cost: height - bottom - (math.log10(cost) - y0) / (y1 - y0) * (height - top - bottom)
    text = lambda at_x, at_y, words, more="": f'<text x="{at_x:.1f}" y="{at_y:.1f}" {more}>{html.escape(words)}</text>'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>', text(left, 22, title, 'font-size="14"'),
           f'<path d="M{left} {top}V{height - bottom}H{width - right}" fill="none" stroke="black"/>']
    for size in sorted({point[0] for point in points}):
        out.append(f'<path d="M{x(size):.1f} {height - bottom}v5" stroke="black"/>')
        out.append(text(x(size), height - bottom + 18, str(size), 'text-anchor="middle"'))
    # Decades; where there is none between the ends, the ends.
    decades = [10.0**k for k in range(math.ceil(y0), math.floor(y1) + 1)] or [10**y0, 10**y1]
    for cost in decades:
        out.append(f'<path d="M{left - 5} {y(cost):.1f}H{width - right}" stroke="#dddddd"/>')
        out.append(text(left - 8, y(cost) + 4, f"{cost:.3g}", 'text-anchor="end"'))
    out.append(text((left + width - right) / 2, height - 14, axis, 'text-anchor="middle"'))
    out.append(text(0, 0, unit, f'text-anchor="middle" transform="translate(18 {(top + height - bottom) / 2:.0f}) rotate(-90)"'))
    for number, (program, curve) in enumerate(programs.items()):
        colour = COLOURS[number % len(COLOURS)]
        ordered = sorted(curve.items())
        path = " ".join(f"{x(size):.1f},{y(values[0]):.1f}" for size, values in ordered)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        for size, (middle, least, greatest) in ordered:
            out.append(f'<path d="M{x(size):.1f} {y(least):.1f}V{y(greatest):.1f}" stroke="{colour}"/>')
            out.append(f'<circle cx="{x(size):.1f}" cy="{y(middle):.1f}" r="3.5" fill="{colour}"/>')
        out.append(f'<path d="M{width - right + 12} {top + 18 * number}h18" stroke="{colour}" stroke-width="2"/>')
        out.append(text(width - right + 36, top + 4 + 18 * number, program))
    return "\n".join([*out, "</svg>", ""])


def slug(words):
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def join(known):
    """Writes the page and its figures from all results that are kept."""
    lines = ["# Other programs on the same tasks", "",
             "Written by `python3 benches/compare/all.py`. A ratio says how many times less ours costs: their time or memory over ours, our",
             "rate over theirs; below 1 the other program is cheaper. Ratios are taken within a run, where both programs alternate; the table",
             "has their median, the least and the greatest, and medians of the numbers themselves. One thread against one thread unless a",
             "row says otherwise. What was set and measured stands in the text of each script and on the page of the crate.", ""]
    # What all were measured with stands once.
    same = {", ".join(found["versions"]) for found in known.values()}
    if len(same) == 1:
        lines += [f"Versions: {same.pop()}.", ""]
    for name, found in known.items():
        page, _, _ = settings(name)
        where = f"[{page}]({page}.md), " if page else ""
        runs = found["runs"]
        loads = f"load at the start {min(r['load'] for r in runs)} to {max(r['load'] for r in runs)}"
        lines += [f"## {name}", "", f"{where}`benches/compare/{name}.py`. {len(runs)} run{'s' if len(runs) > 1 else ''} from {runs[0]['began']},",
                  f"{loads}. {found['machine']}; {found['commit'] or 'no commit'}; Python {found['python']}.", ""]
        lines += table(name, found)
        for case, axis, unit, programs in curves(found):
            file = f"compared_{name}_{slug(case)}.svg"
            (FIGURES / file).write_text(figure(case, axis, unit, programs), encoding="utf-8")
            lines += ["", f"![Cost of {html.escape(case)} against {axis}](../figures/{file})"]
        if same:
            lines += ["", f"Versions: {', '.join(found['versions'])}."]
        lines.append("")
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these scripts; the others keep their numbers")
    parser.add_argument("--repeats", type=int, default=3, help="runs of every script")
    parser.add_argument("--mnist", metavar="DIR", help="MNIST files, for `boltzmann`")
    parser.add_argument("--venv", type=pathlib.Path, default=STORE / "venv", metavar="DIR")
    parser.add_argument("--join", action="store_true", help="run nothing, write the page from the numbers that are kept")
    parser.add_argument("--list", action="store_true", help="name the scripts")
    arguments = parser.parse_args()
    names = scripts()
    if arguments.list:
        print("\n".join(f"{name:20} {settings(name)[0] or ''}" for name in names))
        return
    unknown = [name for name in arguments.only or [] if name not in names]
    if unknown:
        parser.error(f"no script {', '.join(unknown)}; there are {', '.join(names)}")
    if arguments.repeats < 1:
        parser.error(f"--repeats is {arguments.repeats}, expected at least 1")
    wanted = [] if arguments.join else arguments.only or names
    if "boltzmann" in wanted and not arguments.mnist:
        if arguments.only:
            parser.error("boltzmann needs --mnist DIR")
        print("boltzmann is left out: no --mnist", file=sys.stderr)
        wanted = [name for name in wanted if name != "boltzmann"]
    STORE.mkdir(parents=True, exist_ok=True)
    failed = []
    if wanted:
        places = {"MNIST": arguments.mnist, "STORE": str(STORE / "path-integral-peer")}
        python = environment(arguments.venv)
        examples = sorted({example for name in wanted for example in settings(name)[1]})
        if examples:
            flags = [flag for example in examples for flag in ("--example", example)]
            subprocess.run(["cargo", "build", "--release", *flags], cwd=criterion.ROOT, check=True)
        about = {"machine": criterion.machine(), "commit": commit(), "python": sys.version.split()[0], "versions": versions(python)}
        runs = {name: [] for name in wanted}
        for number in range(1, arguments.repeats + 1):
            for name in wanted:
                print(f"{name}, run {number} of {arguments.repeats}", file=sys.stderr, flush=True)
                found = run(python, name, number, [places.get(argument, argument) for argument in settings(name)[2]])
                if found:
                    runs[name].append(found)
                    # After every run, so that an interruption loses one run.
                    (STORE / f"{name}.json").write_text(json.dumps({**about, "runs": runs[name]}, indent=1), encoding="utf-8")
                else:
                    failed.append(f"{name}, run {number}")
    known = {name: json.loads((STORE / f"{name}.json").read_text()) for name in names if (STORE / f"{name}.json").exists()}
    if known:
        join(known)
        print(f"written: {PAGE.relative_to(criterion.ROOT)}", file=sys.stderr)
    if failed:
        sys.exit(f"failed: {'; '.join(failed)}")


if __name__ == "__main__":
    main()
