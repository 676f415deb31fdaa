//! CSS codes: generators of X alone and of Z alone.

use linalg_core::gf2::{BinaryCsc, BitMatrix, BitVec};

use super::stabilizer::{Layout, StabilizerCode};
use crate::error::{Error, Result};
use crate::pauli::PauliString;

/// Qubits or checks that a code from sparse matrices may have: the elimination is dense.
pub(crate) const MOST: usize = 20_000;

/// A code with X checks and Z checks (Calderbank, Shor, arXiv:quant-ph/9512032; Steane, arXiv:quant-ph/9601029).
///
/// The rows of `hx` are generators of X, which detect Z errors; the rows of `hz` are generators of Z, which detect X
/// errors. They commute where $`H_x H_z^T = 0`$. As a stabilizer code the X checks come first.
///
/// ```
/// use linalg_core::gf2::BitMatrix;
/// use quantum_ec::CssCode;
///
/// let hamming = BitMatrix::from_text("1010101\n0110011\n0001111")?;
/// let steane = CssCode::new(hamming.clone(), hamming)?;
/// assert_eq!((steane.n_qubits(), steane.n_logical()), (7, 1));
/// let error = CssCode::new(BitMatrix::from_text("110")?, BitMatrix::from_text("111\n011")?).unwrap_err();
/// assert_eq!(error.to_string(), "row 0 of hx and row 1 of hz have 1 qubits in common, expected an even number");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CssCode {
    hx: BitMatrix,
    hz: BitMatrix,
    code: StabilizerCode,
}

impl CssCode {
    /// The code of these check matrices, a column a qubit.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for different numbers of columns, [`Error::OddOverlap`] naming rows that anticommute.
    pub fn new(hx: BitMatrix, hz: BitMatrix) -> Result<Self> {
        if hz.n_cols() != hx.n_cols() {
            return Err(Error::WrongLength { what: "columns of hz", got: hz.n_cols(), expected: hx.n_cols() });
        }
        let product = hx.mul(&hz.transpose());
        for (x, row) in product.rows().enumerate() {
            if let Some(z) = row.first_one() {
                let overlap = hx.row(x).to_bitvec().and(hz.row(z)).weight();
                return Err(Error::OddOverlap { x, z, overlap });
            }
        }
        let generators = hx.rows().map(PauliString::x_type).chain(hz.rows().map(PauliString::z_type)).collect();
        let code = StabilizerCode::new(hx.n_cols(), generators)?;
        Ok(Self { hx, hz, code })
    }

    /// The code of sparse check matrices, as files hold them.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`Error::TooLarge`] beyond 20000 qubits or checks.
    pub fn from_sparse(hx: &BinaryCsc, hz: &BinaryCsc) -> Result<Self> {
        for (what, value) in [
            ("number of qubits", hx.n_cols().max(hz.n_cols())),
            ("number of X checks", hx.n_rows()),
            ("number of Z checks", hz.n_rows()),
        ] {
            if value > MOST {
                return Err(Error::TooLarge { method: "CSS code", what, value, bound: MOST });
            }
        }
        Self::new(hx.to_matrix(), hz.to_matrix())
    }

