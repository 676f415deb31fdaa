//! Decoders of the belief-propagation family by name.

use std::fmt;
use std::str::FromStr;

use super::options::Options;
use super::{
    BeliefPropagation, BpLsd, BpMethod, BpOsd, BpParams, Decoder, GuidedDecimation, OsdOrder, RelayBp, RelayParams,
    Scaling, Schedule,
};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;

/// A decoder of the belief-propagation family and its parameters.
///
/// | text | decoder |
/// |---|---|
/// | `bp` | [`BeliefPropagation`] |
/// | `bp-osd:0`, `bp-osd:cs:W`, `bp-osd:e:W` | [`BpOsd`] of order 0, with a combination sweep, exhaustive |
/// | `bp-lsd:W` | [`BpLsd`] of order W |
/// | `relay:S` | [`RelayBp`] until S solutions |
/// | `guided-decimation:R` | [`GuidedDecimation`] of up to R mechanisms |
///
/// Options follow as `,key=value`; what is left out has its default. All but `relay` take `iterations`, `method`
/// (`min-sum`, `sum-product`), `scale` (`adaptive`, a factor, `offset:X`), `schedule` (`flooding`, `layered`, `serial`,
/// `random`) and `memory`, see [`BpParams`]; `relay` takes `first-iterations`, `iterations`, `legs`, `first-strength`,
/// `strengths` (`FROM:TO`), `scale` and `seed`, see [`RelayParams`].
///
/// ```
/// use quantum_ec::decode::{DecoderChoice, PropagationChoice};
///
/// let choice: PropagationChoice = "bp-osd:cs:7,iterations=50,scale=0.625".parse()?;
/// assert_eq!(choice.to_string(), "bp-osd:cs:7,iterations=50,scale=0.625");
/// assert_eq!("bp-osd:cs:7,scale=0.625,iterations=50".parse::<DecoderChoice>()?.to_string(), choice.to_string());
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum PropagationChoice {
    /// Belief propagation by itself.
    Bp(BpParams),
    /// With ordered statistics decoding.
    BpOsd(BpParams, OsdOrder),
    /// With localised statistics decoding of this order.
    BpLsd(BpParams, usize),
    /// Relay.
    Relay(RelayParams),
    /// Decimation of up to so many mechanisms.
    GuidedDecimation(BpParams, usize),
}

impl FromStr for BpMethod {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "min-sum" => Ok(Self::MinSum),
            "sum-product" => Ok(Self::SumProduct),
            _ => Err(Error::Parameter { what: "method", value: text.into(), expected: "min-sum or sum-product" }),
        }
    }
}

impl fmt::Display for BpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MinSum => "min-sum",
            Self::SumProduct => "sum-product",
        })
    }
}

impl FromStr for Scaling {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = || Error::Parameter {
            what: "scale",
            value: text.into(),
            expected: "adaptive, a factor in (0, 1] or offset:X",
        };
        match text.strip_prefix("offset:") {
            _ if text == "adaptive" => Ok(Self::Adaptive),
            Some(offset) => offset.parse().map(Self::Offset).map_err(|_| refused()),
            None => text.parse().map(Self::Factor).map_err(|_| refused()),
        }
    }
}

impl fmt::Display for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adaptive => f.write_str("adaptive"),
            Self::Factor(x) => write!(f, "{x}"),
            Self::Offset(x) => write!(f, "offset:{x}"),
        }
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "flooding" => Ok(Self::Flooding),
            "layered" => Ok(Self::Layered),
            "serial" => Ok(Self::Serial),
            "random" => Ok(Self::Random),
            _ => Err(Error::Parameter {
                what: "schedule",
                value: text.into(),
                expected: "flooding, layered, serial or random",
            }),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flooding => "flooding",
            Self::Layered => "layered",
            Self::Serial => "serial",
            Self::Random => "random",
        })
    }
}

/// `FROM:TO`.
struct Interval(f64, f64);

impl FromStr for Interval {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (from, to) = text.split_once(':').ok_or(())?;
        Ok(Self(from.parse().map_err(|_| ())?, to.parse().map_err(|_| ())?))
    }
}

const NUMBER: &str = "a number from 1";
const REAL: &str = "a number";

