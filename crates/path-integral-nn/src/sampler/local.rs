//! Local moves: single points and bridges over segments.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};

use super::{Block, Sampler, Target};
use crate::action::LANES;
use crate::ensemble::{Ends, Kind};

/// Rows of a segment, with what lies beyond fixed ends, and the part of the action that a move changes.
#[derive(Debug, Clone, Default)]
struct Segment {
    rows: Vec<f64>,
    places: Vec<f64>,
    values: Vec<f64>,
}

/// Number of points in full, fixed ends included.
fn full_points(target: &Target) -> usize {
    let ensemble = target.action().ensemble();
    ensemble.slices() + usize::from(!ensemble.is_periodic())
}

impl Segment {
    /// Copies the points `first ..= last` (of all points, fixed ends included; modulo N for closed paths).
    fn load(&mut self, block: &Block, first: usize, last: usize) {
        let cols = block.cols();
        self.rows.resize((last - first + 1) * cols, 0.0);
        for (row, point) in self.rows.chunks_exact_mut(cols).zip(first..=last) {
            match &block.target().action().ensemble().kind {
                Kind::FixedEnds { from, to } => {
                    let slices = block.target().action().ensemble().slices();
                    let end = if point == 0 { Some(from) } else { (point == slices).then_some(to) };
                    match end {
                        Some(end) => row.iter_mut().enumerate().for_each(|(c, x)| *x = end[c % end.len()]),
                        None => row.copy_from_slice(&block.x[(point - 1) * cols..point * cols]),
                    }
                }
                Kind::Periodic => {
                    let k = point % block.target().action().ensemble().slices();
                    row.copy_from_slice(&block.x[k * cols..(k + 1) * cols]);
                }
                Kind::GroundState(_) => row.copy_from_slice(&block.x[point * cols..(point + 1) * cols]),
            }
        }
    }

    /// Writes the rows `from ..= to` of the segment back for the chains that accept.
    fn store(&self, block: &mut Block, first: usize, range: std::ops::RangeInclusive<usize>, taken: &[bool; LANES]) {
        let (cols, dim) = (block.cols(), block.dim());
        let ensemble = block.target().action().ensemble().clone();
        for r in range {
            let point = match ensemble.kind {
                Kind::FixedEnds { .. } => first + r - 1,
                Kind::Periodic => (first + r) % ensemble.slices(),
                Kind::GroundState(_) => first + r,
            };
            for (l, _) in taken.iter().enumerate().filter(|(_, t)| **t) {
                let (to, from) = (point * cols + l * dim, r * cols + l * dim);
                block.x[to..to + dim].copy_from_slice(&self.rows[from..from + dim]);
            }
        }
    }

    /// Potential and trial-state terms of the rows that move; `at_start`/`at_end`: the segment ends in an open end that moves.
    fn potential(&mut self, target: &Target, at_start: bool, at_end: bool, out: &mut [f64; LANES]) {
        let action = target.action();
        let (dim, step) = (action.system().dim(), action.ensemble().step());
        let cols = LANES * dim;
        let n = self.rows.len() / cols;
        out.fill(0.0);
        if action.rule().at_midpoints() {
            self.places.resize((n - 1) * cols, 0.0);
            for (k, row) in self.places.chunks_exact_mut(cols).enumerate() {
                for (c, x) in row.iter_mut().enumerate() {
                    *x = 0.5 * (self.rows[k * cols + c] + self.rows[(k + 1) * cols + c]);
                }
            }
            self.values.resize((n - 1) * LANES, 0.0);
            action.effective_potential().values(&self.places, &mut self.values);
            for row in self.values.chunks_exact(LANES) {
                (0..LANES).for_each(|l| out[l] += step * row[l]);
            }
        } else {
            let (first, last) = (usize::from(!at_start), n - usize::from(!at_end));
            self.values.resize((last - first) * LANES, 0.0);
            action.effective_potential().values(&self.rows[first * cols..last * cols], &mut self.values);
            for (k, row) in (first..last).zip(self.values.chunks_exact(LANES)) {
                let open = (k == 0 && at_start) || (k + 1 == n && at_end);
                let weight = if open { 0.5 * step } else { step };
                (0..LANES).for_each(|l| out[l] += weight * row[l]);
            }
        }
        if let Kind::GroundState(Ends::Gaussian { frequency, center }) = action.ensemble().kind {
            let half = 0.5 * action.system().mass() * frequency;
            for (moves, row) in [(at_start, 0), (at_end, n - 1)] {
                for (l, sum) in out.iter_mut().enumerate().filter(|_| moves) {
                    let start = row * cols + l * dim;
                    let point = &self.rows[start..start + dim];
                    *sum += half * point.iter().map(|x| (x - center) * (x - center)).sum::<f64>();
                }
            }
        }
    }
}

/// Single points in turn, uniform steps.
#[derive(Debug, Clone)]
pub(super) struct Metropolis {
    size: f64,
    segment: Segment,
    noise: Vec<f64>,
}

