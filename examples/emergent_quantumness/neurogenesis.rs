//! Neurons added where they help most and removed where they cost least.

use linalg_core::Streams;
use linalg_core::rng::standard_normal;
use physics_inference::emergent::neurons::{grow, prune};
use physics_inference::emergent::sgd::Regression;
use workspace_examples::figure::Curves;

use crate::{Failure, Row, Settings, exact};

pub(crate) fn run(settings: &Settings) -> Result<Vec<Row>, Failure> {
    let mut rng = Streams::new(settings.args.seed).child(30).fast_stream(0);
    let samples = settings.size(80usize, 300);
    let inputs: Vec<f64> = (0..2 * samples).map(|_| standard_normal(&mut rng)).collect();
    let targets = inputs.chunks(2).map(|x| (2.0 * x[0]).sin() * x[1] + 0.1 * standard_normal(&mut rng)).collect();
    let data = Regression::new(inputs, targets, 2)?;
    let (most, pool) = settings.size((12, 40), (40, 200));
    let mut network = grow(&data, 1e-3, most, pool, 2.0, &mut rng)?;
    let mut rows = Vec::new();

    // The score against removal and a refit from scratch.
    let before = network.layer.loss();
    let mut worst: f64 = 0.0;
    for i in 0..network.neurons.len() {
        let columns: Vec<Vec<f64>> =
            network.neurons.iter().enumerate().filter(|(k, _)| *k != i).map(|(_, n)| n.column(&data)).collect();
        let mut fresh = network.layer.clone();
        fresh.replace(&columns)?;
        worst = worst.max((fresh.loss() - before - network.layer.score_removal(i)).abs() / before);
    }
    rows.push(exact("score of a removal against a refit, worst relative", worst, 0.0));
    let grown = network.losses.clone();
    prune(&mut network, most);
    let pruned = network.losses[grown.len()..].to_vec();
    let random = grow(&data, 1e-3, most, 1, 2.0, &mut rng)?;
    let half = (grown.len() - 1) / 2;
    let per = |loss: f64| 2.0 * loss / samples as f64;
    rows.push(exact("error a sample, no neuron", per(grown[0]), per(random.losses[0])));
    rows.push(exact(
        format!("error with {half} neurons: grown, against random ones"),
        per(grown[half]),
        per(random.losses[half.min(random.losses.len() - 1)]),
    ));
    let full = grown.len() - 1;
    if full > half {
        let back = pruned[full - half - 1];
        rows.push(exact(format!("error with {half} neurons: pruned, against grown"), per(back), per(grown[half])));
    }
    let mut down: Vec<(f64, f64)> = vec![(full as f64, per(grown[full]))];
    down.extend(pruned.iter().enumerate().map(|(k, loss)| ((full - k - 1) as f64, per(*loss))));
    let up = |losses: &[f64]| losses.iter().enumerate().map(|(k, loss)| (k as f64, per(*loss))).collect();
    settings.draw(&Curves {
        title: "Error over the number of neurons".into(),
        x_label: "neurons".into(),
        y_label: "mean squared error".into(),
        lines: vec![("grown".into(), up(&grown)), ("pruned".into(), down), ("random".into(), up(&random.losses))],
        ..Curves::default()
    })?;
    Ok(rows)
}
