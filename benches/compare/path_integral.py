"""Effective samples a second of closed paths: path-integral-nn against scirs2-integrate's `pimc`, one thread each.

The peer is a Rust crate: a project outside the workspace depends on both, is built there, and runs both in one process. Building
it takes some minutes and 2 GB.

    python3 benches/compare/path_integral.py [DIRECTORY] [SCALE]

DIRECTORY (a temporary one by default) keeps the project and its build; SCALE multiplies the number of steps.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import criterion

MANIFEST = """[package]
name = "path-integral-peer"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
linalg-core = {{ path = "{root}/crates/linalg-core" }}
path-integral-nn = {{ path = "{root}/crates/path-integral-nn" }}
scirs2-core = {{ version = "=0.6.5", default-features = false }}
scirs2-integrate = {{ version = "=0.6.5", default-features = false }}
"""


def record(line, rates):
    """A row of the first table: N, program, .., effective samples of the path mean a second (the sixth column)."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if len(cells) != 10 or not cells[0].isdigit():
        return
    n, rate = int(cells[0]), float(cells[5])
    if cells[1].startswith("path-integral-nn"):
        rates[n] = rate
    else:
        # The tuned displacement is another one at each size.
        peer = re.sub(r"displacement [0-9.]+ \(tuned\)", "tuned", cells[1])
        criterion.record("closed paths, mean position", peer, rates[n], rate, "effective samples/s", n, "N", more=True)


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="path-integral-peer-"))
    scale = sys.argv[2] if len(sys.argv) > 2 else "1"
    (directory / "src").mkdir(parents=True, exist_ok=True)
    (directory / "Cargo.toml").write_text(MANIFEST.format(root=criterion.ROOT))
    shutil.copy(pathlib.Path(__file__).with_name("path_integral_peer.rs"), directory / "src" / "main.rs")
    subprocess.run(["cargo", "build", "--release", "--target-dir", directory / "target"], cwd=directory, check=True)
    load = os.getloadavg()[0]
    print(f"Machine: {criterion.machine()}; load {load:.1f} at the start.\n", flush=True)
    command = [directory / "target" / "release" / "path-integral-peer", scale]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        rates = {}
        for line in process.stdout:
            print(line, end="", flush=True)
            record(line, rates)
    if process.returncode:
        sys.exit(f"{command[0]} ended with status {process.returncode}")


if __name__ == "__main__":
    main()
