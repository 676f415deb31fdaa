//! Onsager, Kaufman and Curie-Weiss against reference numbers, enumeration and each other.

use std::f64::consts::{FRAC_PI_2, LN_2, PI};

use approx::{assert_abs_diff_eq, assert_relative_eq};
use linalg_core::logspace::log_sum_exp;
use linalg_core::special::{elliptic_e_complement, elliptic_k_complement};
use proptest::prelude::*;
use spin_models::exact::onsager::{CRITICAL_COUPLING, Direction};
use spin_models::exact::{Kaufman, Onsager, UniformRow, kaufman, onsager};
use spin_models::theory::{CurieWeiss, CurieWeissLimit};
use spin_models::{Boundary, Correlations, Duplicates, Enumeration, Error, Ising, Quantities, Solve};

/// K, ln Z, energy and specific heat per site, magnetization: Onsager's and Yang's formulas with 30 digits.
#[allow(clippy::excessive_precision, clippy::approx_constant)] // reference values as computed
const INFINITE: [(f64, f64, f64, f64, f64); 9] = [
    (0.2, 0.73453081227632604504, -0.42822883324034805783, 0.097652177588479695168, 0.0),
    (0.3, 0.7905590709512628659, -0.70449907083244508064, 0.28629020287204577761, 0.0),
    (0.4, 0.87936382077494818803, -1.1060792037457909122, 0.86169835683076362513, 0.0),
    (0.44, 0.92872854045688847611, -1.4022269600314211763, 2.8896870923765861144, 0.0),
    (CRITICAL_COUPLING, 0.92969539834161021499, -1.4142135623730950488, f64::INFINITY, 0.0),
    (0.45, 0.94338377309879344386, -1.5130458059983030544, 1.6079529376408615171, 0.74932261253237649721),
    (0.5, 1.0257928126949175757, -1.7455645753125539646, 0.72487144860157392778, 0.91131937787749597752),
    (0.6, 1.2101323882884129392, -1.9090861776840752082, 0.31344535812616715789, 0.97360866744030050551),
    (1.0, 2.0003482837007102806, -1.9971602041122511268, 0.023379564686542134481, 0.99927575195706119656),
];

/// L, K, ln Z, energy and specific heat per site: Kaufman's formula with 30 digits.
#[allow(clippy::excessive_precision)] // reference values as computed
const TORI: [(usize, f64, f64, f64, f64); 21] = [
    (4, 0.2, 11.77147035854158184904, -0.4561353695428472, 0.119546188787),
    (4, 0.4, 14.56109302384404300284, -1.379116482259349, 0.81251522944),
    (4, CRITICAL_COUPLING, 15.52191545875528319383, -1.565623787638319, 0.783266825929),
    (4, 0.5, 17.10536711873158330793, -1.755380288777435, 0.60553265721),
    (4, 1.0, 32.6987214018793251511, -1.997158440255767, 0.0234093974569),
    (8, 0.2, 47.01014742238826898862, -0.4283680589440813, 0.09791417198),
    (8, 0.4, 56.59938876042537327913, -1.222320643250913, 1.10047588936),
    (8, CRITICAL_COUPLING, 60.14178078906915340731, -1.491589107439707, 1.14555923989),
    (8, 0.5, 66.34458187922780843369, -1.7456831702932, 0.714122602855),
    (8, 1.0, 128.7154373374084180044, -1.99716020411051, 0.0233795647516),
    (16, 0.2, 188.039887955983169202, -0.4282288387117016, 0.0976521999023),
    (16, 0.4, 225.228846755875803169, -1.131317984410729, 1.06497688285),
    (16, CRITICAL_COUPLING, 238.6422566351328864999, -1.453064852813477, 1.4987049594),
    (16, 0.5, 263.2962104340212176213, -1.745530668990919, 0.725508767737),
    (16, 1.0, 512.7823078079417771495, -1.997160204112251, 0.0233795646865),
    (32, 0.2, 752.1595517709578701838, -0.4282288332403481, 0.0976521775885),
    (32, 0.4, 900.4783077631394507527, -1.107291660977511, 0.885812501066),
    (32, CRITICAL_COUPLING, 952.6480795485428020547, -1.433658466146248, 1.84676759004),
    (32, 0.5, 1051.104987614516840577, -1.745564527034574, 0.724873978199),
    (32, 1.0, 2049.04978969008727267, -1.997160204112251, 0.0233795646865),
    (64, CRITICAL_COUPLING, 3808.672283419809238938, -1.423938389833011, 2.19221139314),
];

