//! What programs report after `--resume`, beside which references, and which flags they refuse.

mod common;

use std::fs;
use std::process::Command;

use serde_json::Value;

use common::{Folder, example, run};

/// A program with flags, separated by blanks.
fn command(name: &str, flags: &str) -> Command {
    let mut command = Command::new(example(name));
    command.args(flags.split_whitespace());
    command
}

/// Lines of JSON of a run that succeeds.
fn rows(command: Command) -> Vec<Value> {
    let text = String::from_utf8(run(command).stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The same without times.
fn untimed(command: Command) -> Vec<Value> {
    let mut rows = rows(command);
    for row in &mut rows {
        if let Some(row) = row.as_object_mut() {
            row.retain(|key, _| !key.contains("second"));
        }
    }
    rows
}

/// What a run that fails says.
fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{command:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn networks_of_earlier_temperatures_are_not_reported_again() {
    let folder = Folder::new("van");
    let start = |more: &str| {
        let flags =
            "--lattice 3 --beta 0.2,0.3,0.4 --steps 20 --batch 20 --samples 50 --network two-body --json --checkpoint";
        let mut command = command("van", flags);
        command.arg(folder.join("state")).args(more.split_whitespace());
        command
    };
    let mut whole = untimed(start(""));
    assert_eq!(whole.len(), 3);
    let output = run(start("--resume"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("beta = 0.2 is skipped") && said.contains("beta = 0.3 is skipped"), "{said}");
    let again = untimed(start("--resume"));
    // The last one, from no steps more.
    let mut last = whole.pop().unwrap();
    last["steps"] = 0.into();
    assert_eq!(again, [last]);
}

#[test]
fn densities_are_compared_in_the_same_cell() {
    let text = String::from_utf8(run(command("nelson", "--steps 20000")).stdout).unwrap();
    let table: Vec<Vec<f64>> = text
        .lines()
        .filter_map(|line| line.split_whitespace().map(|word| word.parse().ok()).collect::<Option<Vec<f64>>>())
        .filter(|row| row.len() == 5)
        .collect();
    assert_eq!(table.len(), 12);
    let one = |x: f64| (x - 1.0).abs() < 1e-9;
    // The middle cell of both, and its mirror image.
    assert!(one(table[6][3]) && one(table[6][4]) && one(table[5][4]), "{table:?}");
}

#[test]
fn simulations_are_made_longer_as_if_never_stopped() {
    let folder = Folder::new("simulate");
    let start = |more: &str| {
        let flags = "--lattice square:4 --beta 0.4 --engine metropolis --interval 10 --burn-in 5 --json";
        command("simulate", &format!("{flags} {more}"))
    };
    let kept = |more: &str| {
        let mut command = start(more);
        command.arg("--checkpoint").arg(folder.join("state"));
        command
    };
    run(kept("--sweeps 25"));
    assert_eq!(untimed(kept("--sweeps 60 --resume")), untimed(start("--sweeps 60")));
    assert!(refused(start("--sweeps 9")).contains("--interval is 10, expected at most the 9 sweeps"));
}

#[test]
fn a_density_of_states_has_the_sweeps_that_were_made() {
    let folder = Folder::new("wang-landau");
    let start = |more: &str| {
        let mut command = command("simulate", "--lattice square:4 --beta 0.4 --engine wang-landau --quick --json");
        command.args(more.split_whitespace()).arg("--checkpoint").arg(folder.join("state"));
        command
    };
    let made = untimed(start("--sweeps 200"));
    assert_eq!(made[0]["sweeps"], 200);
    assert_eq!(untimed(start("--resume")), made);
    assert!(refused(start("--resume --sweeps 400")).contains("the checkpoint has 200 sweeps, --sweeps is 400"));
    for (engine, flag) in [
        ("wang-landau", "--burn-in"),
        ("wang-landau", "--interval"),
        ("population-annealing", "--overlap-interval"),
        ("metropolis", "--population"),
    ] {
        let said = refused(command("simulate", &format!("--lattice square:4 --engine {engine} {flag} 1")));
        assert!(said.contains(&format!("{flag} does not apply to --engine {engine}")), "{said}");
    }
}

#[test]
fn references_of_paths_are_those_of_their_ensemble() {
    let folder = Folder::new("paths");
    let start = |flags: &str| {
        let mut command = command("path_integral", &format!("--samples 2000 {flags}"));
        command.arg("--svg").arg(folder.join("figure.svg"));
        command
    };
    // The columns of the lattice and the continuum.
    let references = |flags: &str, row: &str| -> [bool; 2] {
        let text = String::from_utf8(run(start(flags)).stdout).unwrap();
        let line = text.lines().find(|line| line.starts_with(row)).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        [words[words.len() - 2] != "-", words[words.len() - 1] != "-"]
    };
    let fixed = "--ensemble fixed-ends --time 4 --slices 40";
    assert_eq!(references(fixed, "energy"), [false; 2]);
    assert_eq!(references(fixed, "<x^2>"), [false; 2]);
    let hot = "--ensemble periodic --beta 1 --slices 20";
    assert_eq!(references(hot, "gap"), [false; 2]);
    assert_eq!(references(hot, "energy"), [true; 2]);
    assert_eq!(references("--ensemble periodic --beta 8 --slices 80", "gap"), [true; 2]);
    assert_eq!(references("--time 16 --slices 160", "<x^4>"), [true; 2]);
    assert_eq!(references("--time 0.5 --slices 16", "<x^4>"), [false; 2]);
    assert!(rows(start(&format!("{hot} --json")))[0]["gap"].is_null());
}

#[test]
fn erasures_are_decoded_on_all_threads() {
    let folder = Folder::new("erasures");
    for (name, text) in [
        ("model.dem", "error(0.1) D0 L0\nerror(0.1) D0 D1\nerror(0.1) D1\n"),
        ("shots", "10\n01\n11\n00\n10\n"),
        ("erased", "100\n010\n000\n001\n001\n"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let decoded = [1, 2, 4, 7].map(|threads| {
        let mut command = command("qec", "decode --in-format 01 --erasures-format 01 --out-format 01 --json");
        for (flag, name) in [("--dem", "model.dem"), ("--in", "shots"), ("--erasures-in", "erased"), ("--out", "out")] {
            command.arg(flag).arg(folder.join(name));
        }
        command.arg("--threads").arg(threads.to_string());
        let row = rows(command).remove(0);
        assert_eq!((&row["threads"], &row["shots"]), (&threads.into(), &5.into()));
        fs::read_to_string(folder.join("out")).unwrap()
    });
    assert!(decoded[0].lines().count() == 5 && decoded.iter().all(|lines| *lines == decoded[0]), "{decoded:?}");
}

#[test]
fn the_seconds_of_an_autoencoder_go_on() {
    let folder = Folder::new("autoencoder");
    let start = |flag: &str| {
        let mut command = command("deep_autoencoder", "--layers 4,2 --pretraining-epochs 1 --epochs 1 --json");
        command.arg(flag).arg(folder.join("state"));
        command
    };
    let seconds = |rows: Vec<Value>| rows[rows.len() - 1]["seconds"].as_f64().unwrap();
    let (made, resumed) = (seconds(rows(start("--checkpoint"))), seconds(rows(start("--resume"))));
    assert!(made > 0.0 && made.to_bits() == resumed.to_bits(), "{made} {resumed}");
}

#[test]
fn recurrent_layers_refuse_the_flags_of_the_others() {
    for flag in ["--l2 0.1", "--jitter 1", "--negatives hybrid"] {
        let said = refused(command("forward_forward", &format!("--recurrent 2 {flag}")));
        assert!(said.contains("cannot be used with"), "{said}");
    }
    // Defaults are no use of a flag: the directory is what is missing.
    let said = refused(command("forward_forward", "--recurrent 2 --data /nowhere/at/all"));
    assert!(said.contains("/nowhere/at/all"), "{said}");
}

#[test]
fn a_recall_says_whether_its_last_state_is_stable() {
    let folder = Folder::new("recall");
    let start = |sweeps: u32| {
        let flags = format!("--quick --store 3 --seed 6 --json --sweeps {sweeps}");
        let mut command = command("recall_images", &flags);
        command.arg("--svg").arg(folder.join("figure.svg"));
        rows(command)
    };
    // Pictures 0 and 1 reach a stable state with the last attempt of sweep 3.
    for (short, long) in start(3).iter().zip(start(30)).take(2) {
        assert_eq!((&short["settled"], &short["overlaps"]), (&Value::Bool(true), &long["overlaps"]));
    }
}
