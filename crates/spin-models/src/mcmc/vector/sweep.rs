//! Sweeps of 16 replicas side by side.

use linalg_core::rand::Rng;
use linalg_core::rng::Xoshiro256PlusPlus;

use super::couplings::RealModel;
use super::rates::{Decision, Rates, Rule};
use crate::mcmc::multispin::generator::Generator;
use crate::mcmc::multispin::simd::{Block, FLOATS, Float, Floats, Kernel, Mask, Simd};
use crate::mcmc::{Dynamics, heat_bath_acceptance, metropolis_acceptance};

/// Up to 16 replicas.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// ±1 by position.
    pub(super) spins: Vec<Floats>,
    /// 32 bits for every replica at a time.
    pub(super) generator: Generator,
    /// One for every replica, for the comparisons that need more than 31 bits.
    pub(super) further: [Xoshiro256PlusPlus; FLOATS],
    /// Lanes that are replicas.
    pub(super) used: u32,
}

/// Sweeps of one group.
pub(super) struct Sweeps<'a> {
    pub(super) model: &'a RealModel,
    pub(super) dynamics: Dynamics,
    pub(super) rates: &'a Rates,
    pub(super) group: &'a mut Group,
    pub(super) sweeps: u64,
}

impl Kernel for Sweeps<'_> {
    /// How many spins changed.
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        match self.dynamics {
            Dynamics::Metropolis => sweeps::<S, true>(simd, self),
            Dynamics::HeatBath => sweeps::<S, false>(simd, self),
        }
    }
}

#[inline(always)]
fn sweeps<S: Simd, const METROPOLIS: bool>(simd: S, job: Sweeps<'_>) -> u64 {
    let Sweeps { model, dynamics, rates, group, sweeps } = job;
    let Group { spins, generator, further, used } = group;
    let (one, zero) = (simd.splat_float(1.0), simd.splat_float(0.0));
    let width = FLOATS / S::PARTS;
    let mut flips = 0;
    // Lanes have nothing to do with each other, so each part of the registers goes its own way.
    for part in 0..S::PARTS {
        let rule = Rule::load(simd, rates, part);
        let mut random = generator.load(simd, part);
        let used = *used >> (width * part) & (((1u64 << width) - 1) as u32);
        for _ in 0..sweeps {
            for position in 0..model.n_held {
                let mut field = simd.splat_float(model.fields[position]);
                for link in model.links(position) {
                    let neighbor = simd.load_floats(&spins[link.position as usize], part);
                    field = field.add(simd.splat_float(link.coupling).mul(neighbor));
                }
                let spin = simd.load_floats(&spins[position], part);
                let word = random.next();
                let Decision { mut yes, certain } =
                    if METROPOLIS { rule.metropolis(spin, field, word) } else { rule.heat_bath(field, word) };
                let aligned = if METROPOLIS { spin } else { one.with_sign_of(field) };
                let open = !certain.bits() & ((1u64 << width) - 1) as u32;
                if open != 0 {
                    let mut words = Block::ZERO;
                    simd.store(&mut words, part, word);
                    let mut signs = Floats([0.0; FLOATS]);
                    simd.store_floats(&mut signs, part, aligned);
                    let exactly = Exactly { model, dynamics, rates, spins, words: &words, signs: &signs, position };
                    yes = simd.mask(exactly.decide(further, width * part, open, yes.bits()));
                }
                let new = aligned.negate_where(yes);
                let changed = new.mul(spin).below(zero).bits();
                simd.store_floats(&mut spins[position], part, new);
                flips += u64::from((changed & used).count_ones());
            }
            for site in &mut spins[model.n_held..] {
                // The first bit of each half is 0 or 2³⁰ as a whole number.
                let first = random.next() & simd.splat(1 << 63 | 1 << 31);
                let signs = simd.whole_numbers(first).sub(simd.splat_float((1u32 << 29) as f32));
                let spin = simd.load_floats(site, part);
                let new = one.with_sign_of(signs);
                simd.store_floats(site, part, new);
                flips += u64::from((new.mul(spin).below(zero).bits() & used).count_ones());
            }
        }
        generator.store(simd, part, &random);
    }
    flips
}

/// A decision in 64 bits.
struct Exactly<'a> {
    model: &'a RealModel,
    dynamics: Dynamics,
    rates: &'a Rates,
    spins: &'a [Floats],
    words: &'a Block,
    /// The spin if nothing happens: the old one for Metropolis, along the field in 32 bits for the heat bath.
    signs: &'a Floats,
    position: usize,
}

impl Exactly<'_> {
    /// Replaces the bits of `yes` that are open, lane `first + k` being bit `k`.
    #[cold]
    #[inline(never)]
    fn decide(&self, further: &mut [Xoshiro256PlusPlus; FLOATS], first: usize, open: u32, yes: u32) -> u32 {
        let mut decided = yes & !open;
        for k in (0..FLOATS).filter(|k| open >> k & 1 == 1) {
            let lane = first + k;
            let links = self.model.exact_links(self.position);
            let sum: f64 = links.map(|(neighbor, j)| j * f64::from(self.spins[neighbor].0[lane])).sum();
            let field = self.model.exact_fields[self.position] + sum;
            let x = self.rates.betas[lane] * (2.0 * field * f64::from(self.signs.0[lane]));
            let p = match self.dynamics {
                Dynamics::Metropolis => metropolis_acceptance(x),
                Dynamics::HeatBath => heat_bath_acceptance(x),
            };
            // The 31 bits that were used before, and as many below as a number below 1 has.
            let leading = self.words.0[lane / 2] >> (32 * (lane % 2) + 1) & ((1 << 31) - 1);
            let below = further[lane].next_u64() >> 43;
            let u = ((leading << 21 | below) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64);
            decided |= u32::from(u < p) << k;
        }
        decided
    }
}

/// Energies of all lanes.
pub(super) struct Energies<'a> {
    pub(super) model: &'a RealModel,
    pub(super) spins: &'a [Floats],
}

impl Kernel for Energies<'_> {
    type Output = [f64; FLOATS];

    // Loops over 16 lanes of several arrays, which become vector code.
    #[allow(clippy::needless_range_loop)]
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) -> Self::Output {
        let (model, spins) = (self.model, self.spins);
        let mut energies = [model.offset; FLOATS];
        for (position, spin) in spins[..model.n_held].iter().enumerate() {
            let mut field = [model.exact_fields[position]; FLOATS];
            for (neighbor, coupling) in model.earlier_links(position) {
                let neighbor = &spins[neighbor].0;
                for lane in 0..FLOATS {
                    field[lane] += coupling * f64::from(neighbor[lane]);
                }
            }
            for lane in 0..FLOATS {
                energies[lane] -= f64::from(spin.0[lane]) * field[lane];
            }
        }
        energies
    }
}

/// Sums of the spins of all lanes.
pub(super) struct Magnetizations<'a>(pub(super) &'a [Floats]);

impl Kernel for Magnetizations<'_> {
    type Output = [f64; FLOATS];

    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) -> Self::Output {
        let mut sums = [0.0; FLOATS];
        for spin in self.0 {
            sums.iter_mut().zip(&spin.0).for_each(|(sum, &s)| *sum += f64::from(s));
        }
        sums
    }
}
