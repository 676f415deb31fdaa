//! Files that mean what they say, files that do not, and noise.

use linalg_core::num_complex::Complex64;
use proptest::prelude::*;

use super::super::{Circuit, Gate, StateVector, Unitary};
use super::{read_open_qasm, write_open_qasm};
use crate::Error;

fn program(body: &str) -> String {
    format!("OPENQASM 2.0;\ninclude \"qelib1.inc\";\n{body}\n")
}

fn state(body: &str) -> Vec<Complex64> {
    StateVector::run(&read_open_qasm(&program(body)).unwrap()).unwrap().amplitudes().to_vec()
}

fn assert_same(one: &str, other: &str) {
    for (a, b) in state(one).iter().zip(state(other)) {
        assert!((a - b).norm() < 1e-14, "{one} and {other}");
    }
}

#[test]
fn what_is_written_is_read_back() {
    let u3 = Gate::U3 { theta: 0.4, phi: -0.9, lambda: 1e-7 };
    let single = [Gate::I, Gate::X, Gate::Y, Gate::Z, Gate::H, Gate::S, Gate::Sdg, Gate::T, Gate::Tdg, Gate::SqrtX];
    let more = [Gate::SqrtY, Gate::SqrtW, Gate::Rx(0.1), Gate::Ry(-2e-9), Gate::Rz(1e22), Gate::Phase(1.0 / 3.0), u3];
    let pairs = [Gate::Cz, Gate::Cnot, Gate::Swap, Gate::ISwap, Gate::CPhase(0.2), Gate::Zz(0.3), Gate::Xx(0.4)];
    let mut circuit = Circuit::new(3).unwrap();
    for (k, gate) in single.into_iter().chain(more).enumerate() {
        circuit.push(gate, &[k % 3]).unwrap();
    }
    let rest = [Gate::Yy(0.5), Gate::FSim { theta: 0.6, phi: -0.7 }];
    for (k, gate) in pairs.into_iter().chain(rest).enumerate() {
        circuit.push(gate, &[k % 3, (k + 1) % 3]).unwrap();
    }
    assert_eq!(read_open_qasm(&write_open_qasm(&circuit).unwrap()).unwrap(), circuit);

    // Matrices of one qubit come back up to a phase; of two they have no words.
    for gate in [Gate::SqrtX, Gate::Z, Gate::X, Gate::H, Gate::U3 { theta: 2.0, phi: 0.4, lambda: 2.5 }] {
        let phase = Complex64::from_polar(1.0, 0.7);
        let turned: Vec<Complex64> = gate.matrix().iter().map(|x| x * phase).collect();
        let circuit = Circuit::new(1).unwrap().with(Gate::Unitary(Unitary::new(&turned).unwrap()), &[0]).unwrap();
        let back = read_open_qasm(&write_open_qasm(&circuit).unwrap()).unwrap();
        let matrix = back.operations()[0].gate().matrix();
        let overlap: Complex64 = matrix.iter().zip(&turned).map(|(a, b)| a.conj() * b).sum();
        assert!((overlap.norm() - 2.0).abs() < 1e-14, "{gate:?}");
    }
    let pair = Circuit::new(2).unwrap().with(Gate::unitary(&Gate::Cz.matrix()).unwrap(), &[0, 1]).unwrap();
    assert!(matches!(write_open_qasm(&pair), Err(Error::Unrepresentable { .. })));
}

#[test]
fn expressions_follow_the_rules() {
    use std::f64::consts::PI;
    let cases = [
        ("pi/2", PI / 2.0),
        ("-pi/4+1", 1.0 - PI / 4.0),
        ("2*(1-3)/4", -1.0),
        ("-2^2", -4.0),
        ("2^-1", 0.5),
        ("2^3^2", 512.0),
        ("8/2/2", 2.0),
        ("1-2-3", -4.0),
        ("--1", 1.0),
        ("sqrt(4)*cos(0)+ln(exp(1))", 3.0),
        (".5e1", 5.0),
        ("5.", 5.0),
        ("1E-3", 0.001),
    ];
    for (text, expected) in cases {
        let circuit = read_open_qasm(&program(&format!("qreg q[1]; rz({text}) q[0];"))).unwrap();
        let angle = circuit.operations()[0].gate().angles()[0];
        assert!((angle - expected).abs() < 1e-15 * expected.abs().max(1.0), "{text}: {angle}");
    }
    // A sum longer than any stack of calls.
    let long = vec!["1"; 200_000].join("+");
    let circuit = read_open_qasm(&program(&format!("qreg q[1]; rz({long}) q[0];"))).unwrap();
    assert_eq!(circuit.operations()[0].gate(), &Gate::Rz(200_000.0));
}

