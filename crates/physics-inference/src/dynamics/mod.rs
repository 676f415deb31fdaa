//! Charges that move: Hamiltonians, integrators and what they conserve.