impl Metropolis {
    pub fn new(target: &Target) -> Self {
        let action = target.action();
        let width = (action.system().hbar() * action.ensemble().step() / action.system().mass()).sqrt();
        let frequency = target.reference().oscillator().frequency.max(1e-3 / action.ensemble().time());
        let whole = (action.system().hbar() / (2.0 * action.system().mass() * frequency)).sqrt();
        Self { size: 2.0 * width.min(whole), segment: Segment::default(), noise: Vec::new() }
    }
}

impl Sampler for Metropolis {
    fn step(&mut self, block: &mut Block) {
        let target = block.shared_target();
        let action = target.action();
        let (cols, dim, hbar) = (block.cols(), block.dim(), block.hbar());
        let stiffness = 0.5 * action.system().mass() / action.ensemble().step();
        let ensemble = action.ensemble();
        let slices = ensemble.slices();
        self.noise.resize(cols, 0.0);
        let points = match ensemble.kind {
            Kind::Periodic => 0..slices,
            Kind::GroundState(_) => 0..slices + 1,
            Kind::FixedEnds { .. } => 1..slices,
        };
        let open = matches!(ensemble.kind, Kind::GroundState(_));
        for point in points {
            // The row that moves, between its neighbours where it has some.
            let (at_start, at_end) = (open && point == 0, open && point == slices);
            let (first, last, moving) = match ensemble.kind {
                Kind::Periodic => (point + slices - 1, point + slices + 1, 1),
                _ => (point - usize::from(!at_start), point + usize::from(!at_end), usize::from(!at_start)),
            };
            self.segment.load(block, first, last);
            let n = last - first + 1;
            let (mut before, mut after) = ([0.0; LANES], [0.0; LANES]);
            self.segment.potential(&target, at_start, at_end, &mut before);
            for rows in 0..dim {
                let u = block.uniforms();
                (0..LANES).for_each(|l| self.noise[l * dim + rows] = self.size * (2.0 * u[l] - 1.0));
            }
            let mut kinetic = [0.0; LANES];
            for c in 0..cols {
                let old = self.segment.rows[moving * cols + c];
                let new = old + self.noise[c];
                self.segment.rows[moving * cols + c] = new;
                // A closed path of one slice has itself as neighbour.
                for other in (0..n).filter(|&k| k != moving && (slices > 1 || open)) {
                    let neighbour = self.segment.rows[other * cols + c];
                    kinetic[c / dim] += (new - neighbour).powi(2) - (old - neighbour).powi(2);
                }
            }
            if ensemble.is_periodic() && slices == 1 {
                let row: Vec<f64> = self.segment.rows[cols..2 * cols].to_vec();
                self.segment.rows[..cols].copy_from_slice(&row);
                self.segment.rows[2 * cols..].copy_from_slice(&row);
                if action.rule().at_midpoints() {
                    // Two equal segments stand for the one there is.
                    before.iter_mut().for_each(|p| *p *= 0.5);
                }
            }
            self.segment.potential(&target, at_start, at_end, &mut after);
            if ensemble.is_periodic() && slices == 1 && action.rule().at_midpoints() {
                after.iter_mut().for_each(|p| *p *= 0.5);
            }
            let u = block.uniforms();
            let mut taken = [false; LANES];
            for l in 0..LANES {
                let d = (after[l] - before[l] + stiffness * kinetic[l]) / hbar;
                taken[l] = d <= 0.0 || u[l] < (-d).exp();
            }
            block.count(&taken);
            self.segment.store(block, first, moving..=moving, &taken);
        }
        block.evaluations += 1.0;
    }

    fn adapt(&mut self, acceptance: f64) {
        self.size *= 1.0 + acceptance - 0.5;
    }

    fn write(&self, out: &mut Writer) {
        out.write_f64(self.size);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Result<(), CheckpointError> {
        let at = from.position();
        self.size = from.read_f64()?;
        if !(self.size > 0.0 && self.size.is_finite()) {
            return Err(CheckpointError::Invalid { what: "step size", at });
        }
        Ok(())
    }
}

/// Free bridges between anchors that move along from step to step.
#[derive(Debug, Clone)]
pub(super) struct Staging {
    length: usize,
    offset: usize,
    segment: Segment,
    noise: Vec<f64>,
}

impl Staging {
    pub fn new(target: &Target) -> Self {
        let length = 8.min(target.action().ensemble().slices()).max(1);
        Self { length, offset: 0, segment: Segment::default(), noise: Vec::new() }
    }

