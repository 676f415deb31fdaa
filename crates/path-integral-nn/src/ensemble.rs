//! Which paths are summed over.

use crate::error::{Error, Result, all_finite, at_least_one, positive};

/// How the ends of a ground-state projection are weighted.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Ends {
    /// Not at all: the trial state is a constant.
    Free,
    /// By $`\psi_T(x) = e^{-m\omega(x-c)^2/2\hbar}`$ at both ends.
    Gaussian {
        /// The frequency $`\omega`$ of the trial oscillator.
        frequency: f64,
        /// The centre $`c`$ of every coordinate.
        center: f64,
    },
}

/// Which paths are summed over, on `slices` equal steps.
///
/// | ensemble | points | sum |
/// |---|---|---|
/// | periodic | $`x_0 \dots x_{N-1}`$, $`x_N = x_0`$ | $`\operatorname{tr} e^{-\beta H}`$, $`T = \hbar\beta`$ |
/// | ground state | $`x_0 \dots x_N`$ | $`\langle\psi_T\vert e^{-TH/\hbar}\vert\psi_T\rangle`$ |
/// | fixed ends | $`x_1 \dots x_{N-1}`$ | $`\langle x_N\vert e^{-TH/\hbar}\vert x_0\rangle`$ |
///
/// ```
/// use path_integral_nn::Ensemble;
///
/// let ring = Ensemble::periodic(4.0, 40)?;
/// assert_eq!((ring.n_points(), ring.step()), (40, 0.1));
/// assert_eq!(Ensemble::ground_state(4.0, 40)?.n_points(), 41);
/// assert!(Ensemble::fixed_ends(1.0, 1, &[0.0], &[1.0]).is_err()); // nothing between the ends
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ensemble {
    time: f64,
    slices: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Kind {
    Periodic,
    GroundState(Ends),
    FixedEnds { from: Vec<f64>, to: Vec<f64> },
}

impl Ensemble {
    /// Closed paths of length `time`, which is $`\hbar\beta`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a time that is not positive and finite or no slices.
    pub fn periodic(time: f64, slices: usize) -> Result<Self> {
        Self::new(time, slices, Kind::Periodic)
    }

    /// Open paths of length `time` with [`Ends::Free`]; see [`with_ends`](Self::with_ends).
    ///
    /// # Errors
    /// As [`periodic`](Self::periodic).
    pub fn ground_state(time: f64, slices: usize) -> Result<Self> {
        Self::new(time, slices, Kind::GroundState(Ends::Free))
    }

    /// Paths between two points.
    ///
    /// # Errors
    /// As [`periodic`](Self::periodic); [`Error::NothingToSample`] for one slice, [`Error::NotFinite`] for the points,
    /// [`Error::Parameter`] when they differ in dimension.
    pub fn fixed_ends(time: f64, slices: usize, from: &[f64], to: &[f64]) -> Result<Self> {
        all_finite("starting coordinate", from)?;
        all_finite("final coordinate", to)?;
        if from.len() != to.len() {
            let expected = "as many as of the starting point";
            return Err(Error::Parameter { what: "coordinates of the final point", value: to.len() as f64, expected });
        }
        let this = Self::new(time, slices, Kind::FixedEnds { from: from.to_vec(), to: to.to_vec() })?;
        if slices < 2 {
            return Err(Error::NothingToSample { slices });
        }
        Ok(this)
    }

    fn new(time: f64, slices: usize, kind: Kind) -> Result<Self> {
        Ok(Self { time: positive("time", time)?, slices: at_least_one("number of slices", slices)?, kind })
    }

    /// Another weight of the ends of a ground-state projection.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for other ensembles, [`Error::Parameter`] for a frequency that is not positive and
    /// finite, [`Error::NotFinite`] for the centre.
    pub fn with_ends(mut self, ends: Ends) -> Result<Self> {
        if let Ends::Gaussian { frequency, center } = ends {
            positive("frequency of the trial state", frequency)?;
            all_finite("centre of the trial state", &[center])?;
        }
        if !matches!(self.kind, Kind::GroundState(_)) {
            let reason = "only a ground-state projection has ends to weight";
            return Err(Error::NotApplicable { what: "a trial state", reason });
        }
        self.kind = Kind::GroundState(ends);
        Ok(self)
    }

    /// The time $`T`$.
    pub fn time(&self) -> f64 {
        self.time
    }

    /// The number of steps $`N`$.
    pub fn slices(&self) -> usize {
        self.slices
    }

    /// The step $`\Delta = T/N`$.
    pub fn step(&self) -> f64 {
        self.time / self.slices as f64
    }

    /// Number of points that are summed over.
    pub fn n_points(&self) -> usize {
        match self.kind {
            Kind::Periodic => self.slices,
            Kind::GroundState(_) => self.slices + 1,
            Kind::FixedEnds { .. } => self.slices - 1,
        }
    }

    /// Whether the paths are closed.
    pub fn is_periodic(&self) -> bool {
        self.kind == Kind::Periodic
    }

    /// Weight of the end points of a ground-state projection.
    pub fn ends(&self) -> Option<Ends> {
        match self.kind {
            Kind::GroundState(ends) => Some(ends),
            _ => None,
        }
    }
}
