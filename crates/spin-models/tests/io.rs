//! Instance files: what is read, what is written, and what is said about mistakes.

use std::path::Path;

use proptest::prelude::*;
use spin_models::io::{Format, Instance, Label, Sign, read_instance, write_bqpjson, write_dimod, write_edge_list};
use spin_models::{Duplicates, EnergyModel, Error, Ising};

fn data(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn read(text: &str, format: Format, sign: Sign) -> spin_models::Result<Instance> {
    read_instance(text.as_bytes(), format, sign)
}

fn model(text: &str) -> Ising {
    read(text, Format::Auto, Sign::Coupling).unwrap().model
}

fn error(text: &str, sign: Sign) -> String {
    match read(text, Format::Auto, sign) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

fn couplings(model: &Ising) -> Vec<(usize, usize, f64)> {
    model.couplings().collect()
}

/// Energies computed by dimod and bqpjson themselves, for every configuration of four files.
#[test]
fn energies_are_those_of_the_formats_own_packages() {
    let golden = String::from_utf8(data("golden_energies.txt")).unwrap();
    let mut compared = 0;
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let spins: Vec<i8> = words[1].chars().map(|c| if c == '+' { 1 } else { -1 }).collect();
        let energy: f64 = words[2].parse().unwrap();
        let file = data(words[0]);
        let dimod = read_instance(&file[..], Format::Auto, Sign::Dimod).unwrap();
        approx::assert_abs_diff_eq!(dimod.model.energy(&spins), energy, epsilon = 1e-13);
        // As couplings the numbers enter with a minus sign, the constant of the file as it is.
        let constant = if words[0].starts_with("dimod") { 0.625 } else { -0.375 * 2.5 };
        let coupling = read_instance(&file[..], Format::Auto, Sign::Coupling).unwrap();
        approx::assert_abs_diff_eq!(coupling.model.energy(&spins), 2.0 * constant - energy, epsilon = 1e-13);
        compared += 1;
    }
    assert_eq!(compared, 2 * 32 + 2 * 16);
}

#[test]
fn what_is_beside_the_model_is_kept() {
    let bqp = read_instance(&data("bqpjson_spin.json")[..], Format::Auto, Sign::Dimod).unwrap();
    assert_eq!(bqp.format, Format::Bqpjson);
    assert_eq!(bqp.labels, [2, 4, 6, 11].map(Label::Integer));
    assert_eq!(bqp.comments, ["golden instance, spin"]);
    let pair = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    assert_eq!(bqp.metadata, [pair("generated", "\"by make_golden.py\""), pair("chimera_degree", "2")]);
    assert_eq!(bqp.extra, [pair("id", "5")]);
    assert_eq!(bqp.model.n_couplings(), 3, "(2, 4) and (4, 2) are one pair");

    let dimod = read_instance(&data("dimod_spin.json")[..], Format::Auto, Sign::Dimod).unwrap();
    assert_eq!(dimod.format, Format::Dimod);
    let names: Vec<String> = dimod.labels.iter().map(Label::to_string).collect();
    assert_eq!(names, ["a", "(0, 1)", "3", "é \"b\"", "-7"]);

    let plain = read_instance(&data("dimod_plain.json")[..], Format::Auto, Sign::Coupling).unwrap();
    let names: Vec<String> = plain.labels.iter().map(Label::to_string).collect();
    assert_eq!(names, ["a", "b,c", "d"]);
    assert_eq!(couplings(&plain.model), [(0, 1, 0.25), (0, 2, -2.0)]);
    assert_eq!(plain.model.fields(), [-1.0, 0.5, 0.0]);
    assert_eq!(&plain.model.positions().unwrap()[2..], &[[0.5, 1.0, 0.0]]);

    let sg = read_instance(&data("square.sg")[..], Format::SpinGlass, Sign::Coupling).unwrap();
    assert_eq!(sg.comments, ["A frustrated square with a diagonal, positions given."]);
    assert_eq!(&sg.model.positions().unwrap()[3..], &[[1.0, 1.0, 0.5]]);
    assert_eq!(couplings(&sg.model), [(0, 1, 1.0), (0, 2, 1.0), (1, 3, -1.25), (2, 3, 0.001), (0, 3, -0.5)]);
}

#[test]
fn edge_lists_in_all_their_dresses() {
    let plain = couplings(&model("3 2\n1 2 1\n3 2 -0.5\n"));
    assert_eq!(plain, [(0, 1, 1.0), (1, 2, -0.5)]);
    for dressed in [
        "3 2\n1 2 1\n3 2 -0.5",
        "\u{feff}3 2\n1 2 1\n3 2 -0.5\n",
        "3 2\r\n1 2 1\r\n3 2 -0.5\r\n",
        "\n\n \t3\t2  \n\n1   2\t1.0\n  3 2 -5e-1\n\n\n",
        "# x\n% y\nc z\nc\n#\n3 2\n1 2\n# between\n3 2 -.5\n% after",
        "3 2\n1 2 +1\n3 2 -0.50000000000000000000000000",
    ] {
        assert_eq!(couplings(&model(dressed)), plain, "{dressed:?}");
    }
    let rudy = read_instance(&data("path.mc")[..], Format::Auto, Sign::MaxCut).unwrap();
    assert_eq!(couplings(&rudy.model), [(0, 1, -1.0), (1, 2, -1.0), (2, 3, -1.0)]);
    assert_eq!(rudy.comments, ["rudy style, tabs, no weights, CRLF", "and a second kind of comment", ""]);
    assert_eq!(model("1 0").n_spins(), 1);
    assert_eq!(model("7 0\n").n_spins(), 7);
}

#[test]
fn mistakes_in_edge_lists_have_their_place() {
    for (text, expected) in [
        ("", "line 1, column 1: found end of input, expected a line with the numbers of vertices and edges"),
        ("# only\n", "line 2, column 1: found end of input, expected a line with the numbers of vertices and edges"),
        ("0 0", "line 1, column 1: found \"0\", expected a number of vertices from 1 to 4294967295"),
        ("5000000000 0", "line 1, column 1: found \"5000000000\", expected a number of vertices from 1 to 4294967295"),
        ("-3 1", "line 1, column 1: found \"-3\", expected the number of vertices"),
        ("3.0 1", "line 1, column 1: found \"3.0\", expected the number of vertices"),
        ("3", "line 1, column 2: found end of line, expected the number of edges"),
        ("3\r\n", "line 1, column 2: found end of line, expected the number of edges"),
        ("3 1 0", "line 1, column 5: found \"0\", expected end of line"),
        (
            "3 1\n1 2 1\n\n2 3 1",
            "line 4, column 1: found edge 2, expected no more than the 1 edges that line 1 announces",
        ),
        ("3 2\n1 2 1\n", "line 3, column 1: found end of input after 1 edges, expected 2 edges, as line 1 announces"),
        ("3 1\n0 2 1", "line 2, column 1: found \"0\", expected a vertex from 1 to 3"),
        ("3 1\n1 4 1", "line 2, column 3: found \"4\", expected a vertex from 1 to 3"),
        ("3 1\n1 -1 1", "line 2, column 3: found \"-1\", expected a vertex from 1 to 3"),
        ("3 1\n1 2.0", "line 2, column 3: found \"2.0\", expected a vertex from 1 to 3"),
        ("3 1\n1", "line 2, column 2: found end of line, expected a vertex from 1 to 3"),
        ("3 1\n2 2 1", "line 2, column 3: found \"2\", expected another vertex: an edge joins two"),
        ("3 2\n1 2 1\n\t2 1 1", "line 3, column 2: found the pair 2 1 again, expected every pair once, as on line 2"),
        ("3 1\n1 2 nan", "line 2, column 5: found \"nan\", expected a finite weight"),
        ("3 1\n1 2 -inf", "line 2, column 5: found \"-inf\", expected a finite weight"),
        ("3 1\n1 2 1e999", "line 2, column 5: found \"1e999\", expected a finite weight"),
        ("3 1\n1 2 x", "line 2, column 5: found \"x\", expected a finite weight"),
        ("3 1\n1 2 1 junk", "line 2, column 7: found \"junk\", expected end of line"),
        ("3 1\n1 2 1 # no comment here", "line 2, column 7: found \"#\", expected end of line"),
        ("λ 1", "line 1, column 1: found \"λ\", expected the number of vertices"),
        (
            "4294967295 0",
            "line 1, column 1: found \"4294967295\", expected at most 1048576 vertices more than the ends of 0 edges",
        ),
        (
            "3 18446744073709551615\n1 2\n",
            "line 3, column 1: found end of input after 1 edges, expected 18446744073709551615 edges, as line 1 announces",
        ),
        ("3 18446744073709551616", "line 1, column 3: found \"18446744073709551616\", expected the number of edges"),
    ] {
        assert_eq!(error(text, Sign::Coupling), expected, "{text:?}");
    }
    let invalid = read_instance(&b"3 1\n1 \xff 1\n"[..], Format::Auto, Sign::Coupling).unwrap_err().to_string();
    assert_eq!(invalid, "line 2, column 3: found byte 0xff, expected UTF-8 text");
}

/// A valid document with one part replaced.
fn bqpjson(replace: &str, with: &str) -> String {
    let valid = r#"{"version": "1.0.0", "id": 0, "metadata": {},
 "variable_ids": [3, 5],
 "variable_domain": "spin", "scale": 1.0, "offset": 0.5,
 "linear_terms": [{"id": 3, "coeff": 1.0}],
 "quadratic_terms": [{"id_tail": 3, "id_head": 5, "coeff": -2.0}]}"#;
    assert!(valid.contains(replace), "{replace}");
    valid.replace(replace, with)
}

