//! Forces on paths and steps of the samplers, for x²/2 + x⁴ at β = 8.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use path_integral_nn::potential::Potential;
use path_integral_nn::sampler::{Chains, ChainsParams, LANES, Method, Target};
use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};

fn quartic() -> Polynomial {
    Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).expect("bounded below")
}

/// The gradient of the potential on a block of paths of 128 slices: elements are slices.
fn force(c: &mut Criterion) {
    let mut group = c.benchmark_group("path_force");
    group.measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(300));
    let potential = quartic();
    let x: Vec<f64> = (0..128 * LANES).map(|k| (0.37 * k as f64).sin()).collect();
    let mut out = vec![0.0; x.len()];
    group.throughput(Throughput::Elements(x.len() as u64));
    group.bench_function("quartic", |bencher| bencher.iter(|| potential.gradients(&x, &mut out)));
    group.finish();
}

/// One step of 16 chains: elements are chains.
fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("path_step");
    group.sample_size(20).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(300));
    group.throughput(Throughput::Elements(LANES as u64));
    let system = System::new(quartic()).expect("bounded below");
    for n in [64, 128, 1024] {
        let ensemble = Ensemble::periodic(8.0, n).expect("a ring");
        let target = Action::new(&system, &ensemble, Rule::Trapezoid).and_then(|a| Target::variational(&a));
        let target = target.expect("a reference");
        for method in [Method::HmcReference, Method::Pcn, Method::Metropolis] {
            let params = ChainsParams::default().chains(LANES);
            let mut chains = Chains::new(&target, method, params).expect("finite paths");
            chains.thermalize(200, &mut ()).expect("no stop");
            group.bench_function(BenchmarkId::new(method.name(), n), |bencher| {
                bencher.iter(|| chains.advance(1, &mut ()).expect("no stop"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, force, steps);
criterion_main!(benches);