    /// The X and Z checks of a stabilizer code; `None` if a generator has both X and Z, or a minus sign.
    ///
    /// The same code, not always the same description. The generators of X come first, then those of Z, each in the order
    /// they had; a generator that is the identity counts as one of X. The positions of checks follow their generators; the
    /// name stays. The logical operators are kept if every logical X is of X alone and every logical Z of Z alone; else
    /// all of them are replaced by those of [`new`](Self::new), so that classes of errors get other numbers:
    /// [`has_logicals_of`](Self::has_logicals_of) tells which.
    ///
    /// ```
    /// use quantum_ec::{CssCode, StabilizerCode};
    ///
    /// let code = StabilizerCode::from_text(&["ZZI", "IZZ"])?;
    /// let css = CssCode::from_stabilizer(&code).expect("generators of Z alone");
    /// assert!(css.has_logicals_of(&code));
    /// let other = code.with_logicals(vec!["YXX".parse()?], vec!["ZII".parse()?])?;
    /// let css = CssCode::from_stabilizer(&other).expect("the same generators");
    /// assert!(!css.has_logicals_of(&other));
    /// assert_eq!(css.lx().to_string(), "111");
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn from_stabilizer(code: &StabilizerCode) -> Option<Self> {
        let n = code.n_qubits();
        let (mut hx, mut hz) = (BitMatrix::zeros(0, n), BitMatrix::zeros(0, n));
        let (mut x_checks, mut z_checks) = (Vec::new(), Vec::new());
        for (i, g) in code.generators().iter().enumerate() {
            match (g.z().is_zero(), g.x().is_zero(), g.phase()) {
                (true, _, 0) => {
                    hx.push_row(g.x());
                    x_checks.push(i);
                }
                (_, true, 0) => {
                    hz.push_row(g.z());
                    z_checks.push(i);
                }
                _ => return None,
            }
        }
        let mut out = Self::new(hx, hz).ok()?.with_name(code.name());
        if let Some(layout) = code.layout() {
            let checks = x_checks.iter().chain(&z_checks).map(|&i| layout.checks[i]).collect();
            out = out.with_layout(Layout { checks, ..layout.clone() });
        }
        let pure = code.logical_x().iter().all(|l| l.z().is_zero()) && code.logical_z().iter().all(|l| l.x().is_zero());
        if pure {
            out.code = out.code.with_logicals(code.logical_x().to_vec(), code.logical_z().to_vec()).ok()?;
        }
        Some(out)
    }

    /// The same code under this name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.code = self.code.with_name(name);
        self
    }

    /// The same code with positions, those of X checks first.
    ///
    /// # Panics
    /// If there is not one position a qubit and a check.
    #[must_use]
    pub fn with_layout(mut self, layout: Layout) -> Self {
        self.code = self.code.with_layout(layout);
        self
    }

    /// The same code with these logical operators: supports of the logical X and of the logical Z operators.
    ///
    /// # Errors
    /// As [`StabilizerCode::with_logicals`].
    pub fn with_logicals(mut self, x: &[BitVec], z: &[BitVec]) -> Result<Self> {
        self.code = self
            .code
            .with_logicals(x.iter().map(PauliString::x_type).collect(), z.iter().map(PauliString::z_type).collect())?;
        Ok(self)
    }

    /// The X checks, which detect Z errors.
    pub fn hx(&self) -> &BitMatrix {
        &self.hx
    }

    /// The Z checks, which detect X errors.
    pub fn hz(&self) -> &BitMatrix {
        &self.hz
    }

    /// The supports of the logical X operators.
    pub fn lx(&self) -> BitMatrix {
        let rows: Vec<BitVec> = self.code.logical_x().iter().map(|l| l.x().clone()).collect();
        BitMatrix::from_rows(self.n_qubits(), &rows)
    }

    /// The supports of the logical Z operators.
    pub fn lz(&self) -> BitMatrix {
        let rows: Vec<BitVec> = self.code.logical_z().iter().map(|l| l.z().clone()).collect();
        BitMatrix::from_rows(self.n_qubits(), &rows)
    }

    /// Number of physical qubits.
    pub fn n_qubits(&self) -> usize {
        self.code.n_qubits()
    }

    /// Number of logical qubits.
    pub fn n_logical(&self) -> usize {
        self.code.n_logical()
    }

    /// Whether the logical operators are those of another code, in the same order and with the same signs.
    pub fn has_logicals_of(&self, code: &StabilizerCode) -> bool {
        self.code.logical_x() == code.logical_x() && self.code.logical_z() == code.logical_z()
    }

    /// The code as a stabilizer code, X checks first.
    pub fn stabilizer(&self) -> &StabilizerCode {
        &self.code
    }

    /// The same, by value.
    pub fn into_stabilizer(self) -> StabilizerCode {
        self.code
    }
}

impl From<CssCode> for StabilizerCode {
    fn from(css: CssCode) -> Self {
        css.code
    }
}
