//! yenban
fn main() {}
