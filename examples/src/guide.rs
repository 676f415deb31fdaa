//! The pages of `docs/guide` whose programs are run as tests.

#[doc = include_str!("../../docs/guide/cookbook.md")]
pub struct Cookbook;
