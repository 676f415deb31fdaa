//! What is saved of a tree: places and charges, from which it is built again.

use super::{Octree, OctreeParams};

/// Coordinates in the order of the sources, `D` each, so that any number of dimensions can be saved.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct SavedTree {
    params: OctreeParams,
    dimension: usize,
    places: Vec<f64>,
    charges: Vec<f64>,
}

impl<const D: usize> From<Octree<D>> for SavedTree {
    fn from(tree: Octree<D>) -> Self {
        let (places, charges) = tree.in_order();
        Self { params: *tree.params(), dimension: D, places: places.as_flattened().to_vec(), charges }
    }
}

impl<const D: usize> TryFrom<SavedTree> for Octree<D> {
    type Error = String;

    fn try_from(saved: SavedTree) -> Result<Self, String> {
        let (n, found) = (saved.charges.len(), saved.places.len());
        if saved.dimension != D || found != n * D {
            return Err(format!(
                "{found} coordinates in {} dimensions for {n} charges in {D} dimensions",
                saved.dimension
            ));
        }
        let (places, _) = saved.places.as_chunks::<D>();
        let mut tree = Self::new(places, saved.params).map_err(|e| e.to_string())?;
        tree.set_charges(&saved.charges).map_err(|e| e.to_string())?;
        Ok(tree)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Targets;
    use super::*;

    #[test]
    fn a_tree_comes_back_bit_for_bit() {
        let place = |k: usize| [(k as f64 * 0.7).sin(), (k as f64 * 1.3).cos(), (k as f64 * 0.1).sin()];
        let places: Vec<[f64; 3]> = (0..900).map(place).collect();
        let charges: Vec<f64> = (0..900).map(|k| (k as f64).sin()).collect();
        let mut tree = Octree::new(&places, OctreeParams::default()).unwrap();
        tree.set_charges(&charges).unwrap();
        let text = serde_json::to_string(&tree).unwrap();
        let back: Octree = serde_json::from_str(&text).unwrap();
        assert!(!back.is_direct() && back.n_cells() == tree.n_cells());
        let targets = Targets::new(&places[..50]).unwrap();
        let (mut a, mut b) = ([0.0; 50], [0.0; 50]);
        tree.potential(&targets, &mut a);
        back.potential(&targets, &mut b);
        assert_eq!(a.map(f64::to_bits), b.map(f64::to_bits));
        assert!(serde_json::from_str::<Octree<2>>(&text).is_err());
        assert!(serde_json::from_str::<Octree>(&text.replacen("\"softening\":0.2", "\"softening\":-1.0", 1)).is_err());
    }
}