#[test]
fn library_gates_are_what_qelib1_defines() {
    let start = "qreg q[3]; u3(0.3,0.2,0.1) q[0]; u3(1.3,0.5,-0.1) q[1]; u3(0.9,-0.2,0.8) q[2]; cx q[0],q[2];";
    let pairs = [
        ("cy q[0],q[1];", "sdg q[1]; cx q[0],q[1]; s q[1];"),
        ("ch q[0],q[1];", "s q[1]; h q[1]; t q[1]; cx q[0],q[1]; tdg q[1]; h q[1]; sdg q[1];"),
        ("cswap q[0],q[1],q[2];", "cx q[2],q[1]; ccx q[0],q[1],q[2]; cx q[2],q[1];"),
        ("crz(0.7) q[0],q[1];", "rz(0.35) q[1]; cx q[0],q[1]; rz(-0.35) q[1]; cx q[0],q[1];"),
        ("cu1(0.7) q[0],q[1];", "u1(0.35) q[0]; cx q[0],q[1]; u1(-0.35) q[1]; cx q[0],q[1]; u1(0.35) q[1];"),
        (
            "cu3(0.7,0.4,0.3) q[0],q[1];",
            "u1(0.35) q[0]; u1(-0.05) q[1]; cx q[0],q[1]; u3(-0.35,0,-0.35) q[1]; cx q[0],q[1]; u3(0.35,0.4,0) q[1];",
        ),
        ("sx q[1];", "sdg q[1]; h q[1]; sdg q[1];"),
        ("sxdg q[1];", "s q[1]; h q[1]; s q[1];"),
        ("swap q[0],q[2];", "cx q[0],q[2]; cx q[2],q[0]; cx q[0],q[2];"),
        ("rzz(0.6) q[0],q[1];", "cx q[0],q[1]; rz(0.6) q[1]; cx q[0],q[1];"),
        ("CX q[0],q[1]; U(0.1,0.2,0.3) q[2];", "cx q[0],q[1]; u3(0.1,0.2,0.3) q[2];"),
        ("u2(0.1,0.2) q[0]; id q[1]; u0(1) q[2];", "u3(pi/2,0.1,0.2) q[0];"),
    ];
    for (one, other) in pairs {
        assert_same(&format!("{start}{one}"), &format!("{start}{other}"));
    }
    // Toffoli: 110 and 111 change places.
    let flipped = state("qreg q[3]; x q[0]; x q[1]; ccx q[0],q[1],q[2];");
    assert!((flipped[0b111] - 1.0).norm() < 1e-14);
    let kept = state("qreg q[3]; x q[0]; ccx q[0],q[1],q[2];");
    assert!((kept[0b001] - 1.0).norm() < 1e-14);
}

#[test]
fn definitions_registers_and_measurements() {
    let defined = "gate majority a,b,c { cx c,b; cx c,a; ccx a,b,c; }
        gate turn(x,y) a { rz(x/2) a; ry(-y) a; barrier a; rz(x*y) a; }
        gate both(x) a,b { turn(x,2*x) b; cx b,a; }
        qreg a[2]; qreg b[2]; creg c[2];
        h a; cx a,b; both(0.3) a[0],b; majority a[0],b[0],b[1]; // broadcast
        measure a -> c;";
    let plain = "qreg q[4]; h q[0]; h q[1]; cx q[0],q[2]; cx q[1],q[3];
        rz(0.15) q[2]; ry(-0.6) q[2]; rz(0.18) q[2]; cx q[2],q[0];
        rz(0.15) q[3]; ry(-0.6) q[3]; rz(0.18) q[3]; cx q[3],q[0];
        cx q[3],q[2]; cx q[3],q[0]; ccx q[0],q[2],q[3];";
    assert_same(defined, plain);
    // One matrix for a gate of two qubits, and nothing new for a definition of what is known.
    let circuit = read_open_qasm(&program(defined)).unwrap();
    assert!(matches!(circuit.operations()[4].gate(), Gate::Unitary(_)));
    let circuit = read_open_qasm("OPENQASM 2.0; gate h a { U(pi/2,0,pi) a; } qreg q[1]; h q[0];").unwrap();
    assert_eq!(circuit.operations()[0].gate(), &Gate::H);
    // A definition that says something else goes before the name.
    let circuit = read_open_qasm("OPENQASM 2.0; gate h a { x a; } qreg q[1]; h q[0];").unwrap();
    assert_eq!(circuit.operations()[0].gate(), &Gate::X);
}