fn bp_options(mut options: Options<'_>) -> Result<BpParams> {
    let mut params = BpParams::default();
    let mut set = |options: &mut Options<'_>| -> Result<()> {
        if let Some(iterations) = options.take("iterations", NUMBER)? {
            params.iterations = iterations;
        }
        if let Some(method) = options.take("method", "min-sum or sum-product")? {
            params.method = method;
        }
        if let Some(scaling) = options.take("scale", "adaptive, a factor in (0, 1] or offset:X")? {
            params.scaling = scaling;
        }
        if let Some(schedule) = options.take("schedule", "flooding, layered, serial or random")? {
            params.schedule = schedule;
        }
        if let Some(memory) = options.take("memory", REAL)? {
            params.memory = memory;
        }
        Ok(())
    };
    set(&mut options)?;
    options.finish("iterations, method, scale, schedule, memory")?;
    params.check()?;
    Ok(params)
}

fn relay_options(solutions: usize, mut options: Options<'_>) -> Result<RelayParams> {
    let mut params = RelayParams::default().solutions(solutions);
    if let Some(iterations) = options.take("first-iterations", NUMBER)? {
        params.first_iterations = iterations;
    }
    if let Some(iterations) = options.take("iterations", NUMBER)? {
        params.iterations = iterations;
    }
    if let Some(legs) = options.take("legs", "a number")? {
        params.legs = legs;
    }
    if let Some(strength) = options.take("first-strength", REAL)? {
        params.first_strength = strength;
    }
    if let Some(Interval(from, to)) = options.take("strengths", "FROM:TO")? {
        params.strengths = (from, to);
    }
    if let Some(scaling) = options.take("scale", "adaptive, a factor in (0, 1] or offset:X")? {
        params.scaling = scaling;
    }
    if let Some(seed) = options.take("seed", "a number")? {
        params.seed = seed;
    }
    options.finish("first-iterations, iterations, legs, first-strength, strengths, scale, seed")?;
    params.check()?;
    Ok(params)
}

impl PropagationChoice {
    /// Reads what stands behind a name of this family; `None` for other names.
    pub(super) fn read<'a>(name: &str, options: Options<'a>) -> Result<std::result::Result<Self, Options<'a>>> {
        let (family, rest) = name.split_once(':').unwrap_or((name, ""));
        let order = |rest: &str, what, expected| {
            rest.parse::<usize>().map_err(|_| Error::Parameter { what, value: rest.into(), expected })
        };
        let choice = match family {
            "bp" if name == "bp" => Self::Bp(bp_options(options)?),
            "bp-osd" => {
                let (what, expected) = ("order of bp-osd", "0, cs:W or e:W with a number W");
                let order = match rest.split_once(':') {
                    Some(("cs", w)) => OsdOrder::CombinationSweep(order(w, what, expected)?),
                    Some(("e", w)) => OsdOrder::Exhaustive(order(w, what, expected)?),
                    _ if rest == "0" => OsdOrder::Zero,
                    _ => return Err(Error::Parameter { what, value: rest.into(), expected }),
                };
                order.check()?;
                Self::BpOsd(bp_options(options)?, order)
            }
            "bp-lsd" => {
                let order = order(rest, "order of bp-lsd", "a number")?;
                OsdOrder::CombinationSweep(order).check()?;
                Self::BpLsd(bp_options(options)?, order)
            }
            "relay" => Self::Relay(relay_options(order(rest, "solutions of relay", NUMBER)?, options)?),
            "guided-decimation" => {
                let rounds = order(rest, "mechanisms of guided-decimation", "a number")?;
                Self::GuidedDecimation(bp_options(options)?, rounds)
            }
            _ => return Ok(Err(options)),
        };
        Ok(Ok(choice))
    }

    /// The decoder of a problem.
    ///
    /// # Errors
    /// Where parameters are out of range.
    pub fn build(&self, problem: &DecodingProblem) -> Result<Box<dyn Decoder>> {
        Ok(match *self {
            Self::Bp(params) => Box::new(BeliefPropagation::new(problem, params)?),
            Self::BpOsd(params, order) => Box::new(BpOsd::new(problem, params, order)?),
            Self::BpLsd(params, order) => Box::new(BpLsd::new(problem, params, order)?),
            Self::Relay(params) => Box::new(RelayBp::new(problem, params)?),
            Self::GuidedDecimation(params, rounds) => Box::new(GuidedDecimation::new(problem, params, rounds)?),
        })
    }
}

