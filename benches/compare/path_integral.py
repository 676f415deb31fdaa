"""Effective samples a second of closed paths: path-integral-nn against scirs2-integrate's `pimc`, one thread each.

The peer is a Rust crate: a project outside the workspace depends on both, is built there, and runs both in one process. Building
it takes some minutes and 2 GB.

    python3 benches/compare/path_integral.py [DIRECTORY] [SCALE]

DIRECTORY (a temporary one by default) keeps the project and its build; SCALE multiplies the number of steps.
"""
import os
import pathlib
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


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="path-integral-peer-"))
    scale = sys.argv[2] if len(sys.argv) > 2 else "1"
    (directory / "src").mkdir(parents=True, exist_ok=True)
    (directory / "Cargo.toml").write_text(MANIFEST.format(root=criterion.ROOT))
    shutil.copy(pathlib.Path(__file__).with_name("path_integral_peer.rs"), directory / "src" / "main.rs")
    subprocess.run(["cargo", "build", "--release"], cwd=directory, check=True)
    load = os.getloadavg()[0]
    print(f"Machine: {criterion.machine()}; load {load:.1f} at the start.\n", flush=True)
    subprocess.run([directory / "target" / "release" / "path-integral-peer", scale], check=True)


if __name__ == "__main__":
    main()
