//! The instances that the repository ships, in `examples/data` and on the pages of `docs/formats`: they are what
//! their comments say.
//!
//! Not part of the published package, which does not contain them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use spin_models::io::{Format, Instance, Sign, read_instance};
use spin_models::{Boundary, EnergyModel, Ising, Lattice, Shape, Spins};

fn read(name: &str, sign: Sign) -> Instance {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data").join(name);
    read_instance(BufReader::new(File::open(path).unwrap()), Format::Auto, sign).unwrap()
}

fn couplings(model: &Ising) -> Vec<(usize, usize, f64)> {
    model.couplings().collect()
}

fn pairs(model: &Ising) -> impl Iterator<Item = (usize, usize)> {
    model.couplings().map(|(i, j, _)| (i, j))
}

#[test]
fn squares_are_the_reference_instances() {
    for (name, l) in [("pm_square_4.txt", 4), ("pm_square_16.txt", 16)] {
        let file = read(name, Sign::Coupling).model;
        assert_eq!(couplings(&file), couplings(&Ising::plus_minus_splitmix(l, l, 1).unwrap()));
        let lattice = Lattice::square(l, Boundary::Free).unwrap();
        assert_eq!(Shape::recognize(l * l, pairs(&file)).as_ref(), lattice.shape());
    }
    let torus = Lattice::square(8, Boundary::Periodic).unwrap();
    let file = read("pm_torus_8.txt", Sign::Coupling).model;
    assert_eq!(couplings(&file), couplings(&Ising::plus_minus_splitmix_on(&torus, 1).unwrap()));
    assert_eq!(Shape::recognize(64, pairs(&file)).as_ref(), torus.shape());
}

#[test]
fn random_graphs_have_their_sizes() {
    let sk = read("sk_20.txt", Sign::Coupling).model;
    assert_eq!((sk.n_spins(), sk.n_couplings()), (20, 190));
    // Σ J² over pairs has mean 9.5 and standard deviation √(2 · 190)/20.
    let squares: f64 = sk.couplings().map(|(_, _, j)| j * j).sum();
    assert!((squares - 9.5).abs() < 4.0 * 380f64.sqrt() / 20.0, "{squares}");
    let graph = read("gset_small.txt", Sign::MaxCut).model;
    assert_eq!((graph.n_spins(), graph.n_couplings()), (24, 60));
    assert!(graph.couplings().all(|(_, _, j)| (j + 1.0).abs() < f64::EPSILON));
    let tree = read("tree_20.txt", Sign::Coupling).model;
    assert_eq!((tree.n_spins(), tree.n_couplings()), (20, 19));
    assert!((1..20).all(|i| pairs(&tree).filter(|&(_, j)| j == i).count() == 1), "every spin has one parent");
    for model in [sk, graph, tree] {
        assert!(model.positions().is_some());
    }
}

#[test]
fn both_json_files_are_one_model() {
    let bqp = read("field_12.bqpjson.json", Sign::Coupling);
    let dimod = read("field_12.dimod.json", Sign::Coupling);
    assert_eq!((bqp.format, dimod.format), (Format::Bqpjson, Format::Dimod));
    assert_eq!(bqp.model, dimod.model);
    assert!(bqp.model.has_fields() && bqp.model.positions().is_some());
    assert_eq!(dimod.labels[7].to_string(), "(1, 3)");
    // In dimod's sign everything but the constant turns round.
    let other = read("field_12.dimod.json", Sign::Dimod).model;
    let s = Spins::from_state(0b1011_0001_1101, 12);
    approx::assert_abs_diff_eq!(other.energy(&s) + bqp.model.energy(&s), 0.5, epsilon = 1e-14);
}

/// The blocks after the heading "Example" on a page of `docs/formats`.
fn examples(page: &str) -> Vec<Instance> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("## Example\n").unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let blocks = section.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap().1);
    blocks.map(|block| read_instance(block.as_bytes(), Format::Auto, Sign::Coupling).unwrap()).collect()
}

#[test]
fn pages_show_what_they_say() {
    let square = examples("edge_list.md").remove(0).model;
    assert_eq!((square.energy(&[1; 4]), square.positions().unwrap().len()), (-2.0, 4));
    let pairs = [examples("bqpjson.md"), examples("dimod.md")].concat();
    assert_eq!(pairs.len(), 3);
    for pair in pairs {
        for s in [[1i8, 1], [1, -1], [-1, 1], [-1, -1]] {
            let [a, b] = s.map(f64::from);
            approx::assert_abs_diff_eq!(pair.model.energy(&s), 0.5 - a * b - 0.25 * a, epsilon = 1e-15);
        }
    }
}
