//! Minimum-weight perfect matching: sparse random graphs, near neighbours on a torus, complete graphs.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::graph::matching::minimum_weight_perfect_matching;
use linalg_core::rng::Streams;
use rand::RngExt;
use std::hint::black_box;
use std::time::Duration;

const SEED: u64 = 20_240_501;

type Edges = Vec<(usize, usize, i64)>;

/// Name, generator and sizes of a family of graphs.
type Family = (&'static str, fn(usize) -> Edges, &'static [usize]);

/// Ten edges a vertex with weights up to 10^6, and a heavy path that makes a perfect matching possible.
fn sparse(n: usize) -> Edges {
    let mut rng = Streams::new(SEED).stream(n as u64);
    let mut edges: Edges = (1..n).map(|v| (v - 1, v, 10_000_000)).collect();
    for _ in 0..10 * n {
        edges.push((rng.random_range(0..n), rng.random_range(0..n), rng.random_range(0..1_000_000)));
    }
    edges
}

/// Points of a square lattice with periodic boundaries, one in seven occupied as by frustrated plaquettes, each joined
/// to all others at Manhattan distance up to 7; and a path in row order with distances as weights.
fn torus(n: usize) -> Edges {
    const REACH: i64 = 7;
    let mut rng = Streams::new(SEED + 1).stream(n as u64);
    let side = ((7 * n) as f64).sqrt().ceil() as i64;
    let mut at = vec![usize::MAX; (side * side) as usize];
    for v in 0..n {
        while {
            let k = rng.random_range(0..at.len());
            let taken = at[k] != usize::MAX;
            if !taken {
                at[k] = v;
            }
            taken
        } {}
    }
    let mut edges = Edges::new();
    let mut previous: Option<(i64, i64, usize)> = None;
    for y in 0..side {
        for x in 0..side {
            let v = at[(y * side + x) as usize];
            if v == usize::MAX {
                continue;
            }
            if let Some((px, py, u)) = previous {
                let distance = |a: i64, b: i64| ((a - b).abs()).min(side - (a - b).abs());
                edges.push((u, v, distance(x, px) + distance(y, py)));
            }
            previous = Some((x, y, v));
            for dy in 0..=REACH {
                for dx in dy - REACH..=REACH - dy {
                    if dy == 0 && dx <= 0 {
                        continue;
                    }
                    let u = at[((y + dy) % side * side + (x + dx).rem_euclid(side)) as usize];
                    if u != usize::MAX {
                        edges.push((u, v, dx.abs() + dy));
                    }
                }
            }
        }
    }
    edges
}

fn complete(n: usize) -> Edges {
    let mut rng = Streams::new(SEED + 2).stream(n as u64);
    (0..n).flat_map(|u| (0..u).map(move |v| (u, v))).map(|(u, v)| (u, v, rng.random_range(0..1_000_000))).collect()
}

fn matching(c: &mut Criterion) {
    let mut group = c.benchmark_group("matching");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    let families: [Family; 3] =
        [("sparse", sparse, &[1000, 10_000]), ("torus", torus, &[1000, 10_000]), ("complete", complete, &[500, 1000])];
    for (name, build, sizes) in families {
        for &n in sizes {
            let edges = build(n);
            group.throughput(Throughput::Elements(n as u64));
            group.bench_with_input(BenchmarkId::new(name, n), &edges, |b, edges| {
                b.iter(|| minimum_weight_perfect_matching(n, black_box(edges)).expect("a perfect matching"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, matching);
criterion_main!(benches);