/// Numbers of states by unsatisfied bonds, tori of 4 x 4 and 6 x 6 sites.
const LEVELS_4: [(u32, u64); 15] = [
    (0, 2),
    (4, 32),
    (6, 64),
    (8, 424),
    (10, 1728),
    (12, 6688),
    (14, 13568),
    (16, 20524),
    (18, 13568),
    (20, 6688),
    (22, 1728),
    (24, 424),
    (26, 64),
    (28, 32),
    (32, 2),
];
const LEVELS_6: [(u32, u64); 35] = [
    (0, 2),
    (4, 72),
    (6, 144),
    (8, 1620),
    (10, 6048),
    (12, 35148),
    (14, 159840),
    (16, 804078),
    (18, 3846576),
    (20, 17569080),
    (22, 71789328),
    (24, 260434986),
    (26, 808871328),
    (28, 2122173684),
    (30, 4616013408),
    (32, 8196905106),
    (34, 11674988208),
    (36, 13172279424),
    (38, 11674988208),
    (40, 8196905106),
    (42, 4616013408),
    (44, 2122173684),
    (46, 808871328),
    (48, 260434986),
    (50, 71789328),
    (52, 17569080),
    (54, 3846576),
    (56, 804078),
    (58, 159840),
    (60, 35148),
    (62, 6048),
    (64, 1620),
    (66, 144),
    (68, 72),
    (72, 2),
];

#[test]
fn infinite_lattice() {
    for sign in [1.0, -1.0] {
        let lattice = Onsager::isotropic(sign).unwrap();
        for (beta, ln_z, energy, specific_heat, magnetization) in INFINITE {
            let sums = lattice.at(beta).unwrap();
            assert_relative_eq!(sums.ln_z_per_site, ln_z, max_relative = 1e-15);
            assert_relative_eq!(sums.energy_per_site, energy, max_relative = 2e-15);
            assert_relative_eq!(sums.specific_heat, specific_heat, max_relative = 1e-13);
            assert_relative_eq!(lattice.order_parameter(beta).unwrap(), magnetization, max_relative = 1e-14);
            let uniform = if sign > 0.0 { magnetization } else { 0.0 };
            assert_relative_eq!(lattice.spontaneous_magnetization(beta).unwrap(), uniform, max_relative = 1e-14);
        }
    }
    let sums = Onsager::isotropic(1.0).unwrap().at(0.5).unwrap();
    assert_abs_diff_eq!(onsager::ln_z_per_site(0.5).unwrap(), sums.ln_z_per_site, epsilon = 0.0);
    assert_abs_diff_eq!(onsager::energy_per_site(0.5).unwrap(), sums.energy_per_site, epsilon = 0.0);
    assert_abs_diff_eq!(onsager::specific_heat(0.5).unwrap(), sums.specific_heat, epsilon = 0.0);
}

/// Onsager's energy and specific heat in complete elliptic integrals, Eqs. (116) and (117), and the scale of their
/// largest terms.
fn elliptic(k: f64) -> (f64, f64, f64) {
    let (coth, tanh) = (1.0 / (2.0 * k).tanh(), (2.0 * k).tanh());
    let complement = 2.0 * tanh * tanh - 1.0;
    let (first, second) =
        (elliptic_k_complement(complement * complement), elliptic_e_complement(complement * complement));
    let energy = -coth * (1.0 + complement * first / FRAC_PI_2);
    let bracket = first - second - (1.0 - tanh * tanh) * (FRAC_PI_2 + complement * first);
    (energy, 4.0 / PI * (k * coth).powi(2) * bracket, coth)
}

#[test]
fn quadrature_agrees_with_elliptic_integrals_at_any_distance_from_the_transition() {
    let lattice = Onsager::isotropic(1.0).unwrap();
    let near = (2..13).flat_map(|k| [-1.0, 1.0].map(|side| CRITICAL_COUPLING + side * 10f64.powi(-k)));
    for beta in near.chain([0.05, 0.1, 0.25, 0.35, 0.55, 0.7, 1.2, 2.0, 3.0]) {
        let sums = lattice.at(beta).unwrap();
        let (energy, specific_heat, scale) = elliptic(beta);
        // The elliptic integral near the transition multiplies the rounding of a difference.
        assert_abs_diff_eq!(sums.energy_per_site, energy, epsilon = 2e-14 * scale);
        // The distance from the critical point has the rounding of β: relative to 1e-12 that is 1e-4 in its logarithm.
        let distance = (beta - CRITICAL_COUPLING).abs();
        let tolerance = 1e-13 * scale * scale + 1e-15 / distance;
        assert_abs_diff_eq!(sums.specific_heat, specific_heat, epsilon = tolerance);
    }
}

