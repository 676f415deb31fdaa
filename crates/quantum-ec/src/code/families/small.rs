//! Single codes: repetition, five-qubit, Steane, Shor, Reed-Muller.

use linalg_core::gf2::{BitMatrix, BitVec};

use super::check_size;
use crate::code::css::CssCode;
use crate::code::stabilizer::{Layout, StabilizerCode};
use crate::error::{Error, Result};

/// The repetition code of d qubits on a line: Z Z on neighbours. It corrects bit flips alone: distance d against X, 1
/// against Z.
///
/// # Errors
/// [`Error::Parameter`] for d below 2.
pub fn repetition(d: usize) -> Result<CssCode> {
    check_size("distance", d, 2, |d| d)?;
    let hz = BitMatrix::from_ones(d - 1, d, (0..d - 1).flat_map(|i| [(i, i), (i, i + 1)]))?;
    let layout = Layout {
        dimension: 1,
        qubits: (0..d).map(|j| [j as f64, 0.0, 0.0]).collect(),
        checks: (0..d - 1).map(|j| [j as f64 + 0.5, 0.0, 0.0]).collect(),
    };
    let code = CssCode::new(BitMatrix::zeros(0, d), hz)?
        .with_logicals(&[BitVec::from_ones(d, 0..d)?], &[BitVec::from_ones(d, [0])?])?;
    Ok(code.with_layout(layout).with_name(format!("repetition:{d}")))
}

/// The perfect code [[5, 1, 3]]: the cyclic shifts of XZZXI (Laflamme et al., arXiv:quant-ph/9602019; Bennett et al.,
/// arXiv:quant-ph/9604024).
///
/// # Errors
/// None.
pub fn five_qubit() -> Result<StabilizerCode> {
    let code = StabilizerCode::from_text(&["XZZXI", "IXZZX", "XIXZZ", "ZXIXZ"])?;
    Ok(code.with_logicals(vec!["XXXXX".parse()?], vec!["ZZZZZ".parse()?])?.with_name("five-qubit"))
}

/// Steane's code [[7, 1, 3]]: the Hamming code for both (arXiv:quant-ph/9601029).
///
/// # Errors
/// None.
pub fn steane() -> Result<CssCode> {
    let hamming = BitMatrix::from_text("1010101\n0110011\n0001111")?;
    let all = [BitVec::from_ones(7, 0..7)?];
    Ok(CssCode::new(hamming.clone(), hamming)?.with_logicals(&all, &all)?.with_name("steane"))
}

/// Shor's code [[9, 1, 3]] (Phys. Rev. A 52, R2493 (1995)): Z Z inside three blocks of three, X on two blocks.
///
/// # Errors
/// None.
pub fn shor() -> Result<CssCode> {
    let hx = BitMatrix::from_text("111111000\n000111111")?;
    let hz = BitMatrix::from_ones(6, 9, (0..6).flat_map(|i| [(i, i / 2 * 3 + i % 2), (i, i / 2 * 3 + i % 2 + 1)]))?;
    let code = CssCode::new(hx, hz)?;
    // Three qubits of a block, one qubit of each block.
    Ok(code.with_logicals(&[BitVec::from_ones(9, [0, 1, 2])?], &[BitVec::from_ones(9, [0, 3, 6])?])?.with_name("shor"))
}

/// The punctured quantum Reed-Muller code [[2^m - 1, 1, 3]] with a transversal T gate for m = 4 (Steane,
/// arXiv:quant-ph/9608026; Anderson, Duclos-Cianci, Poulin, arXiv:1403.2734).
///
/// Qubit j stands for the number j + 1. The X checks are its m bits (the punctured first-order code without the
/// constant); the Z checks are the products of 1 to m - 2 bits. The distance is 3 against Z and $`2^{m-1} - 1`$ against
/// X. For m = 3 this is Steane's code. Only m = 4 has a name, `reed-muller`.
///
/// # Errors
/// [`Error::Parameter`] unless m is from 3 to 10.
pub fn reed_muller(m: usize) -> Result<CssCode> {
    if !(3..=10).contains(&m) {
        return Err(Error::Parameter { what: "order m of Reed-Muller", value: m.to_string(), expected: "3 to 10" });
    }
    let n = (1usize << m) - 1;
    let monomial = |mask: usize| -> BitVec { (1..=n).map(|j| j & mask == mask).collect() };
    let rows = |degrees: std::ops::RangeInclusive<u32>| -> Vec<BitVec> {
        let mut masks: Vec<usize> = (1..=n).filter(|mask| degrees.contains(&mask.count_ones())).collect();
        masks.sort_by_key(|mask| mask.count_ones());
        masks.into_iter().map(monomial).collect()
    };
    let (hx, hz) = (rows(1..=1), rows(1..=m as u32 - 2));
    let all = [BitVec::from_ones(n, 0..n)?];
    let code = CssCode::new(BitMatrix::from_rows(n, &hx), BitMatrix::from_rows(n, &hz))?;
    // The name has no parameter and stands for m = 4.
    Ok(code.with_logicals(&all, &all)?.with_name(if m == 4 { "reed-muller" } else { "" }))
}
