"""Decoders of the example `qec` for sinter.

    cargo build --release --example qec
    python examples/python/sinter_qec.py [--decoders matching,matching:correlated] [--out stats.csv]

collects failures of rotated surface memories with these decoders and with PyMatching, on the processes that sinter starts,
and prints a table. In a program of your own:

    sinter.collect(tasks=tasks, num_workers=4, decoders=["qec:matching"], custom_decoders=custom_decoders(["matching"]))

and on the command line, from this folder:

    sinter collect --custom_decoders_module_function sinter_qec:custom_decoders --decoders qec:matching ...

Needs sinter and stim; nothing is installed. The environment variable QEC names the program if it is not the one built here.
"""
import argparse
import os
import pathlib
import subprocess

import sinter
import stim

QEC = pathlib.Path(os.environ.get("QEC", pathlib.Path(__file__).resolve().parents[2] / "target/release/examples/qec"))


class QecDecoder(sinter.Decoder):
    """`qec decode` on sinter's files: a process a batch of shots, on one thread."""

    def __init__(self, name):
        self.name = name

    def decode_via_files(self, *, num_shots, num_dets, num_obs, dem_path, dets_b8_in_path, obs_predictions_b8_out_path, tmp_dir):
        command = [QEC, "decode", "--no-warm-up", "--decoder", self.name, "--dem", dem_path, "--in", dets_b8_in_path,
                   "--out", obs_predictions_b8_out_path, "--json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"qec decode --decoder {self.name}: {done.stderr.strip()}")


def custom_decoders(names=("matching", "matching:correlated", "union-find", "relay:1", "bp-osd:cs:7")):
    """Decoders by sinter's names: `qec:` and what `qec decode --decoder` takes."""
    return {f"qec:{name}": QecDecoder(name) for name in names}


def tasks(distances, rates):
    for distance in distances:
        for p in rates:
            circuit = stim.Circuit.generated(
                "surface_code:rotated_memory_x", distance=distance, rounds=distance, after_clifford_depolarization=p,
                before_round_data_depolarization=p, before_measure_flip_probability=p, after_reset_flip_probability=p)
            yield sinter.Task(circuit=circuit, json_metadata={"d": distance, "p": p})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--decoders", default="matching,matching:correlated")
    parser.add_argument("--shots", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", help="a CSV file of sinter's to add to")
    arguments = parser.parse_args()
    ours = custom_decoders(arguments.decoders.split(","))
    stats = sinter.collect(
        tasks=tasks([3, 5], [0.005, 0.01]), decoders=["pymatching", *ours], custom_decoders=ours,
        num_workers=arguments.workers, max_shots=arguments.shots, max_errors=arguments.shots,
        save_resume_filepath=arguments.out)
    print(f"{'decoder':>26} {'d':>3} {'p':>6} {'shots':>8} {'errors':>7} {'rate':>9} {'µs a shot':>10}")
    for row in sorted(stats, key=lambda row: (row.json_metadata["d"], row.json_metadata["p"], row.decoder)):
        print(f"{row.decoder:>26} {row.json_metadata['d']:>3} {row.json_metadata['p']:>6} {row.shots:>8} {row.errors:>7} "
              f"{row.errors / row.shots:>9.5f} {1e6 * row.seconds / row.shots:>10.1f}")


if __name__ == "__main__":
    main()
