//! Every bound of the command line in one place.

/// Largest recorded walk that is read, in bytes.
pub(crate) const TRACK_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Largest list of people that is read, in bytes.
pub(crate) const LIST_MAX_BYTES: u64 = 32 * 1024 * 1024;
/// Bytes of an evidence bundle read at once.
pub(crate) const READ_BYTES: usize = 256 * 1024;
/// Largest file with heads of a witness or with a root, in bytes.
pub(crate) const WITNESS_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Largest file with a PIN, in bytes.
pub(crate) const PIN_FILE_MAX_BYTES: u64 = 1_024;
/// Work shorter than this shows no progress, in milliseconds.
pub(crate) const QUIET_MS: u64 = 1_000;
/// Time between two lines of progress, in milliseconds.
pub(crate) const PROGRESS_MS: u64 = 200;
/// Names offered for one that is not known.
pub(crate) const NEAREST_NAMES: usize = 3;
/// Most characters of a value repeated in a sentence about it.
pub(crate) const TOLD_CHARS: usize = 60;
/// A break in a recorded walk of at least this long is taken for a rest, in milliseconds.
pub(crate) const PAUSE_GAP_MS: i64 = 10 * 60_000;
/// Rows of a list printed at once.
pub(crate) const LIST_ROWS_MAX: u32 = 1_000_000;
/// Rows asked for at once where the core answers in pages.
pub(crate) const PAGE_ROWS: u32 = 500;
/// Largest file of parcels, in bytes: some fifty full ones.
pub(crate) const PARCEL_FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Files of parcels in one folder.
pub(crate) const PARCEL_FILES_MAX: usize = 4_096;