#[test]
fn limits_of_the_infinite_lattice() {
    let lattice = Onsager::new(1.5, 0.5).unwrap();
    let free = lattice.at(0.0).unwrap();
    assert_abs_diff_eq!(free.ln_z_per_site, LN_2, epsilon = 0.0);
    assert_abs_diff_eq!(free.energy_per_site, 0.0, epsilon = 0.0);
    assert_abs_diff_eq!(free.specific_heat, 0.0, epsilon = 0.0);
    // e = -Σ J tanh βJ to third order in β.
    assert_abs_diff_eq!(lattice.at(1e-6).unwrap().energy_per_site, -2.5e-6, epsilon = 2e-15);
    let cold = lattice.at(500.0).unwrap();
    assert_relative_eq!(cold.ln_z_per_site, 1000.0, max_relative = 1e-15);
    assert_relative_eq!(cold.energy_per_site, -2.0, max_relative = 1e-15);
    assert_abs_diff_eq!(lattice.spontaneous_magnetization(500.0).unwrap(), 1.0, epsilon = 0.0);
    // Without coupling in one direction: chains.
    for (rows, columns) in [(0.8, 0.0), (0.0, -0.8)] {
        let chains = Onsager::new(rows, columns).unwrap();
        let sums = chains.at(1.3).unwrap();
        assert_relative_eq!(sums.ln_z_per_site, (2.0 * 1.04f64.cosh()).ln(), max_relative = 1e-15);
        assert_relative_eq!(sums.energy_per_site, -0.8 * 1.04f64.tanh(), max_relative = 1e-14);
        assert_relative_eq!(sums.specific_heat, (1.04 / 1.04f64.cosh()).powi(2), max_relative = 1e-13);
        assert_abs_diff_eq!(chains.order_parameter(1.3).unwrap(), 0.0, epsilon = 0.0);
        assert_eq!(chains.critical_beta(), None);
    }
    assert!(matches!(lattice.at(f64::NAN), Err(Error::Beta { .. })));
    assert!(matches!(lattice.at(-1.0), Err(Error::Beta { .. })));
    assert!(matches!(lattice.at(1e308), Err(Error::NotApplicable { .. })));
    assert!(matches!(Onsager::new(1.0, f64::INFINITY), Err(Error::NotFinite { entry: 1, .. })));
    for ratio in [1.0, 0.3, 1e-3, 1e-12, 1e-200] {
        let lattice = Onsager::new(ratio, -1.0).unwrap();
        let beta = lattice.critical_beta().unwrap();
        let sinh = (2.0 * beta).sinh() * (2.0 * beta * ratio).sinh();
        assert_relative_eq!(sinh, 1.0, max_relative = 4.0 * f64::EPSILON * (1.0 + beta));
        assert_abs_diff_eq!(lattice.order_parameter(beta * (1.0 - 1e-12)).unwrap(), 0.0, epsilon = 0.0);
        assert!(lattice.order_parameter(beta * (1.0 + 1e-12)).unwrap() > 0.0);
    }
}

#[test]
fn tori_of_the_reference() {
    for (l, beta, ln_z, energy, specific_heat) in TORI {
        let sites = (l * l) as f64;
        let sums = Kaufman::isotropic(l, l, 1.0).unwrap().at(beta).unwrap();
        assert_relative_eq!(sums.ln_z, ln_z, max_relative = 4e-16);
        assert_relative_eq!(sums.energy / sites, energy, max_relative = 1e-14);
        // The reference has 12 digits.
        assert_relative_eq!(sums.heat_capacity / sites, specific_heat, max_relative = 2e-11);
        assert_relative_eq!(kaufman::ln_z(l, l, beta).unwrap(), sums.ln_z);
        assert_relative_eq!(kaufman::energy_per_site(l, l, beta).unwrap(), sums.energy / sites);
        assert_relative_eq!(kaufman::specific_heat(l, l, beta).unwrap(), sums.heat_capacity / sites);
        let opposite = Kaufman::isotropic(l, l, -1.0).unwrap().at(beta).unwrap();
        assert_eq!(sums, opposite);
    }
}

#[test]
fn tori_from_their_levels() {
    for (l, levels) in [(4u32, &LEVELS_4[..]), (6, &LEVELS_6[..])] {
        assert_eq!(levels.iter().map(|level| level.1).sum::<u64>(), 1 << (l * l));
        for beta in [1e-3, 0.2, CRITICAL_COUPLING, 0.9, 3.0] {
            let energy = |unsatisfied: u32| 2.0 * (f64::from(unsatisfied) - f64::from(l * l));
            let terms: Vec<f64> = levels.iter().map(|&(k, count)| (count as f64).ln() - beta * energy(k)).collect();
            let ln_z = log_sum_exp(&terms);
            let mean = |f: &dyn Fn(f64) -> f64| -> f64 {
                levels.iter().zip(&terms).map(|(&(k, _), term)| (term - ln_z).exp() * f(energy(k))).sum()
            };
            let average = mean(&|e| e);
            let sums = Kaufman::isotropic(l as usize, l as usize, 1.0).unwrap().at(beta).unwrap();
            assert_relative_eq!(sums.ln_z, ln_z, max_relative = 2e-15);
            // The average of ±32 cancels at small β.
            assert_relative_eq!(sums.energy, average, max_relative = 1e-13, epsilon = 1e-13);
            let variance = mean(&|e| (e - average).powi(2));
            // Exponentially small at β = 3, with the rounding of numbers of order β²N.
            let tolerance = 1e-14 * (1.0 + beta * beta * f64::from(l * l));
            assert_relative_eq!(sums.heat_capacity, beta * beta * variance, max_relative = 1e-10, epsilon = tolerance);
        }
        if l == 4 {
            let model = torus(4, 4, 1.0, 1.0);
            let counted = Enumeration::default().density_of_states(&model, &mut ()).unwrap();
            let counted: Vec<(u32, u64)> =
                counted.iter().map(|level| ((0.5 * level.energy + 16.0) as u32, level.count)).collect();
            assert_eq!(counted, levels);
        }
    }
}

