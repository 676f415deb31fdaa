//! Models by name.

use std::fmt;
use std::str::FromStr;

use crate::Result;
use crate::cluster::ClusterSet;
use crate::series::BitSeries;

use super::{
    CoulombCoupling, CoulombParams, Coupling, DenseCoupling, FieldPredictor, Fit, FitParams, FrictionParams, Geometry,
    Link, LowRankCoupling, NoCoupling, OnlinePredictor, Singles, Units,
};

/// A model of the table of the [module](super).
///
/// ```
/// use physics_inference::predict::Model;
///
/// assert_eq!("low-rank:4".parse::<Model>()?, Model::LowRank(4));
/// assert_eq!(Model::KineticIsing.to_string(), "kinetic-ising");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Model {
    /// Every variable by its mean.
    Independent,
    /// Every variable by its own last value.
    SelfMarkov,
    /// Couplings of low rank.
    LowRank(usize),
    /// Free couplings of all variables.
    KineticIsing,
    /// As `KineticIsing` with a linear mean.
    LinearVar,
    /// Free couplings of clusters and single variables.
    Mixture,
    /// Free couplings of clusters.
    Clusters,
    /// Charges in three dimensions. By name, `coulomb` is the default form; `coulomb:C` has C charges and gains a variable and learns
    /// their softening lengths, `coulomb:C:reciprocal` and `coulomb:C:source-target` have the other geometries.
    Coulomb(CoulombParams),
    /// As `KineticIsing` with the sine link.
    Sine,
}

impl Model {
    /// One of each, as tables list them.
    pub fn all() -> Vec<Self> {
        let coulomb = Self::Coulomb(CoulombParams::default());
        vec![
            Self::Independent,
            Self::SelfMarkov,
            Self::LowRank(1),
            Self::LowRank(2),
            Self::LowRank(4),
            Self::KineticIsing,
            Self::Mixture,
            Self::Clusters,
            coulomb,
            Self::LinearVar,
            Self::Sine,
        ]
    }

    /// Whether the model needs clusters.
    pub fn uses_clusters(self) -> bool {
        matches!(self, Self::Mixture | Self::Clusters)
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Independent => f.pad("independent"),
            Self::SelfMarkov => f.pad("self-markov"),
            Self::LowRank(k) => f.pad(&format!("low-rank:{k}")),
            Self::KineticIsing => f.pad("kinetic-ising"),
            Self::LinearVar => f.pad("linear-var"),
            Self::Mixture => f.pad("mixture"),
            Self::Clusters => f.pad("clusters"),
            Self::Coulomb(form) if *form != CoulombParams::default() => {
                let geometry = match form.geometry {
                    Geometry::Gain => "",
                    Geometry::Reciprocal => ":reciprocal",
                    Geometry::SourceTarget => ":source-target",
                };
                f.pad(&format!("coulomb:{}{geometry}", form.species))
            }
            Self::Coulomb(_) => f.pad("coulomb"),
            Self::Sine => f.pad("sine"),
        }
    }
}

impl FromStr for Model {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        Ok(match text {
            "independent" => Self::Independent,
            "self-markov" => Self::SelfMarkov,
            "kinetic-ising" => Self::KineticIsing,
            "linear-var" => Self::LinearVar,
            "mixture" => Self::Mixture,
            "clusters" => Self::Clusters,
            "coulomb" => Self::Coulomb(CoulombParams::default()),
            "sine" => Self::Sine,
            _ => {
                if let Some(k) = text.strip_prefix("low-rank:") {
                    let rank = k.parse().ok().filter(|k| (1..=1000).contains(k));
                    return rank.map(Self::LowRank).ok_or_else(|| format!("{text:?} has no rank from 1 to 1000"));
                }
                let Some(form) = text.strip_prefix("coulomb:") else {
                    let names = "independent, self-markov, low-rank:K, kinetic-ising, linear-var, mixture, clusters, coulomb, \
                                 coulomb:C, coulomb:C:GEOMETRY, sine";
                    return Err(format!("expected one of {names}"));
                };
                let (species, geometry) = form.split_once(':').unwrap_or((form, "gain"));
                let Some(species) = species.parse().ok().filter(|c| (1..=100).contains(c)) else {
                    return Err(format!("{text:?} has no number of charges from 1 to 100"));
                };
                let geometry = match geometry {
                    "reciprocal" => Geometry::Reciprocal,
                    "gain" => Geometry::Gain,
                    "source-target" => Geometry::SourceTarget,
                    _ => return Err(format!("the geometry of {text:?} is none of reciprocal, gain, source-target")),
                };
                Self::Coulomb(CoulombParams::default().species(species).geometry(geometry).learn_softening(true))
            }
        })
    }
}

