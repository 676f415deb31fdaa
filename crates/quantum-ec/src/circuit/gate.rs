//! All instructions of the circuit language but REPEAT.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use super::clifford::Clifford;
use crate::error::{Error, Result};
use crate::io::lines::nearest;
use crate::pauli::Pauli;

/// What an instruction does, as far as that does not depend on its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A Clifford operation on every qubit, or on every pair of qubits.
    Unitary(Clifford),
    /// `SPP`, `SPP_DAG`: a square root of every product of Pauli matrices.
    RotateProduct,
    /// Reset to the state +1 of a Pauli matrix.
    Reset(Pauli),
    /// Measurement of a Pauli matrix, a record a qubit.
    Measure(Pauli),
    /// Measurement, then reset to the state +1.
    MeasureReset(Pauli),
    /// Measurement of the same Pauli matrix on both qubits of a pair, a record a pair.
    MeasurePair(Pauli),
    /// `MPP`: a record a product.
    MeasureProduct,
    /// `MPAD`: a record a target, which is the record.
    Pad,
    /// A noise channel. The heralded ones add a record a qubit.
    Noise,
    /// Nothing happens to the qubits.
    Annotation,
}

struct Entry {
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
}

macro_rules! kind {
    (one $text:literal) => {
        Kind::Unitary(Clifford::from_text(1, $text))
    };
    (two $text:literal) => {
        Kind::Unitary(Clifford::from_text(2, $text))
    };
    (kind ($kind:expr) $text:literal) => {
        $kind
    };
}

macro_rules! gates {
    ($($gate:ident $name:literal [$($alias:literal)*] $sort:ident $(($kind:expr))? $text:literal;)*) => {
        /// An instruction of the circuit language other than REPEAT.
        ///
        /// Unitary operations are documented by the images of X and Z under conjugation, for each qubit in turn.
        ///
        /// ```
        /// use quantum_ec::circuit::{Gate, Kind};
        ///
        /// assert_eq!("cnot".parse::<Gate>()?, Gate::Cx);
        /// assert_eq!((Gate::Cx.name(), Gate::Cx.aliases()), ("CX", &["CNOT", "ZCX"][..]));
        /// assert!(matches!(Gate::M.kind(), Kind::Measure(quantum_ec::Pauli::Z)));
        /// # Ok::<(), quantum_ec::Error>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Gate {
            $(#[doc = concat!("`", $name, "`: ", $text, ".")] $gate,)*
        }

        const TABLE: &[Entry] =
            &[$(Entry { name: $name, aliases: &[$($alias),*], kind: kind!($sort $(($kind))? $text) }),*];

        impl Gate {
            /// All of them.
            pub const ALL: [Self; TABLE.len()] = [$(Self::$gate),*];
        }
    };
}

