//! Angles: arithmetic with numbers, π and the parameters of a gate.

/// One step of a calculation on a stack.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Number(f64),
    Parameter(usize),
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Call(fn(f64) -> f64),
}

/// A calculation in postfix order: no recursion, however long it is.
pub(super) type Code = Vec<Step>;

/// The functions of OpenQASM 2.
pub(super) fn function(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "exp" => f64::exp,
        "ln" => f64::ln,
        "sqrt" => f64::sqrt,
        _ => return None,
    })
}

/// The value with these parameters.
pub(super) fn value(code: &[Step], parameters: &[f64]) -> f64 {
    let mut stack: Vec<f64> = Vec::new();
    for step in code {
        let mut pop = || stack.pop().unwrap_or(f64::NAN);
        let next = match *step {
            Step::Number(number) => number,
            Step::Parameter(k) => parameters.get(k).copied().unwrap_or(f64::NAN),
            Step::Negate => -pop(),
            Step::Call(function) => function(pop()),
            Step::Add | Step::Subtract | Step::Multiply | Step::Divide | Step::Power => {
                let (right, left) = (pop(), pop());
                match step {
                    Step::Add => left + right,
                    Step::Subtract => left - right,
                    Step::Multiply => left * right,
                    Step::Divide => left / right,
                    _ => left.powf(right),
                }
            }
        };
        stack.push(next);
    }
    stack.pop().unwrap_or(f64::NAN)
}
