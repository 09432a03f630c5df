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
/// Bytes of items that are given back to a restored hub in one request, unless one alone is longer.
pub const RETURNED_BATCH_BYTES: usize = 128 * 1024;
/// Bytes of the write-ahead log that are written again at a time when the spool is opened.
pub const RENEW_PART_BYTES: usize = 64 * 1024;
/// Prepared statements kept per connection.
pub const STATEMENT_CACHE: usize = 128;
/// Entries that may stand in the vault's open transaction before it is committed.
pub const VAULT_BATCH_ENTRIES: u32 = 256;
/// Largest photo file taken in, in bytes.
pub const PHOTO_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Times that a file is taken which was still being written when its end was reached.
pub const SEAL_TRIES: u32 = 3;
/// Room that a photograph needs before the shutter: its clear file and the sealed one, each this large, in bytes.
pub const PHOTO_ROOM_BYTES: u64 = 24 * 1024 * 1024;
/// Reserve before the first photograph: text that finds the disk full, in bytes.
pub const RESERVE_TEXT_BYTES: u64 = 1024 * 1024;
/// Reserve from the first photograph on: sealing what the camera has already written, in bytes.
pub const RESERVE_PHOTO_BYTES: u64 = 32 * 1024 * 1024;
/// Originals kept on the phone, in bytes.
pub const ORIGINALS_QUOTA_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Previews and thumbnails kept on the phone, in bytes.
pub const PREVIEWS_QUOTA_BYTES: u64 = 256 * 1024 * 1024;
/// What both smaller copies of one photograph take at most, roughly, in bytes.
pub const PREVIEWS_ROOM_BYTES: u64 = 2 * 1024 * 1024;
/// How long smaller copies stay readable on the phone after the hub has them, in milliseconds.
pub const PREVIEWS_READABLE_MS: i64 = 7 * 24 * 3_600 * 1_000;
/// How long a sealed file that no entry names lies as it is after it was first noticed, in milliseconds of the hub's time.
pub const UNNAMED_KEEP_MS: i64 = 24 * 3_600 * 1_000;
/// Captures under way at once: more were forgotten by the shell.
pub const CAPTURES_MAX: u64 = 16;
/// Photographs without previews that are looked at when a vault opens: what a kill can have left, and one more.
pub const PREVIEWS_AT_OPEN: u32 = 2;
/// Photographs given together with one report: all are sealed before its words are on the disk, and people wait.
pub const REPORT_PHOTOS_MAX: usize = 100;
/// First bytes of a file that tell what it is.
pub const KIND_BYTES: usize = 512;
/// EXIF entries in all directories of one file; a camera writes some 60.
pub const EXIF_ENTRIES_MAX: usize = 512;
/// Bytes of EXIF that are read: a JPEG segment holds no more.
pub const EXIF_MAX_BYTES: usize = 64 * 1024;
/// Bytes kept of one text in EXIF.
pub const EXIF_TEXT_MAX_BYTES: usize = 64;
/// How far the place in a file may lie from the device's own beyond the accuracy of that, in metres: a fix may be half an
/// hour old, and masts are some kilometres off.
pub const GPS_CONFLICT_M: f64 = 50_000.0;
/// Memory that making previews may take, in bytes.
pub const PREVIEW_MEMORY_BYTES: u64 = 64 * 1024 * 1024;
/// Largest picture that is decoded for a preview, in pixels.
pub const PREVIEW_PIXELS_MAX: u64 = 208_000_000;
/// Scans of a progressive JPEG: encoders make some ten.
pub const PREVIEW_SCANS_MAX: u32 = 64;
/// Pixels times scans of a progressive JPEG: each scan goes over all of them.
pub const PREVIEW_SCANNED_PIXELS_MAX: u64 = 320_000_000;
/// Largest PNG or WebP file of which a preview is made, in bytes: it is held in memory.
pub const PREVIEW_WHOLE_FILE_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Starts at which previews are tried again after the program ended while it decoded.
pub const PREVIEW_TRIES_MAX: u8 = 3;
/// JPEG quality of previews, in percent.
pub const PREVIEW_QUALITY: u8 = 80;
/// Largest colour profile that a preview keeps, in bytes; those of cameras have some 500.
pub const PREVIEW_PROFILE_MAX_BYTES: usize = 4_096;
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
/// Headers of one answer, in bytes: a receipt of many ranges is among them.
pub const ANSWER_HEADERS_MAX_BYTES: u32 = 128 * 1024;
/// Longest pause a hub may ask for, in milliseconds.
pub const RETRY_AFTER_MAX_MS: u64 = 3_600 * 1_000;
/// Pause between two attempts of a sync that goes on until nothing waits, in milliseconds.
pub const UNTIL_EMPTY_PAUSE_MS: u64 = 1_000;
/// Longest wait for news that one request asks for, in seconds: below the half minute after which address translators of
/// mobile networks may forget a silent connection.
pub const NEWS_WAIT_MAX_S: u64 = 25;
/// A wait for news that ended sooner without any was none, in milliseconds: the hub has no room, or does not know of waiting.
pub const NEWS_WAIT_MIN_MS: u64 = 900;
/// Pause before the next wait for news when the last one was none and the hub did not say how long, in milliseconds.
pub const NEWS_PAUSE_MS: u64 = 5_000;
/// Time beyond its wait that the last request for news is given, in milliseconds.
pub const NEWS_GRACE_MS: u64 = 5_000;
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
/// Files in a row to which the hub says that it failed, before no more is tried in this sync: it is not one file then.
pub const FILES_FAILED_MAX: u32 = 32;
/// Breaks in a row while one file is sent that move nothing before it is left for another sync; less than
/// [`SYNC_FAILURES_MAX`], so that others have their turn.
pub const FILE_LOST_MAX: u32 = 3;
/// Pause before a file is asked about again that another request holds, in milliseconds.
pub const FILE_LOCKED_WAIT_MS: u64 = 1_000;
/// Bytes of a file handed to the road at a time: what is counted as handed may exceed what left by so much.
pub const ROAD_BYTES: usize = 4 * 1024;
/// Bytes of a file read at a time while it is sent.
pub const READ_BYTES: usize = 64 * 1024;
/// Different heads of custody kept under one number: two prove that the hub contradicts itself, more prove no more.
pub const WITNESS_HEADS_PER_NUMBER: u32 = 8;
/// Content of one parcel that this phone makes, in bytes, where one thing alone is not larger: what a courier's road has to
/// take at once (half a minute at 64 kbit/s).
pub const PARCEL_AIM_BYTES: usize = 256 * 1024;
/// Largest file that is given to a courier, in bytes: one that is larger would not pass a slow road in the time of one
/// request, and originals wait for a road of their own.
pub const COURIER_FILE_MAX_BYTES: u64 = 384 * 1024;
/// Parcels that this phone makes at once; what is left over goes with the next courier.
pub const PARCELS_MADE_MAX: usize = 64;
/// Smaller copies of photographs given to a courier at once.
pub const COURIER_FILES_MAX: usize = 256;
/// Parcels of others, and answers for others, carried at once; the oldest go.
pub const CARRIED_MAX: u32 = 256;
/// Bytes of them (64 MiB): the room of this phone's own photographs comes first.
pub const CARRIED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long something is carried for others, in milliseconds (60 days).
pub const CARRIED_MS: i64 = 60 * 24 * 3_600 * 1_000;
/// Most bytes of one record that is read from a damaged database; the largest of ours is a parcel that is carried.
pub const RECORD_MAX_BYTES: usize = 8 * 1024 * 1024;
/// Most bytes of a database, or of its write-ahead log, that is read for a rescue.
pub const RESCUE_READ_MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// Most parcels that a rescue makes; what is more goes with the next one, or with a sync.
pub const RESCUE_PARCELS_MAX: usize = yenban_protocol::limits::MAX_FILE_PARCELS;
/// Most sealed files in the parcels of a rescue.
pub const RESCUE_FILES_MAX: usize = 1_024;
/// Longest file that says a second time who this phone is, in bytes: code, answer with its key history, a wrapped key.
pub const JOINED_MAX_BYTES: u64 = 160 * 1024;
/// Most entries of one stretch that a rescue sets aside one by one as lost; the stretch itself is told whole.
pub const LOST_TOLD_MAX: u64 = 10_000;
/// Most damaged spools that are kept under the time of one second.
pub const KEPT_DAMAGED_MAX: u32 = 100;
