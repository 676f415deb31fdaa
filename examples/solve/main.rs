//! Placeholder of the main example.

fn main() {}
