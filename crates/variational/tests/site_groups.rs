//! Networks that are symmetrised under lattice symmetries.

mod common;

use std::collections::HashMap;

use approx::assert_abs_diff_eq;
use common::{check, check_gradient, configurations, stir, table};
use spin_models::{Boundary, Enumeration, Ising, LogPartition};
use variational::autoregressive::{Autoregressive, Made, MadeParams, PixelCnn, PixelCnnParams, SiteGroup};
use variational::autoregressive::{Symmetric, Symmetrized};
use variational::van::{Annealing, Trainer, TrainerParams};
use variational::{Error, Normalized};

fn groups() -> Vec<SiteGroup> {
    vec![
        SiteGroup::generated(9, &[]).unwrap(),
        SiteGroup::translations(3, 3).unwrap(),
        SiteGroup::rotations(3).unwrap(),
        SiteGroup::reflections(3, 3).unwrap(),
        SiteGroup::square(3).unwrap(),
        SiteGroup::square(3).unwrap().with(&SiteGroup::translations(3, 3).unwrap()).unwrap(),
    ]
}

#[test]
fn groups_have_their_order_and_are_closed() {
    let orders: Vec<usize> = groups().iter().map(SiteGroup::len).collect();
    assert_eq!(orders, [1, 9, 4, 4, 8, 72]);
    for group in groups() {
        for g in group.elements() {
            for h in group.elements() {
                let product: Vec<u32> = g.iter().map(|&i| h[i as usize]).collect();
                assert!(group.elements().contains(&product));
            }
        }
    }
    // Turning the corner of a square: row 0, column 0 comes from row 0, column 2.
    assert!(SiteGroup::rotations(3).unwrap().elements().iter().any(|g| g[..3] == [2, 5, 8]));
}

#[test]
fn the_mean_is_normalised_invariant_and_has_its_gradient() {
    for group in groups() {
        let made = stir(Made::<f64>::new(9, MadeParams::default().layers(2, 2)).unwrap(), 2);
        let mean = Symmetrized::new(Symmetric::new(made.clone()), group.clone()).unwrap();
        if group.len() <= 8 {
            check(&mean, 1e-11);
            check_gradient(&Symmetrized::new(made.clone(), group.clone()).unwrap());
        }
        let (all, single) = (table(&mean), table(&Symmetric::new(made)));
        assert_abs_diff_eq!(all.iter().sum::<f64>(), 1.0, epsilon = 1e-12);
        let rows = configurations(9);
        let state: HashMap<&[i8], usize> = rows.chunks_exact(9).enumerate().map(|(k, row)| (row, k)).collect();
        for (k, row) in rows.chunks_exact(9).enumerate().step_by(7) {
            let mut direct = 0.0;
            for g in group.elements() {
                let moved: Vec<i8> = g.iter().map(|&i| row[i as usize]).collect();
                assert_abs_diff_eq!(mean.ln_prob(&moved), all[k].ln(), epsilon = 1e-11);
                direct += single[state[&moved[..]]] / group.len() as f64;
            }
            assert_abs_diff_eq!(direct, all[k], epsilon = 1e-14);
        }
    }
}

#[test]
fn the_mean_bounds_no_worse() {
    // βF of q and of its mean over the symmetries of the torus, over all configurations, before and after training.
    let torus = Ising::square(3, Boundary::Periodic, 1.0).unwrap();
    let beta = 0.4;
    let ln_z = Enumeration::default().ln_z(&torus, beta).unwrap().value;
    let group = SiteGroup::translations(3, 3).unwrap();
    let cnn = PixelCnn::<f64>::new(3, 3, PixelCnnParams::default().layers(2, 4, 3)).unwrap();
    let plain = Symmetric::new(cnn);
    let mean = Symmetrized::new(plain.clone(), group).unwrap();
    let loss = |q: Vec<f64>| -> f64 {
        use spin_models::EnergyModel;
        let rows = configurations(9);
        q.iter().zip(rows.chunks_exact(9)).map(|(q, s)| q * (beta * torus.energy(s) + q.ln())).sum()
    };
    let (before, before_mean) = (loss(table(&plain)), loss(table(&mean)));
    assert!(-ln_z < before_mean && before_mean < before, "{before} {before_mean}");
    let params = TrainerParams::default().batch(300).learning_rate(0.01).threads(2);
    let mut trainer = Trainer::new(&torus, mean, params).unwrap();
    trainer.train(Annealing::Constant { beta }, 200, &mut ()).unwrap();
    let after_mean = loss(table(trainer.network()));
    let after = loss(table(trainer.network().network()));
    assert!(after_mean < before_mean && after_mean <= after, "{after_mean} {after}");
    assert!(after_mean + ln_z < 0.05 && after_mean + ln_z > 0.0, "{}", after_mean + ln_z);
}

#[test]
fn bad_groups_are_named() {
    let refuse = |n, lists: &[Vec<u32>]| SiteGroup::generated(n, lists).unwrap_err().to_string();
    assert_eq!(refuse(0, &[]), "number of sites is 0, expected at least 1");
    assert_eq!(refuse(3, &[vec![0, 1]]), "sites of a permutation: 2 given, 3 expected");
    assert_eq!(refuse(3, &[vec![0, 1, 1]]), "permutation is site 1 of 3, expected every site once");
    assert_eq!(refuse(3, &[vec![0, 1, 3]]), "permutation is site 3 of 3, expected every site once");
    // A cycle and a transposition generate all 10! permutations.
    let cycle = (0..10).map(|i| (i + 1) % 10).collect();
    assert!(refuse(10, &[cycle, vec![1, 0, 2, 3, 4, 5, 6, 7, 8, 9]]).contains("at most 8192 is possible"));
    assert!(SiteGroup::translations(usize::MAX, 2).is_err() && SiteGroup::rotations(0).is_err());
    // At once: the elements of the group would fill tens of gigabytes before they are too many.
    let error = SiteGroup::translations(1000, 1000).unwrap_err().to_string();
    assert_eq!(error, "site group: number of elements is 1000000, at most 8192 is possible");
    assert!(refuse(1 << 27, &[]).contains("number of sites is 134217728, at most 67108864 is possible"));
    let made = Made::<f64>::new(4, MadeParams::default()).unwrap();
    let wrong = Symmetrized::new(made, SiteGroup::translations(3, 3).unwrap());
    assert!(matches!(wrong, Err(Error::WrongLength { got: 9, expected: 4, .. })));
    let made = Symmetrized::new(Made::<f64>::new(4, MadeParams::default()).unwrap(), SiteGroup::rotations(2).unwrap());
    assert!(made.unwrap().architecture().starts_with("mean over 4 permutations"));
}