/// The torus as a model; parallel bonds add up, and a bond of a site with itself is a constant.
fn torus(rows: usize, columns: usize, along_rows: f64, along_columns: f64) -> Ising {
    let mut builder = Ising::builder(rows * columns).duplicates(Duplicates::Sum);
    for r in 0..rows {
        for c in 0..columns {
            let site = r * columns + c;
            for (other, coupling) in
                [(r * columns + (c + 1) % columns, along_rows), ((r + 1) % rows * columns + c, along_columns)]
            {
                builder =
                    if other == site { builder.offset(-coupling) } else { builder.coupling(site, other, coupling) };
            }
        }
    }
    builder.build().unwrap()
}

fn compare_torus(rows: usize, columns: usize, couplings: (f64, f64), beta: f64) {
    let model = torus(rows, columns, couplings.0, couplings.1);
    let exact = Enumeration::default().energy_cumulants(&model, beta, &mut ()).unwrap();
    let sums = Kaufman::new(rows, columns, couplings.0, couplings.1).unwrap().at(beta).unwrap();
    let scale = (rows * columns) as f64 * (couplings.0.abs() + couplings.1.abs());
    assert_relative_eq!(sums.ln_z, exact.ln_z, max_relative = 1e-14, epsilon = 1e-14);
    assert_relative_eq!(sums.energy, exact.mean, max_relative = 1e-12, epsilon = 1e-14 * scale);
    let tolerance = 1e-13 * (beta * scale).powi(2).max(1.0);
    assert_relative_eq!(sums.heat_capacity, exact.heat_capacity(), max_relative = 1e-10, epsilon = tolerance);
}

#[test]
fn tori_of_all_shapes_agree_with_enumeration() {
    for rows in 1..=7 {
        for columns in 1..=7 {
            if rows * columns > 16 {
                continue;
            }
            for couplings in [(1.0, 1.0), (0.3, 1.7), (1.7, 0.3), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.5), (0.5, -1.0)] {
                for beta in [0.0, 1e-8, 0.1, CRITICAL_COUPLING, 0.8, 3.0, 60.0] {
                    let odd = |length: usize, coupling: f64| length % 2 == 1 && coupling < 0.0;
                    let frustrated = odd(columns, couplings.0) || odd(rows, couplings.1);
                    if rows > 1 && columns > 1 && frustrated {
                        let refused = Kaufman::new(rows, columns, couplings.0, couplings.1);
                        assert!(matches!(refused, Err(Error::NotApplicable { solver: "kaufman", .. })));
                    } else {
                        compare_torus(rows, columns, couplings, beta);
                    }
                }
            }
        }
    }
}

#[test]
fn frustrated_rings() {
    for (rows, columns) in [(1, 7), (7, 1), (1, 3), (1, 1)] {
        for beta in [0.2, 2.0, 10.0] {
            compare_torus(rows, columns, (-1.0, -1.0), beta);
        }
        // Only the 2m ground states are left (all 2 states of a single site).
        let cold = Kaufman::isotropic(rows, columns, -1.0).unwrap().at(1000.0).unwrap();
        let m = (rows * columns) as f64;
        let ground = -(m - 2.0) + m;
        assert_relative_eq!(cold.ln_z, (2.0 * m).ln() - 1000.0 * ground, max_relative = 1e-15);
        assert_relative_eq!(cold.energy, ground, max_relative = 1e-15);
    }
}