#[test]
fn mistakes_in_bqpjson_have_their_place() {
    for (replace, with, expected) in [
        ("\"spin\"", "\"SPIN\"", "line 3, column 21: found \"SPIN\", expected \"spin\" or \"boolean\""),
        (
            "\"1.0.0\"",
            "\"2.1\"",
            "line 1, column 13: found \"2.1\", expected a version from 0 to 1, for example \"1.0.0\"",
        ),
        ("\"metadata\": {}", "\"metadata\": 3", "line 1, column 43: found 3, expected an object"),
        ("[3, 5]", "[3, 3]", "line 2, column 22: found the id 3 again, expected every id once"),
        ("[3, 5]", "[3, -5]", "line 2, column 22: found -5, expected an id >= 0"),
        ("[3, 5]", "[3, 5.0]", "line 2, column 22: found 5.0, expected an integer"),
        ("[3, 5]", "[]", "line 2, column 18: found an array, expected at least one variable id"),
        ("[3, 5]", "7", "line 2, column 18: found 7, expected an array"),
        ("\"scale\": 1.0", "\"scale\": \"1\"", "line 3, column 38: found \"1\", expected a number"),
        ("\"offset\": 0.5", "\"offset\": NaN", "line 3, column 53: found \"NaN\", expected a finite number"),
        ("{\"id\": 3,", "{\"id\": 4,", "line 4, column 26: found 4, expected an id listed in \"variable_ids\""),
        ("{\"id\": 3,", "{\"ib\": 3,", "line 4, column 19: found an object without \"id\", expected the member \"id\""),
        (
            "[{\"id\": 3, \"coeff\": 1.0}]",
            "[{\"id\": 3, \"coeff\": 1.0},\n {\"id\": 3, \"coeff\": 1.0}]",
            "line 5, column 9: found a second linear term of 3, expected one term an id, as on line 4",
        ),
        (
            "[{\"id\": 3, \"coeff\": 1.0}]",
            "[5]",
            "line 4, column 19: found 5, expected an object with the member \"id\"",
        ),
        ("\"id_head\": 5", "\"id_head\": 3", "line 5, column 48: found 3, expected another id than that of the tail"),
        (
            "-2.0}]",
            "-2.0},\n{\"coeff\": 1, \"id_tail\": 3, \"id_head\": 5}]",
            "line 6, column 1: found a second quadratic term of 3 and 5, expected one term a tail and head, as on line 5",
        ),
        ("-2.0", "1e999", "line 5, column 60: found 1e999, expected a number within the range of a 64-bit float"),
        ("-2.0", "null", "line 5, column 60: found null, expected a number"),
        (
            "\"scale\": 1.0, \"offset\": 0.5",
            "\"offset\": 1e300, \"scale\": 1e300",
            "line 3, column 39: found 1e300, expected a number that stays finite times the scale 1e300",
        ),
        ("-2.0}]}", "-2.0}]", "line 5, column 66: found end of input, expected `,` or `}`"),
        (
            "\"quadratic_terms\"",
            "\"quadratic\"",
            "line 1, column 1: found an object without \"quadratic_terms\", expected the member \"quadratic_terms\"",
        ),
    ] {
        let found = error(&bqpjson(replace, with), Sign::Coupling);
        assert_eq!(found, expected, "{with}");
    }
    let fields = error(&bqpjson("", ""), Sign::MaxCut);
    assert_eq!(fields, "line 4, column 38: found 1.0, expected 0: a Max-Cut instance has no fields");
    let boolean = error(&bqpjson("\"spin\"", "\"boolean\""), Sign::MaxCut);
    assert_eq!(boolean, "line 3, column 21: found \"boolean\", expected \"spin\": Max-Cut weights belong to spins");
    let cut = read(&bqpjson("\"coeff\": 1.0", "\"coeff\": 0"), Format::Bqpjson, Sign::MaxCut).unwrap();
    assert_eq!(couplings(&cut.model), [(0, 1, 2.0)]);
}

