//! Every bound of the phone's core in one place, so that a reviewer sees them together.
//!
//! A bound that phone and hub must agree on stands in `yenban_protocol::limits`, not here.

/// How long a second process waits for the store before it says so, in milliseconds.
pub const STORE_WAIT_MS: u64 = 5_000;
/// Pause between two looks at a busy store, in milliseconds.
pub const STORE_POLL_MS: u64 = 25;
/// SQLCipher page size of both databases, in bytes: 2,048 halves what one commit encrypts and writes.
pub const PAGE_SIZE_BYTES: u32 = 2_048;
/// Page cache of the spool, in KiB.
pub const SPOOL_CACHE_KIB: u32 = 4_096;
/// Page cache of the vault, in KiB: below 8,192 a cold box or search costs ten times as much.
pub const VAULT_CACHE_KIB: u32 = 8_192;
/// Pages in the write-ahead log before it is copied into the database.
pub const WAL_CHECKPOINT_PAGES: u32 = 1_000;
/// Prepared statements kept per connection.
pub const STATEMENT_CACHE: usize = 128;
/// Entries that may stand in the vault's open transaction before it is committed.
pub const VAULT_BATCH_ENTRIES: u32 = 256;
/// Longest original file name kept with a photo, in bytes.
pub const FILE_NAME_MAX_BYTES: usize = 255;
/// Largest photo file taken in, in bytes.
pub const PHOTO_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Plain bytes in one sealed chunk of a photo.
pub const PHOTO_CHUNK_BYTES: usize = 64 * 1024;
/// Age at which a sealing session is replaced, in milliseconds.
pub const SESSION_MAX_MS: u64 = 24 * 3_600 * 1_000;
/// Entries sealed under one session at most: bounds what one lost key opens.
pub const SESSION_MAX_ENTRIES: u32 = 100_000;
/// PIN tries before the PIN is disabled.
pub const PIN_TRIES: u32 = 10;
/// Fewest and most digits of a PIN.
pub const PIN_DIGITS: std::ops::RangeInclusive<usize> = 6..=12;
/// Argon2id memory for a PIN, in KiB (19 MiB, the least that is advised).
pub const PIN_MEMORY_KIB: u32 = 19 * 1024;
/// Argon2id passes for a PIN.
pub const PIN_PASSES: u32 = 2;
/// Rows a list answers at most in one call.
pub const PAGE_ROWS: u32 = 500;
/// Pins a box answers at most.
pub const PINS_MAX: u32 = 2_000;
/// Feed items of one scope kept on the phone.
pub const FEED_ITEMS_PER_SCOPE: u32 = 1_000;
/// Rejections of one entry before it is set aside.
pub const PARK_AFTER_REJECTIONS: u32 = 5;
/// Largest side file (marker, key file) that is read, in bytes.
pub const SIDE_FILE_MAX_BYTES: u64 = 4_096;
/// Largest sequence number of a log: forty bits, so that a name fits one SQLite integer.
pub const SEQ_MAX: u64 = (1 << 40) - 1;
/// Logs one store may hold (each doubt starts one).
pub const LOGS_MAX: u32 = 1 << 20;
/// Requests of one sync in the air at once: packing, the road and the hub's work overlap.
pub const SYNC_IN_FLIGHT: usize = 4;
/// Entries in one segment that this phone makes.
pub const SEGMENT_ENTRIES_MAX: u64 = yenban_protocol::limits::MAX_SEGMENT_ENTRIES as u64;
/// Sealed bodies in one segment, in bytes: what is lost when a connection breaks.
pub const SEGMENT_SEALED_BODIES_MAX_BYTES: usize = 256 * 1024;
/// Requests of one sync.
pub const SYNC_REQUESTS_MAX: u64 = 20_000;
/// Outages in a row, each with a longer pause after it, before a sync stops.
pub const SYNC_FAILURES_MAX: u32 = 4;
/// First pause after an outage or a busy hub, in milliseconds; doubles each time.
pub const SYNC_BACKOFF_MS: u64 = 250;
/// Answers "busy" in a row before a sync stops.
pub const SYNC_BUSY_MAX: u32 = 5;
/// Rejections in a row after which it is not one entry that is wrong: nothing more is set aside.
pub const SYNC_REJECTIONS_IN_ROW_MAX: u32 = 32;
/// Times a sync follows the hub into another epoch.
pub const SYNC_EPOCHS_MAX: u32 = 3;
/// Items asked for in one feed request.
pub const FEED_ITEMS_PER_ANSWER: u64 = 256;
/// Age of a request key, in hub time, from which it is made anew before the hub has to refuse it, in milliseconds.
pub const REQUEST_KEY_RENEW_MS: i64 = 12 * 3_600 * 1_000;
/// Time on patrol after which the head of the chain is signed again, in milliseconds.
pub const HEAD_EVERY_MS: u64 = 15 * 60 * 1_000;
/// Threads of the network.
pub const TRANSPORT_WORKERS: usize = 2;
/// Time for a connection with its handshake, in milliseconds: mountain networks are slow.
pub const CONNECT_TIMEOUT_MS: u64 = 20_000;
/// Time for one request from its first byte to the last of its answer, in milliseconds.
pub const REQUEST_TIMEOUT_MS: u64 = 90_000;
/// Time after which an answer is given up, for each address that may be tried, in milliseconds: the client itself gives
/// up before.
pub const ANSWER_WAIT_MAX_MS: u64 = CONNECT_TIMEOUT_MS + REQUEST_TIMEOUT_MS + 10_000;
/// Longest problem document that is read, in bytes.
pub const PROBLEM_MAX_BYTES: usize = 64 * 1024;
/// Longest pause a hub may ask for, in milliseconds.
pub const RETRY_AFTER_MAX_MS: u64 = 3_600 * 1_000;
/// Pause between two attempts of a sync that goes on until nothing waits, in milliseconds.
pub const UNTIL_EMPTY_PAUSE_MS: u64 = 1_000;
/// Time that one chunk of a file should take, in milliseconds: what an urgent entry waits for at most.
pub const CHUNK_AIM_MS: u64 = 4_000;
/// First chunk of a file on a road that was not measured yet, in bytes.
pub const CHUNK_FIRST_BYTES: u64 = 64 * 1024;
/// Smallest chunk of a file, in bytes, on however slow a road.
pub const CHUNK_MIN_BYTES: u64 = 32 * 1024;
/// Largest chunk of a file, in bytes.
pub const CHUNK_MAX_BYTES: u64 = 1024 * 1024;
/// Factor by which one measurement may change the size of chunks.
pub const CHUNK_STEP: u64 = 4;
/// Segments sent in a row while files wait before a chunk has its turn.
pub const SEGMENTS_BEFORE_A_CHUNK: u32 = 32;
/// Answers about one file that move nothing before it is left for another sync.
pub const FILE_STRIKES_MAX: u32 = 6;
/// Pause before a file is asked about again that another request holds, in milliseconds.
pub const FILE_LOCKED_WAIT_MS: u64 = 1_000;
/// Bytes of a file handed to the road at a time: what is counted as handed may exceed what left by so much.
pub const ROAD_BYTES: usize = 4 * 1024;
/// Bytes of a file read at a time while it is sent.
pub const READ_BYTES: usize = 64 * 1024;
/// Different heads of custody kept of one day: two prove that the hub contradicts itself, more prove no more.
pub const WITNESS_HEADS_PER_DAY: u32 = 8;
