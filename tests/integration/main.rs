//! Integration tests by capability.
