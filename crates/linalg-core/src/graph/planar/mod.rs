//! Plane embeddings of graphs.
//!
//! An [`Embedding`] says in which order the edges leave each vertex. It comes from a straight-line drawing
//! ([`embed_drawing`]) or from the bare graph ([`embed`]), and [`kuratowski_subgraph`] shows why a graph has none.
//!
//! ```
//! use linalg_core::graph::{Csr, planar};
//!
//! let k4 = Csr::from_edges(4, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])?;
//! let embedding = planar::embed(&k4)?;
//! assert_eq!(embedding.faces().len(), 4); // the tetrahedron
//!
//! let k5 = Csr::from_edges(5, (0..5).flat_map(|i| (0..i).map(move |j| (j, i))))?;
//! assert!(!planar::is_planar(&k5));
//! # Ok::<(), linalg_core::Error>(())
//! ```

mod drawing;
mod embedding;
mod kuratowski;
mod left_right;
mod orientation;
mod simple;

pub use drawing::embed_drawing;
pub use embedding::{Embedding, Faces};
pub use kuratowski::kuratowski_subgraph;

use super::csr::Csr;
use crate::error::{Error, Result};
use left_right::LeftRight;
use simple::Simple;

/// A plane embedding of an abstract graph, by the left-right criterion. Linear in vertices and edges.
///
/// Parallel edges lie side by side; a self-loop encloses nothing. Components are embedded one by one: the embedding
/// does not say which face of one holds another.
///
/// # Errors
/// [`Error::NotPlanar`] with the first edge, in the order of the edge list, that cannot be added to those before it;
/// finding it repeats the test about $`\ln E / \ln 2`$ times.
///
/// ```
/// use linalg_core::Error;
/// use linalg_core::graph::{Csr, planar};
///
/// // Three houses and three wells.
/// let paths = (0..3).flat_map(|house| (3..6).map(move |well| (house, well)));
/// let utilities = Csr::from_edges(6, paths)?;
/// assert_eq!(planar::embed(&utilities), Err(Error::NotPlanar { edge: (2, 5) }));
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # References
/// - H. de Fraysseix and P. Rosenstiehl, "A characterization of planar graphs by Trémaux orders", Combinatorica 5,
///   127 (1985).
/// - U. Brandes, "The left-right planarity test", manuscript, University of Konstanz (2009).
pub fn embed(graph: &Csr) -> Result<Embedding> {
    let simple = Simple::new(graph);
    let n = graph.n_vertices();
    match LeftRight::new(n, simple.edges()).embed() {
        Some(rotations) => Ok(simple.expand(graph, &rotations)),
        None => {
            let critical = kuratowski::first_critical(n, &[], simple.edges());
            let edge = simple.edges()[critical.expect("the whole list is not planar") - 1];
            Err(Error::NotPlanar { edge })
        }
    }
}

/// Whether the graph can be drawn in the plane without crossings. Linear in vertices and edges.
pub fn is_planar(graph: &Csr) -> bool {
    LeftRight::new(graph.n_vertices(), Simple::new(graph).edges()).decide()
}
