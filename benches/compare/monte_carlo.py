"""Packed spins, cluster updates and parallel tempering of spin-models against peapods, mcising and dwave-samplers.

One thread against one thread. The rates of spin-models come from the criterion benches `multispin` and `cluster`, run
here first.
"""
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1", RAYON_NUM_THREADS="1")
import math
import time

import numpy as np

import criterion

CRITICAL = 2 / math.log(1 + math.sqrt(2))
# Widest registers first.
KERNELS = ["avx512", "avx2", "portable"]


def seconds(call, repeats=2):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def ours(group, *path, work):
    """Units of work a nanosecond."""
    return work / criterion.median_seconds(group, *path) * 1e-9


def peapods_sweeps(l, mode):
    import peapods

    model = peapods.Ising((l, l), temperatures=np.array([CRITICAL]), n_replicas=1)
    sweeps = max(2, int(2e7 / l / l))
    run = lambda: model.sample(sweeps, sweep_mode=mode, warmup_ratio=0.0, sequential=True)
    run()
    return l * l * sweeps / seconds(run) * 1e-9


def mcising_sweeps(l):
    from mcising import IsingSimulation

    model = IsingSimulation(l, 1.0, 0.0, 0.0, 0.0, 1, "metropolis")
    sweeps = max(2, int(2e7 / l / l))
    model.sweep(2, temperature=CRITICAL)
    return l * l * sweeps / seconds(lambda: model.sweep(sweeps, temperature=CRITICAL)) * 1e-9


def dwave_sweeps(l):
    import dimod
    from dwave.samplers import SimulatedAnnealingSampler

    bonds = {}
    for r in range(l):
        for c in range(l):
            bonds[r * l + c, r * l + (c + 1) % l] = -1.0
            bonds[r * l + c, (r + 1) % l * l + c] = -1.0
    model = dimod.BinaryQuadraticModel.from_ising({}, bonds)
    sampler = SimulatedAnnealingSampler()

    def run(sweeps):
        schedule = dict(beta_schedule_type="custom", beta_schedule=[1 / CRITICAL] * sweeps, num_sweeps_per_beta=1)
        sampler.sample(model, num_reads=1, seed=1, **schedule)

    sweeps = max(4, int(2e7 / l / l))
    # Without the time to take up the model.
    return l * l * sweeps / (seconds(lambda: run(sweeps + 1)) - seconds(lambda: run(1))) * 1e-9


def one_lattice():
    row("L", "program", "flips/ns", "ratio to spin-models")
    row("---", "---", "---", "---")
    for l in [1024, 4096]:
        work = max(1, (1 << 20) // (l * l)) * l * l
        best = None
        for name in KERNELS:
            try:
                rate = ours("multispin_lattice", f"Metropolis_{l}", name, work=work)
            except FileNotFoundError:
                continue
            # The first is the widest that this processor has.
            best = best or rate
            row(l, f"spin-models, {name}", f"{rate:.2f}", f"{rate / best:.2g}")
        for name, call in [
            ("peapods 0.2.0, Metropolis", lambda: peapods_sweeps(l, "metropolis")),
            ("mcising 1.1.0, Metropolis", lambda: mcising_sweeps(l)),
            ("dwave-samplers 1.8.0, annealer at one temperature", lambda: dwave_sweeps(l)),
        ]:
            if l > 1024 and name.startswith("dwave"):
                continue
            try:
                rate = call()
            except (ImportError, TypeError, ValueError) as error:
                row(l, name, f"failed: {error}", "")
                continue
            row(l, name, f"{rate:.3f}", f"1/{best / rate:.0f}")
            criterion.record("Metropolis in packed bits, square lattice", name, best, rate, "flips/ns", l, "L", more=True)


def clusters():
    import peapods

    print()
    row("L", "program", "update", "ns", "ratio to spin-models")
    row("---", "---", "---", "---", "---")
    for l in [512, 1024]:
        model = peapods.Ising((l, l), temperatures=np.array([CRITICAL]), n_replicas=1)
        base = dict(warmup_ratio=0.0, sequential=True)
        model.sample(50, cluster_update_interval=1, cluster_mode="sw", **base)
        n = max(10, int(4e6 / l / l))
        both = seconds(lambda: model.sample(n, cluster_update_interval=1, cluster_mode="sw", **base))
        sweeps = seconds(lambda: model.sample(n, **base))
        peer = (both - sweeps) / n / l / l * 1e9
        rate = criterion.median_seconds("cluster_updates", "swendsen_wang", f"square_L{l}") / l / l * 1e9
        row(l, "spin-models", "Swendsen-Wang, per site", f"{rate:.2f}", 1)
        row(l, "peapods 0.2.0", "Swendsen-Wang, per site", f"{peer:.1f}", f"{peer / rate:.1f}")
        criterion.record("Swendsen-Wang update, square lattice", "peapods 0.2.0", rate, peer, "ns a site", l, "L")


def tempering_rate(name, temperatures, work):
    try:
        return ours("multispin_tempering", f"cubic_8_{temperatures}", name, work=work)
    except FileNotFoundError:
        return None


def tempering():
    import peapods

    print()
    row("instance", "program", "flips/ns", "ratio to spin-models")
    row("---", "---", "---", "---")
    n, temperatures = 512, 32
    replicas = 512 // temperatures * temperatures * n
    work = max(1, (1 << 20) // replicas) * replicas
    rate = next(rate for rate in (tempering_rate(name, temperatures, work) for name in KERNELS) if rate)
    row("cubic ±J, L = 8, 32 temperatures", "spin-models, 16 ladders", f"{rate:.2f}", 1)
    model = peapods.Ising((8, 8, 8), couplings="bimodal", temperatures=np.geomspace(0.4, 2.5, temperatures), n_replicas=2)
    sweeps = int(3e7 / n / temperatures / 2)
    run = lambda: model.sample(sweeps, pt_interval=1, warmup_ratio=0.0, sequential=True)
    model.sample(10, pt_interval=1, warmup_ratio=0.0, sequential=True)
    peer = n * 2 * temperatures * sweeps / seconds(run, 1) * 1e-9
    row("the same", "peapods 0.2.0, 2 replicas a temperature", f"{peer:.3f}", f"1/{rate / peer:.0f}")
    criterion.record("parallel tempering, cubic ±J, L = 8, 32 temperatures", "peapods 0.2.0", rate, peer, "flips/ns", more=True)


def main():
    criterion.run("multispin", "multispin_(lattice/Metropolis|tempering)")
    criterion.run("cluster", "cluster_updates/swendsen_wang")
    print(f"Machine: {criterion.machine()}.\n")
    one_lattice()
    clusters()
    tempering()


if __name__ == "__main__":
    main()
