//! One spin with its four legs.

/// The weight of a spin as a tensor with the legs up, down, left and right.
///
/// The weight of a bond is $`e^{K s s'} = \sum_i m_i(s) m_i(s')`$ with $`m_0 = \sqrt{\cosh K}`$,
/// $`m_1 = s \sqrt{\sinh K}`$: a leg is 0 or 1, and the tensor depends on the number of ones on its legs only, apart
/// from the weights of the legs. Everything is divided by $`e^{K_1 + K_2 + |h|}`$.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site {
    /// The roots of the weights of a leg that is 0 or 1, of horizontal and of vertical bonds.
    legs: [[f64; 2]; 2],
    /// Sums of the weights of the spin times $`s^k`$, k even and odd.
    spin: [f64; 2],
}

/// The directions of bonds.
pub(super) const HORIZONTAL: usize = 0;
pub(super) const VERTICAL: usize = 1;

impl Site {
    /// With the couplings `K >= 0` of horizontal and vertical bonds and the field, times β.
    pub(super) fn new(k: [f64; 2], field: f64) -> Self {
        let legs = k.map(|k| {
            let small = (-2.0 * k).exp();
            // cosh and sinh, over e^K.
            [(0.5 * (1.0 + small)).sqrt(), (-0.5 * (-2.0 * k).exp_m1()).sqrt()]
        });
        let small = (-2.0 * field.abs()).exp();
        Self { legs, spin: [1.0 + small, (-(-2.0 * field.abs()).exp_m1()).copysign(field)] }
    }

    /// The tensor with the spin to some power in front.
    pub(super) fn weight(&self, [up, down, left, right]: [usize; 4], power: usize) -> f64 {
        let [horizontal, vertical] = self.legs;
        self.spin[(up + down + left + right + power) % 2]
            * (vertical[up] * vertical[down])
            * (horizontal[left] * horizontal[right])
    }

    /// What a spin outside the lattice that is +1 puts on a leg.
    pub(super) fn boundary(&self, direction: usize) -> [f64; 2] {
        self.legs[direction]
    }
}
