//! The transition of lattice φ⁴ in 1 + 1 dimensions against the published continuum limit.

use linalg_core::Streams;
use linalg_core::stats::Estimate;
use path_integral_nn::field::{continuum_coupling, renormalised_coupling, transition};

#[test]
#[ignore = "eight lattices up to 128 x 128 at four couplings, about a minute; run by .ci/long"]
fn the_continuum_limit_of_the_critical_coupling() {
    // g/μ² → 2.7774(6) for g → 0: λ/μ² = 11.1097(22) with λ = 4 g (arXiv:2512.16536).
    let mut points: Vec<(f64, Estimate)> = Vec::new();
    for (k, (g, sizes)) in
        [(0.25, [32, 64]), (0.125, [32, 64]), (0.0625, [48, 96]), (0.03125, [64, 128])].into_iter().enumerate()
    {
        let found = transition(g, &sizes, 40_000, Streams::new(40 + k as u64)).unwrap();
        let (crossing, limit) = (found.crossings[0], found.extrapolated());
        println!(
            "g = {g}, m² = {limit}: g/μ² = {:.4}, at the crossing {:.4}",
            renormalised_coupling(limit, g).unwrap(),
            renormalised_coupling(crossing, g).unwrap()
        );
        // Both ways to the transition agree.
        assert!(crossing.z_score(&limit).abs() < 4.0, "{g}: {crossing} {limit}");
        points.push((g, renormalised_coupling(limit, g).unwrap()));
    }
    // At a finite spacing the ratio is another number: the first point is 0.2 below the limit, by many errors.
    let first = points[0].1;
    assert!(first.std_error.unwrap() < 0.01 && (first.value - 2.57).abs() < 0.05, "{first}");
    let limit = continuum_coupling(&points).unwrap();
    println!("g to 0: {limit:.3}");
    let error = limit.std_error.unwrap();
    assert!(error < 0.2 && (limit.value - 2.7774).abs() < 4.0 * error, "{limit}");
}
