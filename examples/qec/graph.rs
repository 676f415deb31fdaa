//! `decode --graph`: matchings of weighted graphs.

use std::path::Path;

use quantum_ec::Error;
use quantum_ec::decode::{Matching, MatchingGraph};
use serde::Deserialize;
use workspace_examples::json::Line;

use crate::files::{Outcome, named, open};

/// `{"n": 3, "edges": [[0, 1, 2.5], [1, -1, 1]], "shots": [[0, 1], []]}`; -1 is the boundary.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    n: usize,
    edges: Vec<(i64, i64, f64)>,
    shots: Vec<Vec<i64>>,
}

/// A node by its number, `None` for the boundary.
fn node(number: i64, n: usize) -> quantum_ec::Result<Option<usize>> {
    match usize::try_from(number) {
        Ok(node) if node < n => Ok(Some(node)),
        Err(_) if number == -1 => Ok(None),
        Ok(index) => Err(Error::OutOfBounds { what: "detector", index, bound: n }),
        Err(_) => {
            let expected = "a number from 0, or -1 for the boundary";
            Err(Error::Parameter { what: "detector", value: number.to_string(), expected })
        }
    }
}

impl Input {
    fn graph(&self) -> quantum_ec::Result<MatchingGraph> {
        let mut edges = Vec::with_capacity(self.edges.len());
        for &(u, v, weight) in &self.edges {
            let (u, v) = match (node(u, self.n)?, node(v, self.n)?) {
                (Some(u), v) => (u, v),
                (None, Some(v)) => (v, None),
                (None, None) => {
                    let reason = "an edge joins the boundary to itself".to_owned();
                    return Err(Error::NotApplicable { method: "matching", reason });
                }
            };
            edges.push((u, v, weight, Vec::new()));
        }
        MatchingGraph::from_edges(self.n, 0, &edges)
    }

    fn syndrome(&self, shot: &[i64]) -> quantum_ec::Result<Vec<u64>> {
        let mut words = vec![0u64; self.n.div_ceil(64)];
        for &defect in shot {
            let wrong = |expected| Error::Parameter { what: "defect", value: defect.to_string(), expected };
            let v = node(defect, self.n)?.ok_or_else(|| wrong("a detector"))?;
            if words[v / 64] >> (v % 64) & 1 == 1 {
                return Err(wrong("every detector once in a shot"));
            }
            words[v / 64] |= 1 << (v % 64);
        }
        Ok(words)
    }
}

/// Weight and edges of every shot: an object a line, or a table.
pub fn run(path: &Path, json: bool, keep_going: bool) -> Outcome<()> {
    let input: Input = serde_json::from_reader(open(path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut matching = Matching::new(named(path, input.graph())?);
    let mut edges = Vec::new();
    if !json {
        println!("{:>8} {:>24}  edges", "shot", "weight");
    }
    for (k, shot) in input.shots.iter().enumerate() {
        let result = input.syndrome(shot).and_then(|syndrome| matching.decode_edges(&syndrome, &mut edges));
        match result {
            Ok(weight) => {
                let ends = edges.iter().map(|&e| {
                    let (u, v) = matching.graph().ends(e);
                    let v = v.map_or_else(|| "-1".to_owned(), |v| v.to_string());
                    format!("[{u},{v}]")
                });
                let list = ends.collect::<Vec<_>>().join(",");
                if json {
                    // The builder of lines knows no lists.
                    let line = Line::new().count("shot", k as u64).number("weight", Some(weight)).finish();
                    println!("{},\"edges\":[{list}]}}", line.trim_end_matches('}'));
                } else {
                    println!("{k:>8} {weight:>24}  {list}");
                }
            }
            Err(error) if keep_going => {
                let message = error.to_string();
                if json {
                    println!("{}", Line::new().count("shot", k as u64).text("error", &message).finish());
                } else {
                    println!("{k:>8} {:>24}  {message}", "-");
                }
            }
            Err(error) => return Err(format!("{}: shot {k}: {error}", path.display()).into()),
        }
    }
    Ok(())
}