impl FromStr for PropagationChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, options) = Options::split(text)?;
        Self::read(name, options)?.map_err(|_| Error::Parameter {
            what: "decoder",
            value: text.into(),
            expected: "bp, bp-osd:0, bp-osd:cs:W, bp-osd:e:W, bp-lsd:W, relay:S or guided-decimation:R",
        })
    }
}

/// Writes the options that differ from their defaults.
fn write_bp(f: &mut fmt::Formatter<'_>, params: &BpParams) -> fmt::Result {
    let default = BpParams::default();
    if params.iterations != default.iterations {
        write!(f, ",iterations={}", params.iterations)?;
    }
    if params.method != default.method {
        write!(f, ",method={}", params.method)?;
    }
    if params.scaling != default.scaling {
        write!(f, ",scale={}", params.scaling)?;
    }
    if params.schedule != default.schedule {
        write!(f, ",schedule={}", params.schedule)?;
    }
    if params.memory != 0.0 {
        write!(f, ",memory={}", params.memory)?;
    }
    Ok(())
}

fn write_relay(f: &mut fmt::Formatter<'_>, params: &RelayParams) -> fmt::Result {
    let default = RelayParams::default();
    if params.first_iterations != default.first_iterations {
        write!(f, ",first-iterations={}", params.first_iterations)?;
    }
    if params.iterations != default.iterations {
        write!(f, ",iterations={}", params.iterations)?;
    }
    if params.legs != default.legs {
        write!(f, ",legs={}", params.legs)?;
    }
    if params.first_strength.to_bits() != default.first_strength.to_bits() {
        write!(f, ",first-strength={}", params.first_strength)?;
    }
    if params.strengths != default.strengths {
        write!(f, ",strengths={}:{}", params.strengths.0, params.strengths.1)?;
    }
    if params.scaling != default.scaling {
        write!(f, ",scale={}", params.scaling)?;
    }
    if params.seed != default.seed {
        write!(f, ",seed={}", params.seed)?;
    }
    Ok(())
}

impl fmt::Display for PropagationChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bp(params) => {
                f.write_str("bp")?;
                write_bp(f, params)
            }
            Self::BpOsd(params, order) => {
                match order {
                    OsdOrder::Zero => f.write_str("bp-osd:0")?,
                    OsdOrder::CombinationSweep(w) => write!(f, "bp-osd:cs:{w}")?,
                    OsdOrder::Exhaustive(w) => write!(f, "bp-osd:e:{w}")?,
                }
                write_bp(f, params)
            }
            Self::BpLsd(params, order) => {
                write!(f, "bp-lsd:{order}")?;
                write_bp(f, params)
            }
            Self::Relay(params) => {
                write!(f, "relay:{}", params.solutions)?;
                write_relay(f, params)
            }
            Self::GuidedDecimation(params, rounds) => {
                write!(f, "guided-decimation:{rounds}")?;
                write_bp(f, params)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in [
            "bp",
            "bp,iterations=30,method=sum-product,schedule=serial",
            "bp,scale=offset:0.5,memory=0.125",
            "bp-osd:0",
            "bp-osd:cs:7,iterations=50,scale=0.625",
            "bp-osd:e:10,schedule=layered",
            "bp-lsd:0",
            "bp-lsd:3,schedule=random",
            "guided-decimation:20,iterations=10",
            "relay:1",
            "relay:5,first-iterations=100,iterations=70,legs=10,first-strength=0.1,strengths=-0.1:0.5,scale=adaptive,seed=7",
        ] {
            assert_eq!(name.parse::<PropagationChoice>().unwrap().to_string(), name);
        }
        for (name, message) in [
            ("bp:3", "decoder is bp:3"),
            ("bp-osd", "order of bp-osd is "),
            ("bp-osd:cs:x", "order of bp-osd is x"),
            ("bp-osd:e:30", "order is 30, at most 24"),
            ("bp-lsd:", "order of bp-lsd is "),
            ("relay:0", "solutions is 0"),
            ("relay", "solutions of relay is "),
            ("relay:1,strengths=3", "strengths is 3"),
            ("bp,iterations=0", "iterations is 0"),
            ("bp,schedule=parallel", "schedule is parallel"),
            ("bp,gamma=0.1", "\"gamma\" is unknown"),
            ("bp,scale=2", "scale is 2"),
        ] {
            let error = name.parse::<PropagationChoice>().unwrap_err().to_string();
            assert!(error.contains(message), "{name}: {error}");
        }
    }
}