#[test]
fn large_tori_tend_to_the_infinite_lattice() {
    for beta in [0.1, 0.3, 0.42, 0.46, 0.7, 2.0, 50.0] {
        let bulk = Onsager::isotropic(1.0).unwrap().at(beta).unwrap();
        let sums = Kaufman::isotropic(1024, 1024, 1.0).unwrap().at(beta).unwrap();
        let sites = 1024.0 * 1024.0;
        // Below the transition there are two phases.
        let phases = if beta > CRITICAL_COUPLING { LN_2 } else { 0.0 };
        assert_relative_eq!((sums.ln_z - phases) / sites, bulk.ln_z_per_site, max_relative = 1e-15);
        assert_relative_eq!(sums.energy / sites, bulk.energy_per_site, max_relative = 1e-13);
        assert_abs_diff_eq!(sums.heat_capacity / sites, bulk.specific_heat, epsilon = 1e-11 * (1.0 + beta * beta));
    }
    // At the transition: ln Z = L² f + c(1) with the universal constant of the square torus,
    // ln[(θ_2 + θ_3 + θ_4)/(2η)] at nome e^{-π}: 0.639912... (A. E. Ferdinand and M. E. Fisher, Phys. Rev. 185, 832).
    let theta = |n: f64| (-PI * n * n).exp();
    let theta_2 = 2.0 * (theta(0.5) + theta(1.5) + theta(2.5));
    let theta_3 = 1.0 + 2.0 * (theta(1.0) + theta(2.0) + theta(3.0));
    let theta_4 = 1.0 - 2.0 * (theta(1.0) - theta(2.0) + theta(3.0));
    let eta = (-PI / 12.0).exp() * (1..10).map(|n| 1.0 - (-2.0 * PI * f64::from(n)).exp()).product::<f64>();
    let constant = ((theta_2 + theta_3 + theta_4) / (2.0 * eta)).ln();
    let bulk = Onsager::isotropic(1.0).unwrap().at(CRITICAL_COUPLING).unwrap().ln_z_per_site;
    let correction = |l: usize| {
        let ln_z = Kaufman::isotropic(l, l, 1.0).unwrap().at(CRITICAL_COUPLING).unwrap().ln_z;
        (ln_z - (l * l) as f64 * bulk - constant) * (l * l) as f64
    };
    // The next correction is of order 1/L².
    assert!(correction(128).abs() < 1.0 && (correction(128) / correction(64) - 1.0).abs() < 0.01);
    for (rows, columns) in [(1, 100_000), (2, 4096), (4096, 2), (3, 1000), (1024, 1500)] {
        let sums = Kaufman::isotropic(rows, columns, 1.0).unwrap().at(CRITICAL_COUPLING).unwrap();
        let turned = Kaufman::isotropic(columns, rows, 1.0).unwrap().at(CRITICAL_COUPLING).unwrap();
        assert_relative_eq!(sums.ln_z, turned.ln_z, max_relative = 2e-15);
        assert_relative_eq!(sums.energy, turned.energy, max_relative = 1e-13);
        assert_relative_eq!(sums.heat_capacity, turned.heat_capacity, max_relative = 1e-10);
    }
}

#[test]
fn bad_tori_are_refused() {
    assert!(matches!(Kaufman::isotropic(0, 3, 1.0), Err(Error::Parameter { what: "rows", .. })));
    assert!(matches!(Kaufman::isotropic(3, 0, 1.0), Err(Error::Parameter { what: "columns", .. })));
    assert!(matches!(Kaufman::isotropic(3, 3, f64::NAN), Err(Error::NotFinite { .. })));
    let torus = Kaufman::isotropic(3, 3, 1.0).unwrap();
    for beta in [f64::NAN, f64::INFINITY, -0.1] {
        assert!(matches!(torus.at(beta), Err(Error::Beta { .. })));
    }
    assert!(matches!(torus.at(1e308), Err(Error::NotApplicable { .. })));
    assert!(torus.at(1e300).is_ok());
}

#[test]
fn two_couplings_by_differences_and_large_tori() {
    for (rows, columns) in [(0.7, 1.6), (-0.7, 1.6), (1.3, 0.05)] {
        let lattice = Onsager::new(rows, columns).unwrap();
        for beta in [0.1, 0.3, 0.9, 2.0] {
            let [low, here, high] = [-1e-4, 0.0, 1e-4].map(|step| lattice.at(beta + step).unwrap());
            let slope = (high.ln_z_per_site - low.ln_z_per_site) / 2e-4;
            assert_abs_diff_eq!(here.energy_per_site, -slope, epsilon = 1e-7);
            let curvature = -(high.energy_per_site - low.energy_per_site) / 2e-4;
            assert_abs_diff_eq!(here.specific_heat, beta * beta * curvature, epsilon = 1e-6);
            let torus = Kaufman::new(512, 1024, rows, columns).unwrap().at(beta).unwrap();
            assert_abs_diff_eq!(torus.energy / 524_288.0, here.energy_per_site, epsilon = 1e-9);
        }
    }
}

