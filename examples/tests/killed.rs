//! Kills the programs that work in units, at many moments, lets them go on, merges what two machines would have done, and compares
//! it with a run that was left alone: bit for bit, but for the measured seconds.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use boltzmann::Rbm;
use boltzmann::io::{NpyArray, write_npy, write_weights};
use boltzmann::units::Bernoulli;
use linalg_core::Streams;
use linalg_core::rand::RngExt;
use linalg_core::rng::Xoshiro256PlusPlus;
use quantum_ec::sample::{Row, read_csv};

use common::{Folder, example, run};

/// Starts a command again and again and kills it (SIGKILL on Unix): in turn soon after the start, and soon after its file has
/// changed. `done` counts units in the file, which must never become fewer. Ends with a run that is left alone; returns how
/// many were killed while they ran, and how many of these had written something.
fn killed(start: impl Fn() -> Command, file: &Path, done: impl Fn() -> u64, rng: &mut Xoshiro256PlusPlus) -> [u32; 2] {
    let (mut kills, mut with_progress) = (0, 0);
    for attempt in 0..10 {
        let (before, text) = (done(), fs::read(file).unwrap_or_default());
        let mut child = start().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let clock = Instant::now();
        if attempt % 2 == 1 {
            while fs::read(file).unwrap_or_default() == text && child.try_wait().unwrap().is_none() {
                assert!(clock.elapsed() < Duration::from_secs(120), "nothing is written to {}", file.display());
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        // Some units at most: later attempts need work, too.
        std::thread::sleep(Duration::from_micros(rng.random_range(0..[6000, 3000][attempt % 2])));
        let running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        let after = done();
        assert!(after >= before, "{} had {before} units, then {after}", file.display());
        kills += u32::from(running);
        with_progress += u32::from(running && after > before);
    }
    run(start());
    [kills, with_progress]
}

/// Merges files in both orders, which must not matter.
fn merge(files: [&Path; 2], expect: &str, out: &Path) -> String {
    let merged = [files, [files[1], files[0]]].map(|files| {
        let mut command = Command::new(example("merge"));
        command.args(files).args(["--expect", expect, "--out"]).arg(out);
        run(command);
        fs::read_to_string(out).unwrap()
    });
    // The sum of two measured times does not depend on their order.
    assert_eq!(merged[0], merged[1]);
    merged[0].clone()
}

fn refused(files: &[&Path], expect: &str) -> String {
    let mut command = Command::new(example("merge"));
    let output = command.args(files).args(["--expect", expect]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

/// Rows without the times that were measured.
fn rows(file: &Path) -> Vec<Row> {
    if !file.exists() {
        return Vec::new();
    }
    let rows = read_csv(fs::read(file).unwrap().as_slice()).unwrap();
    rows.into_iter().map(|row| Row { seconds: 0.0, ..row }).collect()
}

#[test]
fn counts_of_a_threshold() {
    let folder = Folder::new("threshold");
    let mut rng = Streams::new(1).fast_stream(0);
    let sweep = |out: &Path, more: &[&str]| {
        let mut command = Command::new(example("qec"));
        command.args("threshold --code rotated-surface --noise depolarizing --distances 3 --seed 5".split(' '));
        command.args(["--save-every", "1", "--p", "0.1:0.2:2", "--json", "--out"]).arg(out).args(more);
        command
    };
    let [whole, all, a, b] = ["whole.csv", "all.csv", "a.csv", "b.csv"].map(|name| folder.join(name));
    run(sweep(&whole, &["--units", "0..300"]));
    for (file, units) in [(&a, "0..120"), (&b, "120..300")] {
        let done = || {
            let rows = rows(file);
            for row in &rows {
                // Every shot is one of a unit that has its number in the row.
                let units: u64 = row.units().unwrap().values().map(|units| units.len()).sum();
                assert_eq!(row.shots, 1024 * units);
            }
            rows.iter().map(|row| row.shots / 1024).sum()
        };
        let [kills, with_progress] = killed(|| sweep(file, &["--units", units]), file, done, &mut rng);
        assert!(kills >= 4 && with_progress >= 2, "{kills} kills, {with_progress} of them after a unit");
    }
    merge([&a, &b], "0..300", &all);
    let [merged, expected] = [&all, &whole].map(|file| rows(file));
    assert_eq!(merged, expected);
    assert_eq!(merged.iter().map(|row| row.shots).collect::<Vec<_>>(), [300 * 1024; 2]);
    assert!(merged.iter().all(|row| row.errors > 0 && row.errors < row.shots / 2));
    // The same shots without units, and nothing to do with the merged table.
    let plain = folder.join("plain.csv");
    run(sweep(&plain, &["--shots", "307200"]));
    assert_eq!(rows(&plain), expected);
    run(sweep(&all, &["--shots", "307200"]));
    assert_eq!(rows(&all), expected);
    // What does not belong.
    let error = refused(&[&a, &whole], "0..300");
    assert!(error.contains(&format!("{}:2: unit that two rows", whole.display())), "{error}");
    assert!(refused(&[&a], "0..300").contains("units 120..300 are missing"));
    let other = folder.join("other.csv");
    let id = &expected[0].strong_id;
    fs::write(&other, fs::read_to_string(&b).unwrap().replace(id.as_str(), "0123456789abcdef")).unwrap();
    let error = refused(&[&a, &other], "0..300");
    assert!(
        error.contains(&format!("has the problem 0123456789abcdef, expected {id} as in {}:", a.display())),
        "{error}"
    );
    let output = sweep(&other, &["--units", "0..300"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "the table of another problem");
}

/// Units in a list: lines with an end.
fn lines(file: &Path) -> u64 {
    fs::read(file).unwrap_or_default().iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Two shares of a list of units, killed and merged, against the list of a run that was left alone.
fn list(
    folder: &Folder,
    start: &dyn Fn(&Path, &[&str]) -> Command,
    [first, second, all]: [&str; 3],
    rng: &mut Xoshiro256PlusPlus,
) -> [PathBuf; 2] {
    let [whole, merged, a, b] = ["whole", "all", "a", "b"].map(|name| folder.join(name));
    run(start(&whole, &["--units", all]));
    for (file, units) in [(&a, first), (&b, second)] {
        let resumed = || start(file, &["--resume", "--units", units]);
        let [kills, with_progress] = killed(resumed, file, || lines(file), rng);
        assert!(kills >= 4 && with_progress >= 2, "{kills} kills, {with_progress} of them after a unit");
    }
    let text = merge([&a, &b], all, &merged);
    let sorted = folder.join("sorted");
    let mut command = Command::new(example("merge"));
    run({
        command.arg(&whole).arg("--out").arg(&sorted);
        command
    });
    assert_eq!(text, fs::read_to_string(&sorted).unwrap());
    // A unit twice, and another problem.
    let error = refused(&[&whole, &b], all);
    assert!(error.contains(&format!("{}:1: unit ", b.display())) && error.contains("already"), "{error}");
    let other = folder.join("other");
    let problem = |text: &str| text.split("\"problem\":\"").nth(1).unwrap()[..16].to_owned();
    let text = fs::read_to_string(&b).unwrap();
    fs::write(&other, text.replace(&problem(&text), "0123456789abcdef")).unwrap();
    let error = refused(&[&a, &other], all);
    assert!(error.contains(&format!("{}:1: ", other.display())) && error.contains("has the problem"), "{error}");
    let output = start(&other, &["--resume", "--units", second]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "the list of another problem");
    // A list that ends in the middle of a line, as a kill leaves it.
    fs::write(&other, &fs::read(&whole).unwrap()[..fs::metadata(&whole).unwrap().len() as usize - 7]).unwrap();
    run(start(&other, &["--resume", "--units", all]));
    assert_eq!(fs::read(&other).unwrap(), fs::read(&whole).unwrap());
    [whole, merged]
}

/// A study whose samples are shared out, by its name, its settings, the shares, and the samples in all of them: what is reported
/// from the merged list is what a run without any list reports.
fn study(name: &str, settings: &str, shares: [&str; 3], samples: &str, reported: &str, seed: u64) {
    let folder = Folder::new(name);
    let command = |more: &[&str]| {
        let mut command = Command::new(example(name));
        command.args(settings.split(' ')).args(["--json", "--svg"]).arg(folder.join("figure.svg")).args(more);
        command
    };
    let start = |out: &Path, more: &[&str]| {
        let mut command = command(more);
        command.arg("--out").arg(out);
        command
    };
    let files = list(&folder, &start, shares, &mut Streams::new(seed).fast_stream(0));
    let [expected, merged] = files.map(|file| run(start(&file, &["--resume", "--samples", samples])).stdout);
    assert!(String::from_utf8_lossy(&expected).contains(reported));
    assert_eq!(merged, expected);
    assert_eq!(run(command(&["--samples", samples, "--threads", "2"])).stdout, expected);
}

#[test]
fn samples_of_a_spin_glass() {
    let settings = "--sizes 4 --sweeps 2000 --temperatures 6";
    study("edwards_anderson", settings, ["0..9", "9..20", "0..20"], "20", "xi_over_l", 2);
}

/// Sizes that do not divide each other: the samples of units of the small ones are of different number.
#[test]
fn ground_states_of_a_spin_glass() {
    let settings = "--sizes 4,5,6,7,23";
    study("ground_state_energy", settings, ["0..9", "9..20", "0..20"], "20", "chi_square", 4);
}

/// The last unit of 512 is filled up.
#[test]
fn samples_on_the_nishimori_line() {
    let settings = "--sizes 3,4 --p 0.1,0.11,0.12 --sweeps 1000";
    study("nishimori", settings, ["0..2", "2..5", "0..5"], "2050", "binder", 5);
}

#[test]
fn chains_of_annealed_importance_sampling() {
    let folder = Folder::new("annealing");
    let (weights, data) = (folder.join("weights.safetensors"), folder.join("rows.npy"));
    let mut rng = Streams::new(3).fast_stream(0);
    let rbm = Rbm::random(Bernoulli, Bernoulli, 96, 80, 0.3, &mut rng).unwrap();
    write_weights(&rbm, &mut fs::File::create(&weights).unwrap()).unwrap();
    let bits = (0..40 * 96).map(|_| f64::from(rng.random_range(0..2u32))).collect();
    write_npy(&NpyArray { shape: vec![40, 96], data: bits }, &mut fs::File::create(&data).unwrap()).unwrap();
    let start = |out: &Path, more: &[&str]| {
        let mut command = Command::new(example("rbm_eval"));
        command
            .arg(&weights)
            .arg(&data)
            .args("--temperatures 2000 --threads 1 --json --out".split(' '))
            .arg(out)
            .args(more);
        command
    };
    let files = list(&folder, &start, ["0..5", "5..12", "0..12"], &mut rng);
    let ln_z = |command: Command| {
        let text = String::from_utf8(run(command).stdout).unwrap();
        text.split(",\"exact\"").next().unwrap().to_owned()
    };
    let [expected, merged] = files.map(|file| ln_z(start(&file, &["--resume", "--units", "0..12"])));
    assert!(expected.starts_with("{\"ln_z\":"), "{expected}");
    assert_eq!(merged, expected);
    // The same chains in one piece, in memory.
    let mut command = Command::new(example("rbm_eval"));
    command.arg(&weights).arg(&data).args("--temperatures 2000 --chains 192 --json".split(' '));
    assert_eq!(ln_z(command), expected);
}
