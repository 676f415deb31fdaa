//! Eigenvalues of symmetric matrices.