#[test]
fn correlation_lengths_near_the_transition_and_far_from_it() {
    for sign in [1.0, -1.0] {
        let lattice = Onsager::isotropic(sign).unwrap();
        let length = |beta: f64, direction| lattice.correlation_length(beta, direction).unwrap();
        // ln coth K - 2K has the slope -4 at the critical point.
        for distance in [1e-4, 1e-6, 1e-8] {
            let tolerance = 10.0 * distance + 1e-15 / distance;
            let (above, below) = (CRITICAL_COUPLING - distance, CRITICAL_COUPLING + distance);
            for direction in [Direction::Rows, Direction::Columns, Direction::Diagonal] {
                let exact = [4.0 * (CRITICAL_COUPLING - above), 8.0 * (below - CRITICAL_COUPLING)];
                assert_relative_eq!(length(above, direction) * exact[0], 1.0, max_relative = tolerance);
                assert_relative_eq!(length(below, direction) * exact[1], 1.0, max_relative = tolerance);
            }
        }
        for direction in [Direction::Rows, Direction::Columns, Direction::Diagonal] {
            assert!(length(CRITICAL_COUPLING, direction).is_infinite());
            assert_abs_diff_eq!(length(0.0, direction), 0.0, epsilon = 0.0);
        }
        // K large: 2 (2K - ln coth K) = 4K, on the diagonal 2 ln(e^4K / 4).
        assert_relative_eq!(length(400.0, Direction::Rows), 1.0 / 1600.0, max_relative = 1e-14);
        let diagonal = 2f64.sqrt() / (3200.0 - 4.0 * LN_2);
        assert_relative_eq!(length(400.0, Direction::Diagonal), diagonal, max_relative = 1e-13);
        // K small: ln(1/K), on the diagonal ln(1/4K²).
        assert_relative_eq!(length(1e-9, Direction::Rows), 1.0 / 1e9f64.ln(), max_relative = 1e-9);
        let diagonal = 2f64.sqrt() / (-(4e-18f64).ln());
        assert_relative_eq!(length(1e-9, Direction::Diagonal), diagonal, max_relative = 1e-9);
    }
    assert_abs_diff_eq!(onsager::correlation_length(0.3).unwrap(), 1.0 / (-0.3f64.tanh().ln() - 0.6), epsilon = 1e-13);
    let lattice = Onsager::new(1.0, 0.4).unwrap();
    // Dual couplings, crosswise: correlations of the one phase are walls of the other, twice as expensive.
    let dual = |k: f64| -0.5 * k.tanh().ln();
    for beta in [0.1, 0.4, 0.6, 0.7, 1.0, 2.0] {
        let other = Onsager::new(dual(0.4 * beta), dual(beta)).unwrap();
        let ordered = beta > lattice.critical_beta().unwrap();
        for direction in [Direction::Rows, Direction::Columns, Direction::Diagonal] {
            let (length, dual) =
                (lattice.correlation_length(beta, direction), other.correlation_length(1.0, direction));
            let ratio = if ordered { 0.5 } else { 2.0 };
            assert_relative_eq!(length.unwrap(), ratio * dual.unwrap(), max_relative = 1e-12);
        }
    }
    for beta in [f64::NAN, -1.0] {
        assert!(matches!(lattice.correlation_length(beta, Direction::Rows), Err(Error::Beta { .. })));
    }
    assert!(matches!(lattice.correlation_length(1e308, Direction::Rows), Err(Error::NotApplicable { .. })));
}

#[test]
fn correlation_lengths_of_cylinders() {
    // The two largest eigenvalues of the transfer matrix itself.
    for width in [2, 3, 6, 9] {
        for (around, along) in [(0.2, 0.2), (CRITICAL_COUPLING, CRITICAL_COUPLING), (0.5, 0.5), (0.3, 0.7), (0.9, 0.1)]
        {
            let row = UniformRow::new(width, Boundary::Periodic, around, along, 0.0).unwrap();
            let expected = row.infinite(&mut ()).unwrap().correlation_length;
            let cylinder = Kaufman::new(width + 1, width, around, along).unwrap();
            let length = cylinder.cylinder_correlation_length(1.0).unwrap();
            assert_relative_eq!(length, expected, max_relative = 1e-8);
        }
    }
    // Wide ones: the infinite lattice above the transition, 4n/π at it, the order of a row below.
    for beta in [0.1, 0.3, 0.5] {
        let bulk = Onsager::new(0.6, 1.1).unwrap().correlation_length(beta, Direction::Columns).unwrap();
        let cylinder = Kaufman::new(2, 500, 0.6, 1.1).unwrap().cylinder_correlation_length(beta).unwrap();
        assert_relative_eq!(cylinder, bulk, max_relative = 1e-10);
    }
    let critical = Kaufman::isotropic(2, 1000, 1.0).unwrap().cylinder_correlation_length(CRITICAL_COUPLING).unwrap();
    assert_relative_eq!(critical, 4000.0 / PI, max_relative = 1e-5);
    let cold = Kaufman::isotropic(2, 1000, 1.0).unwrap().cylinder_correlation_length(2.0).unwrap();
    assert!(cold.is_infinite());
    let hot = Kaufman::isotropic(5, 4, 1.0).unwrap().cylinder_correlation_length(0.0).unwrap();
    assert_abs_diff_eq!(hot, 0.0, epsilon = 0.0);
    // Signs do not matter where nothing is frustrated.
    let length = |rows: f64, columns: f64| Kaufman::new(4, 6, rows, columns).unwrap().cylinder_correlation_length(0.4);
    assert_relative_eq!(length(-1.0, 0.5).unwrap(), length(1.0, -0.5).unwrap());
    let frustrated = Kaufman::new(1, 5, -1.0, 1.0).unwrap().cylinder_correlation_length(0.4);
    assert!(matches!(frustrated, Err(Error::NotApplicable { .. })));
    let torus = Kaufman::isotropic(3, 3, 1.0).unwrap();
    assert!(matches!(torus.cylinder_correlation_length(-1.0), Err(Error::Beta { .. })));
    assert!(matches!(torus.cylinder_correlation_length(1e308), Err(Error::NotApplicable { .. })));
}

