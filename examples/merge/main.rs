//! What do the shares of several machines give together?
//!
//! Puts files of numbered work units together: tables of counts (`qec threshold --units A..B --out`) row by row, lists of units
//! (`edwards_anderson`, `ground_state_energy`, `nishimori`, `rbm_eval` with `--units`) line by line. A row of another problem, or a
//! unit that is there already, ends it with status 2, file and line; nothing is then written. A task that never began is in no
//! file: `--tasks` says how many there must be. The result does not depend on how
//! units were divided nor on the order of the files, but for the sum of the measured seconds.
//!
//! ```text
//! cargo run --release --example merge -- part-*.csv --out all.csv --expect 0..1000 --tasks 21
//! cargo run --release --example merge -- part-*.jsonl --out all.jsonl
//! cargo run --release --example merge -- --quick
//! ```

use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use linalg_core::checkpoint::replace_file;
use linalg_core::merge::Units;
use quantum_ec::sample::{Row, write_csv};
use workspace_examples::exit;
use workspace_examples::units::{Outcome, Table, UnitLines, line_of_unit, missing, shots_of, unit_range};

/// Puts files of numbered work units together.
#[derive(Debug, Parser)]
#[command(name = "merge", version)]
struct Args {
    /// Tables of counts, or lists of units; not both.
    #[arg(required_unless_present = "quick")]
    files: Vec<PathBuf>,
    /// The file to write, standard output without; an existing one is replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Units that every task must have: what is missing ends it with status 2, and nothing is written.
    #[arg(long, value_name = "A..B", value_parser = unit_range)]
    expect: Option<Range<u64>>,
    /// How many tasks there must be, as sizes times rates; another number ends it with status 2, and nothing is written.
    #[arg(long, value_name = "N")]
    tasks: Option<u64>,
    /// Three shares made on the spot.
    #[arg(long, conflicts_with_all = ["files", "out", "expect", "tasks"])]
    quick: bool,
}

/// What the files hold.
enum Kind {
    Counts,
    Lines,
}

/// The kind by the first character; `None` for a file of nothing, as a run leaves it that was killed early.
fn kind(path: &Path) -> Outcome<Option<Kind>> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut start = Vec::new();
    File::open(path).map_err(fail)?.take(4096).read_to_end(&mut start).map_err(fail)?;
    Ok(match start.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => None,
        Some(b'{') => Some(Kind::Lines),
        Some(_) => Some(Kind::Counts),
    })
}

/// Says what a task has, or what it lacks.
fn report(expected: Option<&Range<u64>>, task: &str, units: &Units) -> Outcome<()> {
    if let Some(holes) = expected.and_then(|expected| missing(units, expected)) {
        return Err(format!("{task}: units {holes} are missing").into());
    }
    let ranges: Vec<String> = units.ranges().iter().map(|(a, b)| format!("{a}..{b}")).collect();
    eprintln!("{task}: units {}", ranges.join(", "));
    Ok(())
}

/// Refuses another number of tasks than was asked for, and none where all their units are.
fn check_number(args: &Args, found: u64) -> Outcome<()> {
    match args.tasks {
        Some(expected) if expected != found => Err(format!("{found} tasks, expected {expected}").into()),
        None if args.expect.is_some() && found == 0 => Err("no file has a unit".into()),
        _ => {
            eprintln!("{found} tasks");
            Ok(())
        }
    }
}

/// Says where shots have no number, since nothing shows if such shots are there twice.
fn check_numbered(args: &Args, row: &Row, numbered: u128) -> Outcome<()> {
    let rest = u128::from(row.shots) - numbered;
    let what = format!("{} on {}: {rest} of {} shots are of no unit", row.decoder, row.json_metadata, row.shots);
    if args.expect.is_some() && (rest > 0 || numbered == 0) {
        return Err(what.into());
    }
    if rest > 0 {
        eprintln!("warning: {what}; the same shots in two rows are not noticed");
    }
    Ok(())
}

fn counts(args: &Args, files: &[&PathBuf]) -> Outcome<()> {
    let mut table = Table::default();
    files.iter().try_for_each(|file| table.read(file))?;
    let mut tasks = 0;
    for row in table.rows() {
        let units = row.units()?;
        check_numbered(args, row, shots_of(&units))?;
        tasks += units.len().max(1) as u64;
        for (seed, units) in &units {
            report(args.expect.as_ref(), &format!("{} on {}, seed {seed}", row.decoder, row.json_metadata), units)?;
        }
    }
    check_number(args, tasks)?;
    match &args.out {
        Some(path) => table.write(path),
        None => Ok(write_csv(&table.rows().cloned().collect::<Vec<_>>(), std::io::stdout().lock())?),
    }
}

fn lines(args: &Args, files: &[&PathBuf]) -> Outcome<()> {
    let mut lines = UnitLines::default();
    for file in files {
        let whole = lines.read(file)?;
        let length = std::fs::metadata(file)?.len();
        if whole < length {
            eprintln!("warning: {}: the last line has no end and is left out", file.display());
        }
    }
    lines.units().try_for_each(|(task, units)| report(args.expect.as_ref(), task, &units))?;
    check_number(args, lines.units().count() as u64)?;
    let mut text = String::new();
    for line in lines.lines() {
        text.push_str(&line.text);
        text.push('\n');
    }
    let Some(path) = &args.out else { return Ok(std::io::stdout().lock().write_all(text.as_bytes())?) };
    Ok(replace_file(path, text.as_bytes())?)
}

fn merge(args: &Args) -> Outcome<()> {
    let mut known = [Vec::new(), Vec::new()];
    for file in &args.files {
        match kind(file)? {
            None => eprintln!("warning: {} is empty", file.display()),
            Some(Kind::Counts) => known[0].push(file),
            Some(Kind::Lines) => known[1].push(file),
        }
    }
    match &known {
        [tables, lists] if !tables.is_empty() && !lists.is_empty() => {
            let (table, list) = (tables[0].display(), lists[0].display());
            Err(format!("{table} is a table of counts, {list} a list of units: expected one kind").into())
        }
        [tables, lists] if tables.is_empty() => lines(args, lists),
        [tables, _] => counts(args, tables),
    }
}

/// Three shares of ten units, one of which has a unit too many.
fn demonstration() -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("workspace-merge-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut files = Vec::new();
    for (name, units) in [("a", 0..4), ("b", 7..10), ("c", 4..7), ("d", 6..8)] {
        let file = folder.join(name);
        let line = |unit: u64| line_of_unit("squares", 1, unit).count("square", unit * unit).finish() + "\n";
        std::fs::write(&file, units.map(line).collect::<String>())?;
        files.push(file);
    }
    let of =
        |files: &[PathBuf]| Args { files: files.to_vec(), out: None, expect: Some(0..10), tasks: None, quick: false };
    let merged = merge(&of(&files[..3]));
    let refused = merge(&of(&files));
    let incomplete = merge(&of(&files[..2]));
    let fewer = merge(&Args { tasks: Some(2), ..of(&files[..3]) });
    std::fs::remove_dir_all(&folder)?;
    merged?;
    for (what, result) in [("a unit twice", refused), ("a share missing", incomplete), ("a task missing", fewer)] {
        println!("{what}: {}", result.err().ok_or("was accepted")?);
    }
    Ok(())
}

fn main() -> ExitCode {
    let args = Args::parse();
    exit::report(if args.quick { demonstration() } else { merge(&args) })
}
