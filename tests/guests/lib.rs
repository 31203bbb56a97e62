//! Test guests live in `examples`.
