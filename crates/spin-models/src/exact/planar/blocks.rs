//! Blocks (2-connected components) of a graph.

use linalg_core::graph::Csr;

const NONE: usize = usize::MAX;

/// The block of every edge, numbered from 0, and the number of edges of every block.
///
/// Two edges are in one block when a simple cycle runs through both; an edge that lies on no cycle, a bridge, is a
/// block of its own. Low points of a depth-first search (J. Hopcroft and R. Tarjan, Communications of the ACM 16, 372
/// (1973)), without recursion. Linear in vertices and edges. No self-loops.
pub(super) fn blocks(graph: &Csr) -> (Vec<usize>, Vec<usize>) {
    let n = graph.n_vertices();
    let mut block = vec![NONE; graph.n_edges()];
    let mut sizes = Vec::new();
    let mut depth = vec![NONE; n];
    let mut low = vec![NONE; n];
    let mut open_edges: Vec<usize> = Vec::new();
    // Vertex, edge to its parent, next neighbour to look at, length of `open_edges` before the edge to the parent.
    let mut path: Vec<(usize, usize, usize, usize)> = Vec::new();
    for root in 0..n {
        if depth[root] != NONE {
            continue;
        }
        depth[root] = 0;
        low[root] = 0;
        path.push((root, NONE, 0, 0));
        while let Some(&mut (v, to_parent, ref mut next, mark)) = path.last_mut() {
            if let Some(&neighbor) = graph.neighbors(v).get(*next) {
                *next += 1;
                let (u, edge) = (neighbor.vertex, neighbor.edge);
                if edge == to_parent {
                    continue;
                }
                if depth[u] == NONE {
                    depth[u] = path.len();
                    low[u] = depth[u];
                    path.push((u, edge, 0, open_edges.len()));
                    open_edges.push(edge);
                } else if depth[u] < depth[v] {
                    open_edges.push(edge);
                    low[v] = low[v].min(depth[u]);
                }
                continue;
            }
            path.pop();
            let Some(&(parent, ..)) = path.last() else { break };
            low[parent] = low[parent].min(low[v]);
            if low[v] >= depth[parent] {
                // Nothing below v reaches above the parent: what was found since then is a block.
                sizes.push(open_edges.len() - mark);
                for edge in open_edges.drain(mark..) {
                    block[edge] = sizes.len() - 1;
                }
            }
        }
    }
    (block, sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_triangles_a_bridge_and_a_path() {
        // Triangles 0 1 2 and 2 3 4 share a vertex; 4-5 and 5-6 are bridges; 7 is alone; 8-9 is apart.
        let edges = [(0, 1), (2, 3), (1, 2), (4, 5), (3, 4), (2, 0), (4, 2), (5, 6), (8, 9)];
        let graph = Csr::from_edges(10, edges).unwrap();
        let (block, sizes) = blocks(&graph);
        assert_eq!(sizes.len(), 5);
        for same in [&[0, 2, 5][..], &[1, 4, 6], &[3], &[7], &[8]] {
            assert!(same.iter().all(|&e| block[e] == block[same[0]]));
            assert_eq!(sizes[block[same[0]]], same.len());
        }
    }
}
