//! Mutated lists of units: no reader panics, every error has file and line, and what is accepted is merged to the same again.

#[path = "../../crates/linalg-core/tests/mutations/mod.rs"]
mod mutations;

use workspace_examples::units::{Table, UnitLine, UnitLines, UnitLog, line_of_unit};

const PIECES: [&[u8]; 16] = [
    b"18446744073709551615",
    b"-1",
    b"1e999",
    b"null",
    b"nan",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\ud800",
    b"\n",
    b"\r",
    b",",
    b"\xff",
    b"\"unit\":1,",
];

/// A file that only this test has.
fn file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("workspace-fuzz-{name}-{}", std::process::id()))
}

#[test]
fn lists() {
    let line = |task: &str, unit: u64| {
        line_of_unit(task, 0x1f, unit).count("size", 4).numbers("q2", Some(&[0.1, -1e-300])).finish() + "\n"
    };
    let files = [line("glass L=4", 0) + &line("glass L=6", 0) + &line("glass L=4", 7), line("µ \"", u64::MAX - 1)];
    let path = file("list");
    mutations::run("lists", &files.map(String::into_bytes), &PIECES, |input| {
        std::fs::write(&path, input).unwrap();
        let mut lines = UnitLines::default();
        let whole = match lines.read(&path) {
            Ok(whole) => whole,
            Err(error) => {
                assert!(error.to_string().starts_with(&format!("{}:", path.display())), "{error}");
                return false;
            }
        };
        assert!(whole <= input.len() as u64);
        let text: String = lines.lines().map(|line| format!("{}\n", line.text)).collect();
        for line in lines.lines() {
            assert_eq!(&UnitLine::parse(&line.text).unwrap(), line);
            assert_eq!(lines.get(&line.task, line.unit).unwrap().0, line);
            let _ = (line.numbers("q2", 2), line.count("size"));
        }
        assert_eq!(lines.units().map(|(_, units)| units.len()).sum::<u64>(), lines.lines().count() as u64);
        // Merged once more, and gone on from: the same.
        std::fs::write(&path, &text).unwrap();
        let mut again = UnitLines::default();
        again.read(&path).unwrap();
        assert!(again.lines().eq(lines.lines()));
        drop(UnitLog::open(Some(&path), true).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        true
    });
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn tables() {
    let head = "shots,errors,discards,seconds,decoder,strong_id,json_metadata,custom_counts\n";
    let row =
        |id: &str, units: &str| format!("2048,3,0,0.5,matching,{id},\"{{\"\"d\"\":3}}\",\"{{\"\"{units}\"\":2}}\"\n");
    let files =
        [head.to_owned() + &row("1f", "units_of_seed_1") + &row("1f", "units_of_seed_1_from_5"), head.to_owned()];
    let path = file("table");
    mutations::run("tables", &files.map(String::into_bytes), &PIECES, |input| {
        std::fs::write(&path, input).unwrap();
        let mut table = Table::default();
        if let Err(error) = table.read(&path) {
            assert!(error.to_string().starts_with(&format!("{}:", path.display())), "{error}");
            return false;
        }
        table.write(&path).unwrap();
        let mut again = Table::default();
        again.read(&path).unwrap();
        assert!(again.rows().eq(table.rows()));
        true
    });
    std::fs::remove_file(&path).unwrap();
}