    /// Proposes the inner points of a segment, or all but one end at an open end, and accepts on the potential.
    fn propose(&mut self, block: &mut Block, first: usize, last: usize, at_start: bool, at_end: bool) {
        let n = last - first + 1;
        if n < 3 && !at_start && !at_end || n < 2 {
            return;
        }
        let target = block.shared_target();
        let cols = block.cols();
        let hbar = block.hbar();
        let variance = hbar * target.action().ensemble().step() / target.action().system().mass();
        self.segment.load(block, first, last);
        let (mut before, mut after) = ([0.0; LANES], [0.0; LANES]);
        self.segment.potential(&target, at_start, at_end, &mut before);
        self.noise.resize(n * cols, 0.0);
        let mut noise = std::mem::take(&mut self.noise);
        block.normals(&mut noise);
        let rows = &mut self.segment.rows;
        let range = match (at_start, at_end) {
            (true, true) => return self.noise = noise,
            (true, false) => {
                for k in (0..n - 1).rev() {
                    for c in 0..cols {
                        rows[k * cols + c] = rows[(k + 1) * cols + c] + variance.sqrt() * noise[k * cols + c];
                    }
                }
                0..=n - 2
            }
            (false, true) => {
                for k in 1..n {
                    for c in 0..cols {
                        rows[k * cols + c] = rows[(k - 1) * cols + c] + variance.sqrt() * noise[k * cols + c];
                    }
                }
                1..=n - 1
            }
            (false, false) => {
                for k in 1..n - 1 {
                    // So many steps are left, this one included.
                    let left = (n - k) as f64;
                    let width = (variance * (left - 1.0) / left).sqrt();
                    for c in 0..cols {
                        let (from, to) = (rows[(k - 1) * cols + c], rows[(n - 1) * cols + c]);
                        rows[k * cols + c] = from + (to - from) / left + width * noise[k * cols + c];
                    }
                }
                1..=n - 2
            }
        };
        self.noise = noise;
        self.segment.potential(&target, at_start, at_end, &mut after);
        let u = block.uniforms();
        let mut taken = [false; LANES];
        for l in 0..LANES {
            let d = (after[l] - before[l]) / hbar;
            taken[l] = d <= 0.0 || u[l] < (-d).exp();
        }
        block.count(&taken);
        self.segment.store(block, first, range, &taken);
    }
}

impl Sampler for Staging {
    fn step(&mut self, block: &mut Block) {
        let target = block.shared_target();
        let ensemble = target.action().ensemble();
        let (slices, length) = (ensemble.slices(), self.length);
        // Half a bridge and one more; of two steps that would be none.
        let stride = if length == 2 { 1 } else { length / 2 + 1 };
        self.offset = (self.offset + stride) % length.max(1);
        if ensemble.is_periodic() {
            // Around the ring from an anchor that moves along.
            let start = self.offset;
            let mut at = 0;
            while at < slices {
                let end = (at + length).min(slices);
                self.propose(block, start + at, start + end, false, false);
                at = end;
            }
        } else {
            let open = matches!(ensemble.kind, Kind::GroundState(_));
            let last = full_points(&target) - 1;
            let mut at = 0;
            // A single segment cannot be open at both ends: one of its ends stays.
            let mut end = if self.offset == 0 { length } else { self.offset };
            while at < last {
                end = end.min(last);
                let at_start = open && at == 0 && self.offset != 0 && end != last;
                let at_end = open && end == last && !at_start && at != 0;
                let both = open && at == 0 && end == last;
                let at_end = at_end || (both && self.offset.is_multiple_of(2));
                let at_start = at_start || (both && !at_end);
                self.propose(block, at, end, at_start, at_end);
                at = end;
                end += length;
            }
            if open && length == 1 && last == 1 {
                // One link: the other end in its turn.
                self.propose(block, 0, 1, true, false);
            }
        }
        block.evaluations += 1.0;
    }

    fn adapt(&mut self, acceptance: f64) {
        if acceptance < 0.4 && self.length > 3 {
            self.length -= 1;
            // The next step takes it modulo the length anyway; a checkpoint in between says the same.
            self.offset %= self.length;
        }
    }

    fn write(&self, out: &mut Writer) {
        out.write_usize(self.length).write_usize(self.offset);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Result<(), CheckpointError> {
        let at = from.position();
        (self.length, self.offset) = (from.read_usize()?, from.read_usize()?);
        if self.length == 0 || self.length > 1 << 20 || self.offset >= self.length {
            return Err(CheckpointError::Invalid { what: "length of bridges", at });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Ensemble, Polynomial, Rule, System};

    #[test]
    fn shorter_bridges_are_read_back() {
        let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5]).unwrap()).unwrap();
        let action = Action::new(&system, &Ensemble::periodic(2.0, 16).unwrap(), Rule::Trapezoid).unwrap();
        let target = Target::variational(&action).unwrap();
        // The last anchor of bridges of 8 is beyond those of 7.
        let mut staging = Staging { offset: 7, ..Staging::new(&target) };
        staging.adapt(0.1);
        assert_eq!((staging.length, staging.offset), (7, 0));
        let mut out = Writer::new();
        staging.write(&mut out);
        let bytes = out.into_bytes();
        Staging::new(&target).read(&mut Reader::new(&bytes)).unwrap();
    }
}
