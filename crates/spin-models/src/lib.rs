//! Spin models.