#[test]
fn scale_multiplies_everything() {
    let scaled = model(&bqpjson("\"scale\": 1.0", "\"scale\": -2"));
    assert_eq!((scaled.offset(), scaled.fields(), couplings(&scaled)), (-1.0, &[-2.0, 0.0][..], vec![(0, 1, 4.0)]));
}

fn dimod(replace: &str, with: &str) -> String {
    let valid = r#"{"type": "BinaryQuadraticModel", "version": {"bqm_schema": "3.0.0"}, "use_bytes": false,
 "num_variables": 2, "num_interactions": 1,
 "variable_labels": ["a", "b"], "variable_type": "SPIN", "offset": 0.0, "info": {},
 "linear_biases": [1.0, 0.0], "quadratic_biases": [2.0],
 "quadratic_head": [0], "quadratic_tail": [1]}"#;
    assert!(valid.contains(replace), "{replace}");
    valid.replace(replace, with)
}

#[test]
fn mistakes_in_dimod_files_have_their_place() {
    for (replace, with, expected) in [
        ("\"BinaryQuadraticModel\"", "\"DQM\"", "line 1, column 10: found \"DQM\", expected \"BinaryQuadraticModel\""),
        ("\"3.0.0\"", "\"2.0.0\"", "line 1, column 60: found \"2.0.0\", expected \"3.0.0\""),
        ("false", "true", "line 1, column 83: found true, expected false: biases as JSON numbers"),
        ("\"SPIN\"", "\"spin\"", "line 3, column 50: found \"spin\", expected \"SPIN\" or \"BINARY\""),
        (
            "[\"a\", \"b\"]",
            "[\"a\", \"a\"]",
            "line 3, column 27: found the label \"a\" again, expected every label once, as on line 3",
        ),
        ("[\"a\", \"b\"]", "[\"a\"]", "line 3, column 21: found 1 entries, expected 2, one for every linear bias"),
        ("[\"a\", \"b\"]", "[\"a\", 1.5]", "line 3, column 27: found 1.5, expected an integer"),
        (
            "[\"a\", \"b\"]",
            "[\"a\", {}]",
            "line 3, column 27: found an object, expected a label: an integer, a string or an array of labels",
        ),
        ("[1]", "[2]", "line 5, column 44: found 2, expected a variable index from 0 to 1"),
        ("[1]", "[-1]", "line 5, column 44: found -1, expected a variable index from 0 to 1"),
        ("[1]", "[0]", "line 5, column 44: found 0, expected another index than that of the head"),
        ("[1]", "[1, 0]", "line 5, column 43: found 2 entries, expected 1, one for every quadratic bias"),
        (
            "\"num_variables\": 2",
            "\"num_variables\": 9",
            "line 2, column 19: found 9, expected 2, the number of biases",
        ),
        ("[1.0, 0.0]", "[]", "line 4, column 19: found an array, expected at least one linear bias"),
        ("[1.0, 0.0]", "[1.0, Infinity]", "line 4, column 25: found \"Infinity\", expected a finite number"),
        ("\"info\": {}", "\"info\": []", "line 3, column 81: found an array, expected an object"),
    ] {
        assert_eq!(error(&dimod(replace, with), Sign::Dimod), expected, "{with}");
    }
    let twice = dimod("[2.0]", "[2.0, 1.0]").replace("[0]", "[0, 1]").replace("[1]}", "[1, 0]}");
    let found = error(&twice, Sign::Dimod);
    assert_eq!(found, "line 5, column 24: found the pair 1 0 again, expected every pair once, as on line 5");
    assert!(error(&dimod("", ""), Sign::MaxCut).contains("found 1.0, expected 0: a Max-Cut instance has no fields"));
}

