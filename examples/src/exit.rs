//! How an example ends when something is wrong.

use std::process::ExitCode;

/// Prints an error with its causes and ends with status 2, which stands for bad input.
pub fn report(result: Result<(), Box<dyn std::error::Error>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("error: {error}");
    let mut shown = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Transparent errors repeat their source's text.
        let text = inner.to_string();
        if !shown.contains(&text) {
            eprintln!("  because: {text}");
        }
        shown = text;
        cause = inner.source();
    }
    ExitCode::from(2)
}