/// A fitted predictor of any form.
pub struct Fitted {
    /// The predictor, at the end of the series.
    pub predictor: Box<dyn OnlinePredictor>,
    /// Mean of -ln p a variable and step over the series.
    pub train_log_loss: f64,
    /// Whether the search met its tolerance.
    pub converged: bool,
    /// The charges, for the Coulomb model.
    pub charges: Option<CoulombCoupling<3>>,
}

impl fmt::Debug for Fitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fitted")
            .field("train_log_loss", &self.train_log_loss)
            .field("converged", &self.converged)
            .finish()
    }
}

impl Model {
    /// Fits the model to a series. With a finite horizon it goes on learning with it afterwards; otherwise it is frozen.
    ///
    /// # Errors
    /// Of [`FieldPredictor::fit`].
    ///
    /// # Panics
    /// If series and clusters differ in the number of variables.
    pub fn fit(self, series: &BitSeries, clusters: &ClusterSet, params: &FitParams) -> Result<Fitted> {
        let variables = Units::variables(series.n_series());
        let (n, all) = (variables.n_units(), variables.n_units() * (params.lags + 1));
        let dense = |units: &Units, link| {
            let u = units.n_units();
            let coupling = DenseCoupling::new(u, u * (params.lags + 1));
            finish(FieldPredictor::fit(coupling, units, link, true, series, params)?, series, params)
        };
        match self {
            Self::Independent | Self::SelfMarkov => {
                let own = self == Self::SelfMarkov;
                let coupling = NoCoupling::new(n, all);
                finish(FieldPredictor::fit(coupling, &variables, Link::Tanh, own, series, params)?, series, params)
            }
            Self::LowRank(k) => {
                let coupling = LowRankCoupling::new(n, all, k);
                finish(FieldPredictor::fit(coupling, &variables, Link::Tanh, true, series, params)?, series, params)
            }
            Self::KineticIsing => dense(&variables, Link::Tanh),
            Self::LinearVar => dense(&variables, Link::Linear { clip: 0.01 }),
            Self::Sine => dense(&variables, Link::Sine),
            Self::Mixture => dense(&Units::clusters(clusters, Singles::Coupled), Link::Tanh),
            Self::Clusters => dense(&Units::clusters(clusters, Singles::Alone), Link::Tanh),
            Self::Coulomb(form) => {
                let coupling = CoulombCoupling::<3>::new(n, all, form)?;
                let fit = FieldPredictor::fit(coupling, &variables, Link::Tanh, true, series, params)?;
                let charges = fit.predictor.coupling().clone();
                Ok(Fitted { charges: Some(charges), ..finish(fit, series, params)? })
            }
        }
    }
}

fn finish<C: Coupling + 'static>(fit: Fit<C>, series: &BitSeries, params: &FitParams) -> Result<Fitted> {
    let (train_log_loss, converged) = (fit.train_log_loss, fit.converged);
    let predictor: Box<dyn OnlinePredictor> = if params.horizon.is_finite() {
        Box::new(fit.learning(series, FrictionParams::default().horizon(params.horizon))?)
    } else {
        Box::new(fit.predictor)
    };
    Ok(Fitted { predictor, train_log_loss, converged, charges: None })
}