#[test]
fn curie_weiss_is_the_complete_graph() {
    for n in 1..=12 {
        for (coupling, field) in [(1.0, 0.0), (1.3, 0.2), (-0.7, 0.5), (0.0, -1.0), (2.0, -0.1)] {
            let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j, coupling / n as f64)));
            let model = Ising::builder(n).couplings(pairs).fields(vec![field; n]).build().unwrap();
            for beta in [0.0, 0.7, 3.0, 200.0] {
                let sums = CurieWeiss::new(n, coupling, field).unwrap().at(beta).unwrap();
                let exact = Enumeration::default().energy_cumulants(&model, beta, &mut ()).unwrap();
                assert_relative_eq!(sums.ln_z, exact.ln_z, max_relative = 2e-14, epsilon = 1e-14);
                assert_relative_eq!(sums.energy, exact.mean, max_relative = 1e-12, epsilon = 1e-13);
                assert_relative_eq!(sums.energy_variance, exact.variance, max_relative = 1e-9, epsilon = 1e-12);
                let law = Enumeration::default().distribution(&model, beta).unwrap();
                let moment = |power: i32, absolute: bool| {
                    law.mean(|s| {
                        let m = s.iter().map(|&s| f64::from(s)).sum::<f64>() / n as f64;
                        if absolute { m.abs() } else { m }.powi(power)
                    })
                };
                assert_abs_diff_eq!(sums.magnetization, moment(1, false), epsilon = 1e-12);
                assert_abs_diff_eq!(sums.absolute_magnetization, moment(1, true), epsilon = 1e-12);
                assert_abs_diff_eq!(sums.second_moment, moment(2, false), epsilon = 1e-12);
                assert_abs_diff_eq!(sums.fourth_moment, moment(4, false), epsilon = 1e-12);
                let law = CurieWeiss::new(n, coupling, field).unwrap().distribution(beta).unwrap();
                assert_eq!(law.len(), n + 1);
                assert_abs_diff_eq!(law.iter().map(|(m, p)| m * p).sum::<f64>(), sums.magnetization, epsilon = 1e-14);
                let want = Quantities::all().with_correlations(Correlations::All);
                let solution = Enumeration::default().solve(&model, beta, want, &mut ()).unwrap();
                let pairs: f64 = solution.correlations.unwrap().values.iter().map(|c| c.value).sum();
                let second = (n as f64 + 2.0 * pairs) / (n * n) as f64;
                assert_abs_diff_eq!(sums.second_moment, second, epsilon = 1e-12);
            }
        }
    }
}

