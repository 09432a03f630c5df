//! A world in one process: phones, a hub, the roads between them, disks and clocks, all of them wrong in every way that
//! a seed can think of, and an oracle that knows what must be true all the same.
//!
//! The programs are the real ones: the phone of `yenban-core` with its sync, the hub of `yenban-hub` behind its own
//! routes, both on real SQLite. Simulated is what they stand on: the medium under their files ([`disk`]), the roads, the
//! clocks and chance.

pub mod act;
pub mod chance;
pub mod courier;
pub mod coverage;
pub mod disk;
pub mod faults;
pub mod hub;
pub mod kill_map;
pub mod oracle;
pub mod past;
pub mod phone;
pub mod regressions;
pub mod run;
pub mod step;
pub mod talk;
pub mod world;
