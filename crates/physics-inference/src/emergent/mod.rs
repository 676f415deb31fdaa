//! Learning as diffusion, as a Madelung fluid and as Schrödinger dynamics, and tests that tell them apart.
