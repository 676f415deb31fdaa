"""Runs a criterion bench of this workspace and reads its medians."""
import json
import os
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Where cargo builds.
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")


def run(bench, *arguments):
    """Runs `cargo bench --bench BENCH` with the filter in `arguments`; its report goes to standard error."""
    command = ["cargo", "bench", "-p", "workspace-benches", "--bench", bench, "--", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def median_seconds(group, *path):
    """Median of one benchmark in seconds."""
    file = TARGET.joinpath("criterion", group, *path, "new", "estimates.json")
    return json.loads(file.read_text())["median"]["point_estimate"] * 1e-9


def record(case, peer, ours, theirs, unit, size=None, axis="n", more=False):
    """Keeps a pair of measured numbers for `all.py`: a line of JSON in the file that COMPARE_RECORDS names, else nothing.

    Both numbers are costs in `unit`, or rates where `more` is better. A case with sizes is drawn against `axis`.
    """
    file = os.environ.get("COMPARE_RECORDS")
    if file:
        entry = dict(case=case, peer=peer, ours=float(ours), theirs=float(theirs), unit=unit, size=size, axis=axis, more=more)
        with open(file, "a", encoding="utf-8") as out:
            out.write(json.dumps(entry, ensure_ascii=False) + "\n")


def machine():
    """Processor and compiler, for the caption of a table."""
    model = platform.processor()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith(("model name", "flags"))]
        model = lines[0].split(":")[1].strip()
        model += ", AVX-512" if " avx512f" in lines[1] else ", AVX2" if " avx2" in lines[1] else ""
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{model}; {compiler}"
