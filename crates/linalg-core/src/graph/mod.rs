//! Undirected graphs: adjacency, components, shortest paths, colourings, plane embeddings, matchings.
//!
//! [`Csr`] is the graph that everything here takes. Edges keep their position in the list they came from, so that
//! couplings, weights and signs live in plain slices beside the graph. Parallel edges and self-loops are allowed.
//!
//! ```
//! use linalg_core::graph::{Csr, bipartition, components, planar, shortest_paths};
//!
//! //  0 --- 1       4
//! //  |     |
//! //  3 --- 2
//! let graph = Csr::from_edges(5, [(0, 1), (1, 2), (2, 3), (3, 0)])?;
//! assert_eq!(components(&graph).count(), 2);
//! assert_eq!(bipartition(&graph), Ok(vec![false, true, false, true, false]));
//!
//! let tree = shortest_paths(&graph, &[1.0, 1.0, 1.0, 5.0], 0)?;
//! assert_eq!(tree.path_to(3).expect("one component").vertices, [0, 1, 2, 3]);
//!
//! assert_eq!(planar::embed(&graph)?.faces().len(), 2); // inside and outside
//! # Ok::<(), linalg_core::Error>(())
//! ```

mod coloring;
mod components;
mod csr;
pub mod matching;
pub mod planar;
mod shortest_paths;
mod union_find;

pub use coloring::{Coloring, greedy_coloring};
pub use components::{Components, OddCycle, bipartition, components, is_forest, spanning_forest};
pub use csr::{Csr, Neighbor};
pub use shortest_paths::{Path, ShortestPaths, bfs_distances, shortest_paths};
pub use union_find::UnionFind;
