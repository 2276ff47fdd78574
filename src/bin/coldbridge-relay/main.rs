//! `coldbridge-relay`: submits signed payloads.
fn main() {}
