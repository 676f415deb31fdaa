//! Sizes of work units.

/// `total` cut into pieces of at most `most`, as equal as possible.
pub(crate) fn pieces(total: usize, most: usize) -> Vec<usize> {
    let parts = total.div_ceil(most);
    (0..parts).map(|k| total * (k + 1) / parts - total * k / parts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_add_up() {
        assert_eq!(pieces(1000, 256), [250; 4]);
        assert_eq!(pieces(7, 3), [2, 2, 3]);
        assert_eq!(pieces(0, 3), [0; 0]);
    }
}
