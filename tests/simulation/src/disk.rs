//! Disks that lose power, fail and fill up: under SQLite and under the files that phone and hub write themselves.

mod files;
mod platter;
mod storage;
mod undo;
mod vfs;

pub use files::Watching;
pub use platter::{Call, Cut, Failure, Faults, Platter, Unsynced, When};
pub use storage::Gated;
pub use vfs::install;