#[rustfmt::skip]
gates! {
    I "I" [] one "+X +Z";
    X "X" [] one "+X -Z";
    Y "Y" [] one "-X -Z";
    Z "Z" [] one "-X +Z";
    CXyz "C_XYZ" [] one "+Y +X";
    CZyx "C_ZYX" [] one "+Z +Y";
    CNxyz "C_NXYZ" [] one "-Y -X";
    CXnyz "C_XNYZ" [] one "-Y +X";
    CXynz "C_XYNZ" [] one "+Y -X";
    CNzyx "C_NZYX" [] one "-Z -Y";
    CZnyx "C_ZNYX" [] one "+Z -Y";
    CZynx "C_ZYNX" [] one "-Z +Y";
    H "H" ["H_XZ"] one "+Z +X";
    HXy "H_XY" [] one "+Y -Z";
    HYz "H_YZ" [] one "-X +Y";
    HNxy "H_NXY" [] one "-Y -Z";
    HNxz "H_NXZ" [] one "-Z -X";
    HNyz "H_NYZ" [] one "-X -Y";
    S "S" ["SQRT_Z"] one "+Y +Z";
    SDag "S_DAG" ["SQRT_Z_DAG"] one "-Y +Z";
    SqrtX "SQRT_X" [] one "+X -Y";
    SqrtXDag "SQRT_X_DAG" [] one "+X +Y";
    SqrtY "SQRT_Y" [] one "-Z +X";
    SqrtYDag "SQRT_Y_DAG" [] one "+Z -X";
    Ii "II" [] two "+X_ +Z_ +_X +_Z";
    Cx "CX" ["CNOT" "ZCX"] two "+XX +Z_ +_X +ZZ";
    Cy "CY" ["ZCY"] two "+XY +Z_ +ZX +ZZ";
    Cz "CZ" ["ZCZ"] two "+XZ +Z_ +ZX +_Z";
    Xcx "XCX" [] two "+X_ +ZX +_X +XZ";
    Xcy "XCY" [] two "+X_ +ZY +XX +XZ";
    Xcz "XCZ" [] two "+X_ +ZZ +XX +_Z";
    Ycx "YCX" [] two "+XX +ZX +_X +YZ";
    Ycy "YCY" [] two "+XY +ZY +YX +YZ";
    Ycz "YCZ" [] two "+XZ +ZZ +YX +_Z";
    Swap "SWAP" [] two "+_X +_Z +X_ +Z_";
    Iswap "ISWAP" [] two "+ZY +_Z +YZ +Z_";
    IswapDag "ISWAP_DAG" [] two "-ZY +_Z -YZ +Z_";
    CxSwap "CXSWAP" [] two "+XX +_Z +X_ +ZZ";
    SwapCx "SWAPCX" [] two "+_X +ZZ +XX +Z_";
    CzSwap "CZSWAP" ["SWAPCZ"] two "+ZX +_Z +XZ +Z_";
    SqrtXx "SQRT_XX" [] two "+X_ -YX +_X -XY";
    SqrtXxDag "SQRT_XX_DAG" [] two "+X_ +YX +_X +XY";
    SqrtYy "SQRT_YY" [] two "-ZY +XY -YZ +YX";
    SqrtYyDag "SQRT_YY_DAG" [] two "+ZY -XY +YZ -YX";
    SqrtZz "SQRT_ZZ" [] two "+YZ +Z_ +ZY +_Z";
    SqrtZzDag "SQRT_ZZ_DAG" [] two "-YZ +Z_ -ZY +_Z";
    Spp "SPP" [] kind (Kind::RotateProduct) "the square root of a product of Pauli matrices, a phase i where it is -1";
    SppDag "SPP_DAG" [] kind (Kind::RotateProduct) "its inverse";
    Rx "RX" [] kind (Kind::Reset(Pauli::X)) "reset to the state +1 of X";
    Ry "RY" [] kind (Kind::Reset(Pauli::Y)) "reset to the state +1 of Y";
    R "R" ["RZ"] kind (Kind::Reset(Pauli::Z)) "reset to the state +1 of Z";
    Mx "MX" [] kind (Kind::Measure(Pauli::X)) "measurement of X; the argument is the probability of a wrong record";
    My "MY" [] kind (Kind::Measure(Pauli::Y)) "measurement of Y; the argument is the probability of a wrong record";
    M "M" ["MZ"] kind (Kind::Measure(Pauli::Z)) "measurement of Z; the argument is the probability of a wrong record";
    Mrx "MRX" [] kind (Kind::MeasureReset(Pauli::X)) "measurement of X, then reset to its state +1";
    Mry "MRY" [] kind (Kind::MeasureReset(Pauli::Y)) "measurement of Y, then reset to its state +1";
    Mr "MR" ["MRZ"] kind (Kind::MeasureReset(Pauli::Z)) "measurement of Z, then reset to its state +1";
    Mxx "MXX" [] kind (Kind::MeasurePair(Pauli::X)) "measurement of XX on pairs";
    Myy "MYY" [] kind (Kind::MeasurePair(Pauli::Y)) "measurement of YY on pairs";
    Mzz "MZZ" [] kind (Kind::MeasurePair(Pauli::Z)) "measurement of ZZ on pairs";
    Mpp "MPP" [] kind (Kind::MeasureProduct) "measurement of products of Pauli matrices, with `*` between factors";
    Mpad "MPAD" [] kind (Kind::Pad) "bits 0 and 1 put into the record";
    XError "X_ERROR" [] kind (Kind::Noise) "X with the probability given";
    YError "Y_ERROR" [] kind (Kind::Noise) "Y with the probability given";
    ZError "Z_ERROR" [] kind (Kind::Noise) "Z with the probability given";
    Depolarize1 "DEPOLARIZE1" [] kind (Kind::Noise) "one of X, Y, Z with a third of the probability each";
    Depolarize2 "DEPOLARIZE2" [] kind (Kind::Noise) "one of the fifteen pairs with a fifteenth of the probability each";
    PauliChannel1 "PAULI_CHANNEL_1" [] kind (Kind::Noise) "X, Y, Z with a probability each";
    PauliChannel2 "PAULI_CHANNEL_2" [] kind (Kind::Noise) "IX, IY, IZ, XI, XX, ... ZZ with a probability each";
    CorrelatedError "E" ["CORRELATED_ERROR"] kind (Kind::Noise) "a product of Pauli matrices with a probability";
    ElseCorrelatedError "ELSE_CORRELATED_ERROR" [] kind (Kind::Noise) "the same, if none of the chain before it has happened";
    HeraldedErase "HERALDED_ERASE" [] kind (Kind::Noise) "with the probability given a record 1 and one of I, X, Y, Z";
    HeraldedPauliChannel1 "HERALDED_PAULI_CHANNEL_1" [] kind (Kind::Noise) "record 1 with I, X, Y, Z, a probability each";
    IError "I_ERROR" [] kind (Kind::Noise) "no error; carries what others read as noise, such as leakage";
    IiError "II_ERROR" [] kind (Kind::Noise) "the same on pairs";
    Detector "DETECTOR" [] kind (Kind::Annotation) "a sum of records that is the same in every run without noise";
    ObservableInclude "OBSERVABLE_INCLUDE" [] kind (Kind::Annotation) "adds records, or Pauli matrices, to an observable";
    ShiftCoords "SHIFT_COORDS" [] kind (Kind::Annotation) "moves the origin of the coordinates of later detectors and qubits";
    QubitCoords "QUBIT_COORDS" [] kind (Kind::Annotation) "places of qubits";
    Tick "TICK" [] kind (Kind::Annotation) "the end of a time step";
}