#[test]
fn mistakes_in_plain_dimod_files_have_their_place() {
    for (text, expected) in [
        (
            r#"{"linear": {"a": 1}, "quadratic": {}}"#,
            "line 1, column 1: found an object without \"vartype\", expected the member \"vartype\"",
        ),
        (
            "{\"linear\": {\"a\": 1},\n\"quadratic\": {\"ab\": 1}, \"vartype\": \"SPIN\"}",
            "line 2, column 15: found \"ab\", expected two names of \"linear\" with a comma between",
        ),
        (
            "{\"linear\": {\"a\": 1},\n\"quadratic\": {\"a,\": 1}, \"vartype\": \"SPIN\"}",
            "line 2, column 15: found \"a,\", expected two names of \"linear\" with a comma between",
        ),
        (
            "{\"linear\": {\"a\": 1, \"b\": 1, \"a,b\": 0, \"b,a\": 0},\n\"quadratic\": {\"a,b,a\": 1}, \"vartype\": \"SPIN\"}",
            "line 2, column 15: found \"a,b,a\", expected two names of \"linear\" with a comma between",
        ),
        (
            "{\"linear\": {\"a\": 1},\n\"quadratic\": {\"a,a\": 1}, \"vartype\": \"SPIN\"}",
            "line 2, column 15: found \"a,a\", expected a pair of two names",
        ),
        (
            "{\"linear\": {},\n\"quadratic\": {\"a,b\": 1, \"b,a\": 2}, \"vartype\": \"SPIN\"}",
            "line 2, column 25: found the pair \"b,a\" again, expected every pair once, as on line 2",
        ),
        (
            "{\"linear\": {\"a\": 1, \"a\": 2}, \"vartype\": \"SPIN\"}",
            "line 1, column 21: found the member \"a\" again, expected every member once, as on line 1",
        ),
        (
            "{\"linear\": {\"a\": 1, \"a \": 2}, \"vartype\": \"SPIN\"}",
            "line 1, column 21: found the name \"a \" again, expected every name once, spaces around it apart",
        ),
        (r#"{"linear": {}, "vartype": "SPIN"}"#, "line 1, column 12: found an object, expected at least one variable"),
        (
            " {}",
            "line 1, column 2: found an empty object, expected the members of bqpjson (variable_ids, linear_terms, …) \
             or of dimod (linear, vartype, …)",
        ),
    ] {
        assert_eq!(error(text, Sign::Dimod), expected);
    }
}

/// cut(s) by its definition on the weights of the file; E = Σ w - 2 cut.
#[test]
fn cuts_of_a_max_cut_instance() {
    let house = read_instance(&data("house.gset.txt")[..], Format::EdgeList, Sign::MaxCut).unwrap().model;
    let edges = [(0, 1), (0, 4), (1, 2), (1, 4), (2, 3), (3, 4)];
    let mut largest = 0.0f64;
    for state in 0..32 {
        let s: Vec<i8> = (0..5).map(|i| if state >> i & 1 == 0 { 1 } else { -1 }).collect();
        let cut = edges.iter().filter(|&&(i, j)| s[i] != s[j]).count() as f64;
        approx::assert_abs_diff_eq!(house.cut_value(&s), cut);
        approx::assert_abs_diff_eq!(house.energy(&s), 6.0 - 2.0 * cut);
        largest = largest.max(cut);
    }
    approx::assert_abs_diff_eq!(largest, 5.0);
}

#[test]
fn positions_need_every_site() {
    let partly = read("# position 1 0 0\n# position 1 1 1\n2 0\n", Format::Auto, Sign::Coupling).unwrap();
    assert_eq!(partly.model.positions(), None);
    assert_eq!(partly.comments, ["position 1 0 0", "position 1 1 1"]);
    let all = read("2 0\nc position 2 0.5 -1\n% position 1 0 0 7\n", Format::Auto, Sign::Coupling).unwrap();
    assert_eq!(all.model.positions(), Some(&[[0.0, 0.0, 7.0], [0.5, -1.0, 0.0]][..]));
    assert!(all.comments.is_empty());
    for bad in ["# position 3 0 0", "# position 0 0 0", "# position 1 nan 0", "# position 1 0", "# position 1 0 0 0 0"]
    {
        let read = read(&format!("{bad}\n1 0"), Format::Auto, Sign::Coupling).unwrap();
        assert_eq!((read.model.positions(), read.comments.len()), (None, 1), "{bad}");
    }
    let other = model(&bqpjson("{}", "{\"positions\": [[0, 0]]}"));
    assert_eq!(other.positions(), None);
}

#[test]
fn what_a_format_cannot_hold_is_refused() {
    let text = |result: spin_models::Result<()>| match result.unwrap_err() {
        error @ (Error::Unrepresentable { .. } | Error::WrongLength { .. }) => error.to_string(),
        other => panic!("{other}"),
    };
    let pair = || Ising::builder(2).coupling(0, 1, 1.0);
    let with_field = Instance::new(pair().field(1, 0.5).build().unwrap());
    let with_constant = Instance::new(pair().offset(-1.5).build().unwrap());
    assert_eq!(
        text(write_edge_list(&with_field, Sign::Coupling, std::io::sink())),
        "an edge list cannot hold the field 0.5 of spin 1"
    );
    assert_eq!(
        text(write_edge_list(&with_constant, Sign::Coupling, std::io::sink())),
        "an edge list cannot hold the constant -1.5"
    );
    assert_eq!(
        text(write_dimod(&with_field, Sign::MaxCut, std::io::sink())),
        "a Max-Cut file cannot hold the field 0.5 of spin 1"
    );
    let lonely = Instance::new(Ising::builder((1 << 20) + 1).build().unwrap());
    assert!(text(write_edge_list(&lonely, Sign::Coupling, std::io::sink())).contains("1048577 spins with 0 couplings"));

    let twice = Ising::builder(2).couplings([(0, 1, 1.0), (1, 0, 0.5)]).duplicates(Duplicates::Keep).build().unwrap();
    let twice = Instance::new(twice);
    for result in [
        write_edge_list(&twice, Sign::Coupling, std::io::sink()),
        write_dimod(&twice, Sign::Coupling, std::io::sink()),
        write_bqpjson(&twice, Sign::Coupling, std::io::sink()),
    ] {
        assert!(text(result).ends_with("cannot hold a second coupling of spins 0 and 1"));
    }

    let mut named = Instance::new(pair().build().unwrap());
    named.labels = vec![Label::Text("a".into()), Label::Integer(-1)];
    assert_eq!(
        text(write_bqpjson(&named, Sign::Coupling, std::io::sink())),
        "bqpjson cannot hold the label \"a\" of spin 0: ids are integers >= 0"
    );
    let mut file = Vec::new();
    write_edge_list(&named, Sign::Coupling, &mut file).unwrap();
    assert_eq!(file, b"# label 1 a\n# label 2 -1\n2 1\n1 2 1\n");
    named.labels = vec![Label::Integer(3), Label::Integer(3)];
    assert!(
        text(write_bqpjson(&named, Sign::Coupling, std::io::sink())).contains("the label 3 for both spin 0 and spin 1")
    );
    assert!(text(write_dimod(&named, Sign::Coupling, std::io::sink())).contains("the label \"3\" for both"));
    named.labels.pop();
    assert_eq!(text(write_dimod(&named, Sign::Coupling, std::io::sink())), "labels: 1 values for 2");
}

#[test]
fn comments_and_metadata_survive_a_change_of_format() {
    let mut instance = Instance::new(Ising::builder(2).coupling(0, 1, 0.1).build().unwrap());
    instance.comments = vec!["seed 7".into(), "two \"lines\"\nin one".into()];
    instance.metadata = vec![("k".into(), "[1, {\"a\": null}]".into())];
    let mut file = Vec::new();
    write_bqpjson(&instance, Sign::Dimod, &mut file).unwrap();
    let bqp = read_instance(&file[..], Format::Auto, Sign::Dimod).unwrap();
    assert_eq!(bqp.comments, ["seed 7\ntwo \"lines\"\nin one"]);
    assert_eq!((&bqp.metadata, &bqp.model), (&instance.metadata, &instance.model));
    file.clear();
    write_dimod(&bqp, Sign::Dimod, &mut file).unwrap();
    let dimod = read_instance(&file[..], Format::Auto, Sign::Dimod).unwrap();
    assert_eq!(dimod.metadata[0], ("description".into(), "\"seed 7\\ntwo \\\"lines\\\"\\nin one\"".into()));
    file.clear();
    write_edge_list(&bqp, Sign::Dimod, &mut file).unwrap();
    assert_eq!(String::from_utf8(file).unwrap(), "# seed 7\n# two \"lines\"\n# in one\n2 1\n1 2 -0.1\n");
}

fn bits(model: &Ising) -> impl PartialEq + std::fmt::Debug {
    let couplings: Vec<_> = model.couplings().map(|(i, j, coupling)| (i, j, coupling.to_bits())).collect();
    let fields: Vec<_> = model.fields().iter().map(|h| h.to_bits()).collect();
    let positions = model.positions().map(|list| list.iter().map(|p| p.map(f64::to_bits)).collect::<Vec<_>>());
    (couplings, fields, model.offset().to_bits(), positions)
}

fn finite() -> impl Strategy<Value = f64> {
    use prop::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO, Just(1.0), Just(-1.0), -2.0..2.0f64]
}

