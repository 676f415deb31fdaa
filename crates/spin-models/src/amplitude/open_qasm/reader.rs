//! Reading OpenQASM 2.

use std::collections::HashMap;

use linalg_core::num_complex::Complex64;

use super::super::circuit::Circuit;
use super::super::gate::Gate;
use super::super::unitary::{Unitary, exchanged, kronecker, product};
use super::expression::{Code, Step, function, value};
use super::gates::{Known, known};
use super::lexer::{Kind, Token, tokens};
use crate::io::ParseError;
use crate::{Error, Result};

/// Reads a circuit in OpenQASM 2.
///
/// Read are `qreg`, `creg`, the gates of `qelib1.inc` as published (arXiv:1707.03429, but for `cu3`) with up to three qubits, `sy`,
/// `sw`, `iswap`, `ryy` and `fsim` besides,
/// definitions of gates, gates on whole registers, `barrier` (which does nothing) and `measure` after the last gate of its qubit.
/// The qubits are numbered register by register. `if`, `reset` and `opaque` are refused by name: they are no unitary gates.
///
/// A gate defined in the file on one or two qubits becomes one unitary matrix, unless its definition has the matrix that the
/// name stands for anyway; a definition goes before a name known here. `rz`, `rzz` and `u3` have the phases of
/// [`Gate`]. `cu3` is this `u3` under a control, as in later versions of `qelib1.inc`: the published body lacks
/// `u1((lambda+phi)/2)` on the control.
///
/// ```
/// use spin_models::amplitude::{Gate, StateVector, read_open_qasm};
///
/// let text = r#"OPENQASM 2.0;
/// include "qelib1.inc";
/// qreg q[2];
/// creg c[2];
/// h q[0];
/// cu1(-pi/2) q[0], q[1];
/// barrier q;
/// measure q -> c;"#;
/// let circuit = read_open_qasm(text)?;
/// assert_eq!(circuit.operations()[1].gate(), &Gate::CPhase(-std::f64::consts::FRAC_PI_2));
/// let error = read_open_qasm(&text.replace("q[1]", "q[2]")).unwrap_err();
/// assert_eq!(error.to_string(), "line 6, column 20: found index 2, expected an index below 2, the size of q");
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parse`] with line and column.
///
/// Reference: A. W. Cross, L. S. Bishop, J. A. Smolin and J. M. Gambetta, arXiv:1707.03429.
pub fn read_open_qasm(text: &str) -> Result<Circuit> {
    let tokens = tokens(text)?;
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        registers: HashMap::new(),
        n_qubits: 0,
        definitions: Vec::new(),
        names: HashMap::new(),
        measured: Vec::new(),
        gates: Vec::new(),
        budget: MAX_CALLS,
    };
    reader.program()?;
    let end = tokens[tokens.len() - 1];
    if reader.n_qubits == 0 {
        return Err(end.fail("a qreg before").into());
    }
    let mut circuit = Circuit::new(reader.n_qubits)?;
    for (gate, qubits, place) in reader.gates {
        // What is wrong with a gate is told with its place.
        if let Err(error) = circuit.push(gate, &qubits) {
            return Err(match error {
                Error::Parameter { value, .. } => place.fault(format!("the angle {value}"), "a finite number").into(),
                other => other,
            });
        }
    }
    Ok(circuit)
}

type Parsed<T> = std::result::Result<T, ParseError>;

/// Most gates and calls of gates, with those in definitions.
const MAX_CALLS: u64 = 1_000_000;
/// Deepest nesting of definitions, of brackets, of signs.
const MAX_DEPTH: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Register {
    first: usize,
    size: usize,
    quantum: bool,
}

#[derive(Debug, Clone, Copy)]
enum Callee {
    Known(&'static Known),
    Defined(usize),
}

/// A gate in the body of a definition.
#[derive(Debug)]
struct Call<'a> {
    callee: Callee,
    parameters: Vec<Code>,
    qubits: Vec<usize>,
    place: Token<'a>,
}

#[derive(Debug)]
struct Definition<'a> {
    n_parameters: usize,
    n_qubits: usize,
    depth: usize,
    body: Vec<Call<'a>>,
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    registers: HashMap<&'a str, Register>,
    n_qubits: usize,
    definitions: Vec<Definition<'a>>,
    names: HashMap<&'a str, usize>,
    measured: Vec<bool>,
    gates: Vec<(Gate, Vec<usize>, Token<'a>)>,
    budget: u64,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn expect(&mut self, text: &str) -> Parsed<Token<'a>> {
        let token = self.next();
        if token.is(text) { Ok(token) } else { Err(token.fail(format!("{text:?}"))) }
    }

    fn word(&mut self, expected: &str) -> Parsed<Token<'a>> {
        let token = self.next();
        if token.kind == Kind::Word { Ok(token) } else { Err(token.fail(expected)) }
    }

    /// Whether the next token is this one, which is taken then.
    fn takes(&mut self, text: &str) -> bool {
        let found = self.peek().is(text);
        self.at += usize::from(found);
        found
    }

    fn program(&mut self) -> Parsed<()> {
        self.expect("OPENQASM")?;
        let version = self.next();
        if !matches!(version.text, "2.0" | "2") {
            return Err(version.fail("version 2.0"));
        }
        self.expect(";")?;
        while self.peek().kind != Kind::End {
            self.statement()?;
        }
        Ok(())
    }

    fn statement(&mut self) -> Parsed<()> {
        let token = self.peek();
        if token.kind != Kind::Word {
            return Err(token.fail("a statement"));
        }
        match token.text {
            "include" => self.include(),
            "qreg" | "creg" => self.register(),
            "gate" => self.definition(),
            "measure" => self.measure(),
            "barrier" => {
                self.next();
                self.arguments().map(|_| ())
            }
            "if" | "reset" | "opaque" => Err(token.fail("a unitary gate, measure, barrier or a declaration")),
            _ => self.application(),
        }
    }

    fn include(&mut self) -> Parsed<()> {
        self.next();
        let file = self.next();
        if file.kind != Kind::Text || file.text != "\"qelib1.inc\"" {
            return Err(file.fail("\"qelib1.inc\", the only file that can be included"));
        }
        self.expect(";").map(|_| ())
    }

    /// A whole number in square brackets.
    fn index(&mut self) -> Parsed<(usize, Token<'a>)> {
        self.expect("[")?;
        let token = self.next();
        let number = if token.kind == Kind::Number { token.text.parse().ok() } else { None };
        let number = number.ok_or_else(|| token.fail("a whole number"))?;
        self.expect("]")?;
        Ok((number, token))
    }

    fn register(&mut self) -> Parsed<()> {
        let quantum = self.next().text == "qreg";
        let name = self.word("the name of a register")?;
        let (size, place) = self.index()?;
        self.expect(";")?;
        let bound = Circuit::MAX_QUBITS - if quantum { self.n_qubits } else { 0 };
        if size == 0 || size > bound {
            return Err(place.fault(format!("size {size}"), format!("a size from 1 to {bound}")));
        }
        let first = if quantum { self.n_qubits } else { 0 };
        if self.registers.insert(name.text, Register { first, size, quantum }).is_some() {
            return Err(name.fail("a name that no register has yet"));
        }
        if quantum {
            self.n_qubits += size;
            self.measured.resize(self.n_qubits, false);
        }
        Ok(())
    }

    /// A register or an element of one: the numbers of its bits.
    fn argument(&mut self, quantum: bool) -> Parsed<(std::ops::Range<usize>, bool, Token<'a>)> {
        let name = self.word("a register")?;
        let expected = if quantum { "a quantum register" } else { "a classical register" };
        let register = self.registers.get(name.text).copied().filter(|register| register.quantum == quantum);
        let Register { first, size, .. } = register.ok_or_else(|| name.fail(expected))?;
        if !self.peek().is("[") {
            return Ok((first..first + size, true, name));
        }
        let (index, place) = self.index()?;
        if index >= size {
            let expected = format!("an index below {size}, the size of {}", name.text);
            return Err(place.fault(format!("index {index}"), expected));
        }
        Ok((first + index..first + index + 1, false, name))
    }

    /// Quantum arguments up to the semicolon.
    fn arguments(&mut self) -> Parsed<Vec<(std::ops::Range<usize>, bool, Token<'a>)>> {
        let mut all = vec![self.argument(true)?];
        while self.takes(",") {
            all.push(self.argument(true)?);
        }
        self.expect(";")?;
        Ok(all)
    }

    fn measure(&mut self) -> Parsed<()> {
        self.next();
        let (qubits, _, place) = self.argument(true)?;
        self.expect("->")?;
        let (bits, _, target) = self.argument(false)?;
        self.expect(";")?;
        if qubits.len() != bits.len() {
            let found = format!("{} bits for {} qubits of {}", bits.len(), qubits.len(), place.text);
            return Err(target.fault(found, "as many bits as qubits"));
        }
        self.measured[qubits].fill(true);
        Ok(())
    }

    /// A gate on qubits, or on whole registers, element by element.
    fn application(&mut self) -> Parsed<()> {
        let place = self.word("a gate")?;
        let (callee, n_parameters, n_qubits) = self.callee(place)?;
        let codes = self.parameters(&[])?;
        check_count(place, "parameters", codes.len(), n_parameters)?;
        let parameters: Vec<f64> = codes.iter().map(|code| value(code, &[])).collect();
        let arguments = self.arguments()?;
        check_count(place, "qubits", arguments.len(), n_qubits)?;
        let mut length = None;
        for (range, whole, token) in &arguments {
            if *whole && *length.get_or_insert(range.len()) != range.len() {
                let expected = format!("a register of {} qubits like the one before", length.unwrap_or(0));
                return Err(token.fault(format!("a register of {}", range.len()), expected));
            }
        }
        for k in 0..length.unwrap_or(1) {
            let qubits: Vec<usize> =
                arguments.iter().map(|(range, whole, _)| range.start + if *whole { k } else { 0 }).collect();
            for (p, &qubit) in qubits.iter().enumerate() {
                let token = arguments[p].2;
                if qubits[..p].contains(&qubit) {
                    return Err(token.fault(format!("qubit {qubit} twice in one gate"), "different qubits"));
                }
                if self.measured[qubit] {
                    let found = format!("a gate on qubit {qubit}, which was measured");
                    return Err(token.fault(found, "measurements at the end"));
                }
            }
            let mut out = Vec::new();
            self.expand((callee, place), &parameters, &qubits, &mut out)?;
            self.gates.extend(out.into_iter().map(|(gate, qubits)| (gate, qubits, place)));
        }
        Ok(())
    }

    fn callee(&self, name: Token<'a>) -> Parsed<(Callee, usize, usize)> {
        if let Some(&number) = self.names.get(name.text) {
            let definition = &self.definitions[number];
            return Ok((Callee::Defined(number), definition.n_parameters, definition.n_qubits));
        }
        let known = known(name.text).ok_or_else(|| name.fail("the name of a gate"))?;
        Ok((Callee::Known(known), known.n_parameters, known.n_qubits))
    }

    /// Angles in brackets, or none.
    fn parameters(&mut self, names: &[&str]) -> Parsed<Vec<Code>> {
        let mut all = Vec::new();
        if self.takes("(") && !self.takes(")") {
            loop {
                let mut code = Vec::new();
                self.sum(names, 0, &mut code)?;
                all.push(code);
                if self.takes(")") {
                    break;
                }
                self.expect(",")?;
            }
        }
        Ok(all)
    }

    fn sum(&mut self, names: &[&str], depth: usize, code: &mut Code) -> Parsed<()> {
        self.term(names, depth, code)?;
        loop {
            let step = match self.peek() {
                token if token.is("+") => Step::Add,
                token if token.is("-") => Step::Subtract,
                _ => return Ok(()),
            };
            self.next();
            self.term(names, depth, code)?;
            code.push(step);
        }
    }

    fn term(&mut self, names: &[&str], depth: usize, code: &mut Code) -> Parsed<()> {
        self.signed(names, depth, code)?;
        loop {
            let step = match self.peek() {
                token if token.is("*") => Step::Multiply,
                token if token.is("/") => Step::Divide,
                _ => return Ok(()),
            };
            self.next();
            self.signed(names, depth, code)?;
            code.push(step);
        }
    }

    /// A sign binds less than a power: -2^2 is -4.
    fn signed(&mut self, names: &[&str], depth: usize, code: &mut Code) -> Parsed<()> {
        let token = self.peek();
        if depth > MAX_DEPTH {
            return Err(token.fault(format!("nesting beyond {MAX_DEPTH}"), "fewer brackets, signs and powers"));
        }
        if self.takes("-") {
            self.signed(names, depth + 1, code)?;
            code.push(Step::Negate);
        } else if self.takes("+") {
            self.signed(names, depth + 1, code)?;
        } else {
            self.factor(names, depth, code)?;
            if self.takes("^") {
                self.signed(names, depth + 1, code)?;
                code.push(Step::Power);
            }
        }
        Ok(())
    }

    fn factor(&mut self, names: &[&str], depth: usize, code: &mut Code) -> Parsed<()> {
        let token = self.next();
        let expected = "a number, pi, a parameter, a function or a bracket";
        if token.is("(") {
            self.sum(names, depth + 1, code)?;
            return self.expect(")").map(|_| ());
        }
        match token.kind {
            Kind::Number => {
                let number = token.text.parse().map_err(|_| token.fail("a number"))?;
                code.push(Step::Number(number));
            }
            Kind::Word => {
                if let Some(k) = names.iter().position(|&name| name == token.text) {
                    code.push(Step::Parameter(k));
                } else if token.text == "pi" {
                    code.push(Step::Number(std::f64::consts::PI));
                } else {
                    let function = function(token.text).ok_or_else(|| token.fail(expected))?;
                    self.expect("(")?;
                    self.sum(names, depth + 1, code)?;
                    self.expect(")")?;
                    code.push(Step::Call(function));
                }
            }
            _ => return Err(token.fail(expected)),
        }
        Ok(())
    }

    /// Names separated by commas.
    fn names(&mut self, what: &str) -> Parsed<Vec<&'a str>> {
        let mut names = Vec::new();
        loop {
            let name = self.word(what)?;
            if names.contains(&name.text) {
                return Err(name.fail("different names"));
            }
            names.push(name.text);
            if !self.takes(",") {
                return Ok(names);
            }
        }
    }

    fn definition(&mut self) -> Parsed<()> {
        self.next();
        let name = self.word("the name of a gate")?;
        if self.names.contains_key(name.text) {
            return Err(name.fail("a name that no definition has yet"));
        }
        let mut parameters = Vec::new();
        if self.takes("(") && !self.takes(")") {
            parameters = self.names("a parameter")?;
            self.expect(")")?;
        }
        let qubits = self.names("a qubit")?;
        self.expect("{")?;
        let mut definition =
            Definition { n_parameters: parameters.len(), n_qubits: qubits.len(), depth: 1, body: Vec::new() };
        while !self.takes("}") {
            let place = self.word("a gate or \"}\"")?;
            if place.text == "barrier" {
                self.body_qubits(&qubits)?;
                continue;
            }
            let (callee, n_parameters, n_qubits) = self.callee(place)?;
            let codes = self.parameters(&parameters)?;
            check_count(place, "parameters", codes.len(), n_parameters)?;
            let own = self.body_qubits(&qubits)?;
            check_count(place, "qubits", own.len(), n_qubits)?;
            if let Callee::Defined(number) = callee {
                definition.depth = definition.depth.max(self.definitions[number].depth + 1);
            }
            if definition.depth > MAX_DEPTH {
                return Err(place.fault(format!("definitions nested beyond {MAX_DEPTH}"), "fewer"));
            }
            definition.body.push(Call { callee, parameters: codes, qubits: own, place });
        }
        self.definitions.push(definition);
        let number = self.definitions.len() - 1;
        if !self.is_known(name, number)? {
            self.names.insert(name.text, number);
        }
        Ok(())
    }

    fn body_qubits(&mut self, qubits: &[&str]) -> Parsed<Vec<usize>> {
        let mut all = Vec::new();
        loop {
            let token = self.word("a qubit")?;
            let number = qubits.iter().position(|&name| name == token.text);
            let number = number.ok_or_else(|| token.fail("a qubit of this definition"))?;
            if all.contains(&number) {
                return Err(token.fail("different qubits"));
            }
            all.push(number);
            if !self.takes(",") {
                self.expect(";")?;
                return Ok(all);
            }
        }
    }

    /// Whether a definition says what its name says anyway; tried with some angles.
    fn is_known(&mut self, name: Token<'a>, number: usize) -> Parsed<bool> {
        let Definition { n_parameters, n_qubits, .. } = self.definitions[number];
        let Some(known) = known(name.text) else { return Ok(false) };
        if (known.n_parameters, known.n_qubits) != (n_parameters, n_qubits) || n_qubits > 2 {
            return Ok(false);
        }
        let angles = [0.3, -1.1, 2.3];
        let qubits: Vec<usize> = (0..n_qubits).collect();
        let mut out = Vec::new();
        let budget = self.budget;
        let expanded = self.expand((Callee::Defined(number), name), &angles[..n_parameters], &qubits, &mut out);
        // A definition that is never called costs nothing and may be undefined at these angles.
        self.budget = budget;
        if expanded.is_err() {
            return Ok(false);
        }
        let there = compose(&out, n_qubits);
        let here: Vec<(Gate, Vec<usize>)> =
            (known.make)(&angles[..n_parameters]).into_iter().map(|(gate, qubits)| (gate, qubits.to_vec())).collect();
        Ok(compose(&here, n_qubits).iter().zip(&there).all(|(a, b)| (a - b).norm() < 1e-12))
    }

    /// The gates of a call on these qubits.
    fn expand(
        &mut self,
        (callee, place): (Callee, Token<'a>),
        parameters: &[f64],
        qubits: &[usize],
        out: &mut Vec<(Gate, Vec<usize>)>,
    ) -> Parsed<()> {
        let Some(left) = self.budget.checked_sub(1) else {
            return Err(place.fault(format!("more than {MAX_CALLS} gates, definitions included"), "fewer"));
        };
        self.budget = left;
        if let Some(angle) = parameters.iter().find(|angle| !angle.is_finite()) {
            return Err(place.fault(format!("the angle {angle}"), "a finite number"));
        }
        let number = match callee {
            Callee::Known(known) => {
                let made = (known.make)(parameters);
                let Some(left) = self.budget.checked_sub((made.len() as u64).saturating_sub(1)) else {
                    return Err(place.fault(format!("more than {MAX_CALLS} gates, definitions included"), "fewer"));
                };
                self.budget = left;
                out.extend(made.into_iter().map(|(gate, own)| (gate, own.iter().map(|&q| qubits[q]).collect())));
                return Ok(());
            }
            Callee::Defined(number) => number,
        };
        let mut inner = Vec::new();
        for k in 0..self.definitions[number].body.len() {
            let call = &self.definitions[number].body[k];
            let (callee, place) = (call.callee, call.place);
            let values: Vec<f64> = call.parameters.iter().map(|code| value(code, parameters)).collect();
            let own = call.qubits.clone();
            self.expand((callee, place), &values, &own, &mut inner)?;
        }
        let there = |own: &[usize]| own.iter().map(|&q| qubits[q]).collect::<Vec<usize>>();
        match (&inner[..], qubits.len()) {
            ([(gate, own)], _) => out.push((gate.clone(), there(own))),
            (_, n @ (1 | 2)) => out.push((Gate::Unitary(Unitary::trusted(compose(&inner, n))), qubits.to_vec())),
            _ => out.extend(inner.into_iter().map(|(gate, own)| (gate, there(&own)))),
        }
        Ok(())
    }
}

/// The matrix of gates on one or two qubits.
fn compose(gates: &[(Gate, Vec<usize>)], n_qubits: usize) -> Vec<Complex64> {
    let dim = 1 << n_qubits;
    let one = |k: usize, dim: usize| if k.is_multiple_of(dim + 1) { Complex64::ONE } else { Complex64::ZERO };
    let identity = |dim: usize| (0..dim * dim).map(|k| one(k, dim)).collect::<Vec<_>>();
    gates.iter().fold(identity(dim), |before, (gate, qubits)| {
        let matrix = gate.matrix();
        let matrix = match (n_qubits, &qubits[..]) {
            (1, _) | (2, [0, 1]) => matrix,
            (_, [0]) => kronecker(&matrix, &identity(2)),
            (_, [_]) => kronecker(&identity(2), &matrix),
            _ => exchanged(&matrix),
        };
        product(&matrix, &before, dim)
    })
}

fn check_count(place: Token<'_>, what: &str, got: usize, expected: usize) -> Parsed<()> {
    if got == expected {
        return Ok(());
    }
    Err(place.fault(format!("{} with {got} {what}", place.text), format!("{expected}")))
}