impl Gate {
    /// The name that is printed.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].name
    }

    /// Other names that are read.
    pub fn aliases(self) -> &'static [&'static str] {
        TABLE[self as usize].aliases
    }

    /// What it does.
    pub fn kind(self) -> Kind {
        TABLE[self as usize].kind
    }

    /// The action on Pauli operators, for unitary operations on one or two qubits.
    pub fn clifford(self) -> Option<Clifford> {
        match self.kind() {
            Kind::Unitary(clifford) => Some(clifford),
            _ => None,
        }
    }

    /// The instruction with this name, in upper or lower case.
    pub fn from_name(name: &str) -> Option<Self> {
        let is = |other: &&str| other.eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(|gate| is(&gate.name()) || gate.aliases().iter().any(is))
    }

    /// The name nearest to one that is unknown; REPEAT is among the candidates.
    pub(super) fn nearest_name(name: &str) -> &'static str {
        let names: Vec<&str> = std::iter::once("REPEAT")
            .chain(Self::ALL.iter().flat_map(|gate| std::iter::once(gate.name()).chain(gate.aliases().iter().copied())))
            .collect();
        nearest(&name.to_ascii_uppercase(), &names)
    }

    /// Whether targets come in pairs.
    pub fn takes_pairs(self) -> bool {
        match self.kind() {
            Kind::Unitary(clifford) => clifford.n_qubits() == 2,
            Kind::MeasurePair(_) => true,
            _ => matches!(self, Self::Depolarize2 | Self::PauliChannel2 | Self::IiError),
        }
    }

    /// Whether it adds to the measurement record.
    pub fn is_recorded(self) -> bool {
        match self.kind() {
            Kind::Measure(_) | Kind::MeasureReset(_) | Kind::MeasurePair(_) | Kind::MeasureProduct | Kind::Pad => true,
            _ => matches!(self, Self::HeraldedErase | Self::HeraldedPauliChannel1),
        }
    }

    /// For operations controlled by Z: whether (the first, the second) target of a pair may be a record or a sweep bit.
    pub fn classical_sides(self) -> (bool, bool) {
        match self {
            Self::Cx | Self::Cy => (true, false),
            Self::Cz => (true, true),
            Self::Xcz | Self::Ycz => (false, true),
            _ => (false, false),
        }
    }
}

impl Display for Gate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Gate {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::from_name(name).ok_or_else(|| Error::UnknownName {
            what: "gate",
            name: name.to_owned(),
            known: format!("the gates of the circuit language; the nearest is {:?}", Self::nearest_name(name)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> =
            TABLE.iter().flat_map(|entry| std::iter::once(entry.name).chain(entry.aliases.iter().copied())).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for gate in Gate::ALL {
            assert_eq!(gate.name().to_ascii_lowercase().parse::<Gate>().unwrap(), gate);
        }
        assert_eq!(
            "czswp".parse::<Gate>().unwrap_err().to_string(),
            "gate \"czswp\" is unknown, expected one of the gates of the circuit language; the nearest is \"CZSWAP\""
        );
    }
}
