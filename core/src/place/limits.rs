//! What a file of places may claim before it is refused: reading one costs at most 64 MiB and a second or two.

/// Largest track file, in bytes.
pub const GPX_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Largest single tag, comment or run of text in a track file, in bytes.
pub const GPX_TOKEN_MAX_BYTES: u64 = 256 * 1024;
/// Deepest nesting of elements.
pub const GPX_MAX_DEPTH: usize = 64;
/// Most track points in one file: more than five days at one a second.
pub const GPX_MAX_POINTS: usize = 500_000;
/// Most tracks, segments, routes and waypoints together.
pub const GPX_MAX_GROUPS: usize = 10_000;
/// Text of an element that is looked at, in bytes; what follows is passed over.
pub const GPX_TEXT_MAX_BYTES: usize = 1_024;
/// Gaps an odometer remembers one by one; further ones are only counted.
pub const GAPS_KEPT: usize = 1_000;
/// Hamlets of one commune.
pub const HAMLETS_MAX: usize = 2_000;