#[test]
fn errors_have_line_column_and_reason() {
    let cases = [
        ("qreg q[2];\n  cx q[0], q[0];", 4, 12, "twice"),
        ("qreg q[2];\nfoo q[0];", 4, 1, "the name of a gate"),
        ("qreg q[2];\nreset q[0];", 4, 1, "unitary gate"),
        ("qreg q[2]; creg c[1];\nif (c==1) x q[0];", 4, 1, "\"if\""),
        ("opaque magic a;", 3, 1, "\"opaque\""),
        ("qreg q[2]; creg c[2]; measure q[0] -> c[0];\nx q[0];", 4, 3, "measured"),
        ("qreg q[2]; creg c[3];\nmeasure q -> c;", 4, 14, "3 bits for 2 qubits"),
        ("qreg q[0];", 3, 8, "size 0"),
        ("qreg q[99999999];", 3, 8, "size 99999999"),
        ("qreg q[1]; qreg q[2];", 3, 17, "no register has yet"),
        ("qreg q[1]; rz(1/0) q[0];", 3, 12, "inf"),
        ("qreg q[1]; rz(ln(-1)) q[0];", 3, 12, "NaN"),
        ("qreg q[1]; rz q[0];", 3, 12, "0 parameters"),
        ("qreg q[2]; h q[0],q[1];", 3, 12, "2 qubits"),
        ("qreg q[1]; rz(1.2.3) q[0];", 3, 18, "\".3\""),
        ("qreg q[1]; rz(1e) q[0];", 3, 16, "\"e\""),
        ("qreg q[1]; x q[0]", 4, 1, "the end of the file"),
        ("qreg a[2]; qreg b[3]; cx a,b;", 3, 28, "register of 3"),
        ("qreg q[1]; creg c[1]; x c[0];", 3, 25, "a quantum register"),
        ("gate g a { h b; } qreg q[1];", 3, 14, "a qubit of this definition"),
        ("gate g a,b { cx a,a; } qreg q[2];", 3, 19, "different qubits"),
        ("gate g a { g a; } qreg q[1];", 3, 12, "the name of a gate"),
        ("gate g a {} gate g a {} qreg q[1];", 3, 18, "no definition has yet"),
        ("qreg q[1]; x q[0]; ?", 3, 20, "OpenQASM 2"),
        ("include \"other.inc\";", 3, 9, "qelib1.inc"),
        ("include \"other", 3, 9, "closing quotation"),
        ("", 4, 1, "a qreg"),
    ];
    for (body, line, column, words) in cases {
        let Err(Error::Parse(error)) = read_open_qasm(&program(body)) else { panic!("{body} was read") };
        let text = error.to_string();
        assert!((error.line, error.column) == (line, column) && text.contains(words), "{body}: {text}");
    }
    assert!(read_open_qasm("").is_err() && read_open_qasm("OPENQASM 3.0; qreg q[1];").is_err());
}

/// Definitions that double what they call, and brackets without end.
#[test]
fn short_files_cannot_ask_for_much() {
    let mut bomb = String::from("gate g0 a,b,c { x a; y b; }\n");
    for k in 1..60 {
        bomb += &format!("gate g{k} a,b,c {{ g{} a,b,c; g{} a,b,c; }}\n", k - 1, k - 1);
    }
    let error = read_open_qasm(&program(&format!("{bomb} qreg q[3]; g59 q[0],q[1],q[2];"))).unwrap_err();
    assert!(error.to_string().contains("definitions included"), "{error}");
    let wide = format!("qreg a[21845]; qreg b[21845]; qreg c[21845]; {}", "ccx a,b,c;".repeat(60));
    assert!(read_open_qasm(&program(&wide)).unwrap_err().to_string().contains("definitions included"));
    let mut chain = String::from("gate g0 a { x a; }\n");
    (1..100).for_each(|k| chain += &format!("gate g{k} a {{ g{} a; }}\n", k - 1));
    assert!(read_open_qasm(&program(&chain)).unwrap_err().to_string().contains("nested"));
    for open in ["(", "-", "sin(", "2^"] {
        let text = program(&format!("qreg q[1]; rz({}", open.repeat(100_000)));
        assert!(read_open_qasm(&text).unwrap_err().to_string().contains("nesting"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn noise_is_an_error_and_no_panic(text in "\\PC{0,200}") {
        prop_assert!(read_open_qasm(&text).is_err());
        let _ = read_open_qasm(&format!("OPENQASM 2.0;{text}"));
    }

    /// Words of the language in any order.
    #[test]
    fn words_in_any_order_do_not_panic(words in prop::collection::vec(0usize..38, 0..60)) {
        let vocabulary = [
            "qreg", "creg", "gate", "q", "c", "[", "]", "(", ")", "{", "}", ";", ",", "->", "==", "+", "-", "*", "/", "^",
            "pi", "0", "1", "2", "0.5", "1e400", "h", "cx", "rz", "ccx", "measure", "barrier", "if", "a", "b", "sin", "\n",
            "\"qelib1.inc\"",
        ];
        let text: Vec<&str> = words.into_iter().map(|k| vocabulary[k]).collect();
        let _ = read_open_qasm(&program(&text.join(" ")));
        let _ = read_open_qasm(&program(&format!("qreg q[3]; creg c[3]; {}", text.join(" "))));
    }

    /// A program with one character replaced is read or refused.
    #[test]
    fn damaged_programs_do_not_panic(at in 0usize..200, new in any::<char>()) {
        let text = program("gate g(x) a,b { rz(-x/2) a; cx a,b; }\nqreg q[3]; creg c[3];\nh q; g(pi*2) q[0],q[1];\nmeasure q -> c;");
        let damaged: String = text.chars().enumerate().map(|(k, old)| if k == at { new } else { old }).collect();
        let _ = read_open_qasm(&damaged);
    }
}