prop_compose! {
    fn any_model()(n in 1usize..8)(
        n in Just(n),
        couplings in prop::collection::btree_map((0..n, 0..n), finite(), 0..12),
        fields in prop::collection::vec(finite(), n),
        offset in finite(),
        positions in prop::option::of(prop::collection::vec([finite(), finite(), finite()], n)),
    ) -> Ising {
        let pairs = couplings.into_iter().filter(|((i, j), _)| i < j).map(|((i, j), x)| (i, j, x));
        // An order other than the sorted one.
        let pairs: Vec<_> = pairs.collect::<Vec<_>>().into_iter().rev().collect();
        let builder = Ising::builder(n).couplings(pairs).fields(fields).offset(offset);
        match positions {
            None => builder.build().unwrap(),
            Some(positions) => builder.positions(positions).build().unwrap(),
        }
    }
}

fn bare(model: &Ising) -> Ising {
    let bare = Ising::builder(model.n_spins()).couplings(model.couplings()).build().unwrap();
    match model.positions() {
        None => bare,
        Some(positions) => bare.with_positions(positions.to_vec()).unwrap(),
    }
}

proptest! {
    #[test]
    fn written_models_read_back_bit_for_bit(model in any_model()) {
        for sign in [Sign::Coupling, Sign::MaxCut, Sign::Dimod] {
            let full = if sign == Sign::MaxCut { bare(&model) } else { model.clone() };
            let instance = Instance::new(full);
            let mut file = Vec::new();
            write_bqpjson(&instance, sign, &mut file).unwrap();
            let read = read_instance(&file[..], Format::Auto, sign).unwrap();
            prop_assert_eq!((bits(&read.model), read.labels), (bits(&instance.model), instance.labels.clone()));
            file.clear();
            write_dimod(&instance, sign, &mut file).unwrap();
            let read = read_instance(&file[..], Format::Auto, sign).unwrap();
            prop_assert_eq!((bits(&read.model), read.labels), (bits(&instance.model), instance.labels));
            file.clear();
            let instance = Instance::new(bare(&model));
            write_edge_list(&instance, sign, &mut file).unwrap();
            let read = read_instance(&file[..], Format::Auto, sign).unwrap();
            prop_assert_eq!((bits(&read.model), read.labels), (bits(&instance.model), instance.labels));
        }
    }
}