#[test]
fn curie_weiss_tends_to_its_saddle_point() {
    // ln Z = N φ - ½ ln(1 - βJ(1 - m²)) - βJ/2 + O(1/N) where one saddle point rules.
    for (coupling, field, beta) in
        [(1.0, 0.3, 0.8), (1.0, 0.2, 2.0), (1.0, 0.0, 0.5), (-1.0, 0.4, 1.5), (0.7, -0.3, 1.0)]
    {
        let limit = CurieWeissLimit::new(coupling, field).unwrap();
        let m = limit.magnetization(beta).unwrap();
        assert_abs_diff_eq!(m, (beta * (coupling * m + field)).tanh(), epsilon = 1e-15);
        let gaussian = -0.5 * (1.0 - beta * coupling * (1.0 - m * m)).ln() - 0.5 * beta * coupling;
        let remainder = |n: usize| {
            let ln_z = CurieWeiss::new(n, coupling, field).unwrap().at(beta).unwrap().ln_z;
            (ln_z - n as f64 * limit.ln_z_per_spin(beta).unwrap() - gaussian) * n as f64
        };
        let [a, b] = [1000, 4000].map(remainder);
        assert!(a.abs() < 2.0 && (a - b).abs() < 0.01 + 0.02 * a.abs(), "{a} {b}");
        let sums = CurieWeiss::new(20_000, coupling, field).unwrap().at(beta).unwrap();
        assert_abs_diff_eq!(sums.magnetization, m, epsilon = 1e-3);
        assert_abs_diff_eq!(sums.energy / 20_000.0, limit.energy_per_spin(beta).unwrap(), epsilon = 1e-3);
        let susceptibility = beta * 20_000.0 * (sums.second_moment - sums.magnetization.powi(2));
        assert_relative_eq!(susceptibility, limit.susceptibility(beta).unwrap(), max_relative = 1e-3);
    }
    // Without field: two phases, ⟨|m|⟩ tends to the magnetization of one.
    let sums = CurieWeiss::new(100_000, 1.0, 0.0).unwrap().at(1.5).unwrap();
    let m = CurieWeissLimit::new(1.0, 0.0).unwrap().magnetization(1.5).unwrap();
    assert_abs_diff_eq!(sums.magnetization, 0.0, epsilon = 0.0);
    assert_abs_diff_eq!(sums.absolute_magnetization, m, epsilon = 1e-4);
    assert_abs_diff_eq!(sums.binder_cumulant(), 2.0 / 3.0, epsilon = 1e-4);
    // At the critical point p(m) ~ exp(-N m⁴/12): ⟨m²⟩ = √(12/N) Γ(3/4)/Γ(1/4).
    let sums = CurieWeiss::new(1_000_000, 1.0, 0.0).unwrap().at(1.0).unwrap();
    assert_relative_eq!(sums.second_moment * 1000.0, 12f64.sqrt() * 0.337_989_120_030_370_5, max_relative = 3e-3);
}

#[test]
fn saddle_point_near_the_transition() {
    let model = |field: f64| CurieWeissLimit::new(1.0, field).unwrap();
    // m² = 3ε (1 - 4ε/5 + …)/… : the equation itself to third order, ε m = m³/3 (1 + ε)³ up to m⁵.
    for epsilon in [1e-4, 1e-8, 1e-12, f64::EPSILON] {
        let k = 1.0 + epsilon;
        let m = model(0.0).magnetization(k).unwrap();
        assert_relative_eq!(m * m, 3.0 * (k - 1.0), max_relative = 3.0 * epsilon.max(1e-15));
    }
    assert_abs_diff_eq!(model(0.0).magnetization(1.0).unwrap(), 0.0, epsilon = 0.0);
    // The critical isotherm m³ = 3h.
    for field in [1e-12f64, 1e-60, 1e-300] {
        let m = model(field).magnetization(1.0).unwrap();
        assert_relative_eq!(m, (3.0 * field).cbrt(), max_relative = 1e-7);
        assert_relative_eq!(model(-field).magnetization(1.0).unwrap(), -m, max_relative = 1e-15);
    }
    assert!(model(0.0).susceptibility(1.0).unwrap().is_infinite());
    assert_relative_eq!(model(0.0).free_energy_per_spin(0.5).unwrap(), -2.0 * LN_2, max_relative = 1e-15);
    assert_eq!(CurieWeissLimit::new(-1.0, 0.0).unwrap().critical_beta(), None);
    assert!(matches!(CurieWeissLimit::new(f64::NAN, 0.0), Err(Error::NotFinite { what: "coupling", .. })));
    assert!(matches!(CurieWeiss::new(0, 1.0, 0.0), Err(Error::NoSpins)));
    assert!(matches!(CurieWeiss::new(4, 1.0, 0.0).unwrap().at(-1.0), Err(Error::Beta { .. })));
    assert!(matches!(CurieWeiss::new(4, 1e300, 0.0).unwrap().at(1e10), Err(Error::NotApplicable { .. })));
    assert!(matches!(model(1.0).magnetization(f64::INFINITY), Err(Error::Beta { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_torus(rows in 2usize..5, columns in 2usize..5, a in 0.0f64..2.0, b in 0.0f64..2.0, beta in 0.0f64..2.0) {
        compare_torus(rows, columns, (a, b), beta);
    }

    #[test]
    fn duality(k in 0.05f64..3.0, other in 0.05f64..3.0) {
        // sinh 2K sinh 2K* = 1 crosswise: ln Z/N - ½ ln(sinh 2K_1 sinh 2K_2) changes its sign of the last term only.
        let dual = |k: f64| -0.5 * k.tanh().ln();
        let ln_z = Onsager::new(k, other).unwrap().at(1.0).unwrap().ln_z_per_site;
        let dual_ln_z = Onsager::new(dual(other), dual(k)).unwrap().at(1.0).unwrap().ln_z_per_site;
        let half = |k: f64| 0.5 * (2.0 * k).sinh().ln();
        prop_assert!((ln_z - dual_ln_z - half(k) - half(other)).abs() < 1e-14);
    }
}
