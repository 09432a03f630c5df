//! Every bound of the hub in one place, so that an operator can see what a stranger can make it do.
//!
//! Limits of the wire format (entries, segments, cursors) stand in `yenban_protocol::limits`;
//! here stand those of the machine that serves them.

use std::time::Duration;

/// Where a hub listens when nothing else is said.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8443";

/// Longest request body accepted, in bytes. A sealed segment of the largest size fits with room for
/// its envelope; nothing else a phone sends is larger.
pub const BODY_MAX_BYTES: usize = 320 * 1024;

/// Longest request line plus headers, in bytes.
pub const HEADERS_MAX_BYTES: usize = 16 * 1024;

/// Most header fields in one request.
pub const HEADERS_MAX: usize = 64;

/// Time a client has to send its headers after the connection (or the last answer).
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(20);

/// Time for the TLS handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Time one request may take from its headers to the end of its answer.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Connections open at once; further ones wait in the listener's backlog. Above [`WAITERS_MAX`], so that phones which wait
/// never keep reports and the console out. Each takes a file handle: docs/OPERATIONS.md says how many to allow.
pub const CONNECTIONS_MAX: usize = WAITERS_MAX + 1024;

/// Phones that wait for news at once: every member of a province (4,459) with some to spare.
pub const WAITERS_MAX: usize = 5_000;

/// Phones that were woken and are answered at once; the others come after them.
pub const WOKEN_AT_ONCE_MAX: usize = 32;

/// Longest wait of one request for news. Below [`REQUEST_TIMEOUT`], and below the half minute after which address
/// translators of mobile networks may forget a silent connection.
pub const FEED_WAIT_MAX: Duration = Duration::from_secs(25);

/// When a phone that found no room to wait is told to come again, seconds.
pub const NO_ROOM_TO_WAIT_S: u64 = 60;

/// Requests being worked on at once over all connections.
pub const REQUESTS_MAX: usize = 512;

/// Streams open at once in one HTTP/2 connection.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 64;

/// Commands waiting for the writer thread. A full queue makes senders wait, never drop.
pub const WRITER_QUEUE_MAX: usize = 1024;

/// Commands taken into one transaction, so that one answer never waits for an endless commit.
pub const COMMIT_GROUP_MAX: usize = 128;

/// Reader connections kept open for lists and feeds.
pub const READERS_MAX: usize = 4;

/// Time a stop waits for requests that are being answered.
pub const STOP_GRACE: Duration = Duration::from_secs(10);

/// Validity of an enrolment code by the hub's clock, in milliseconds (10 minutes).
pub const CODE_TTL_MS: i64 = 10 * 60 * 1000;

/// Enrolment codes open at once; older expired ones are removed when a new one is made.
pub const OPEN_CODES_MAX: u32 = 10_000;

/// Validity of a device certificate, in milliseconds (180 days).
pub const CERTIFICATE_TTL_MS: i64 = 180 * 24 * 3600 * 1000;

/// Time a phone keeps what was received, in seconds (14 days): a receipt permits deletion only after.
pub const HOLD_S: u32 = 14 * 24 * 3600;

/// How long after its day a request key is still taken, in milliseconds.
pub const REQUEST_KEY_SKEW_MS: i64 = 10 * 60 * 1000;

/// Items in one feed answer.
pub const FEED_PAGE_MAX: u32 = 256;

/// Bytes of item bodies in one feed answer.
pub const FEED_PAGE_BYTES: usize = 512 * 1024;

/// Commits that whoever waits for news may be behind before it is told only that something was missed.
pub const NEWS_MAX: usize = 1024;

/// Names offered when a hamlet is unknown.
pub const NEAREST_NAMES: usize = 5;

/// Longest name of a hamlet, group or member, in characters.
pub const NAME_MAX_CHARS: usize = 120;

/// Longest headline of an alert, in characters.
pub const HEADLINE_MAX_CHARS: usize = 200;

/// Longest description or instruction of an alert, in characters.
pub const DESCRIPTION_MAX_CHARS: usize = 4000;

/// Longest life of an alert, in milliseconds (30 days).
pub const ALERT_TTL_MAX_MS: i64 = 30 * 24 * 3600 * 1000;

/// Life of an alert when none is given, in milliseconds (6 hours).
pub const ALERT_TTL_MS: i64 = 6 * 3600 * 1000;

/// How long nobody's answer is waited for after an alert of level Extreme, in milliseconds (5 minutes): a phone has sounded
/// two of its five rounds by then, and whoever can hear it has heard it.
pub const SILENCE_EXTREME_MS: i64 = 5 * 60 * 1000;
/// The same for Severe (15 minutes): the way home from the field.
pub const SILENCE_SEVERE_MS: i64 = 15 * 60 * 1000;
/// The same for Moderate (an hour: its one tone is easily missed). Minor is for information and asks for no answer.
pub const SILENCE_MODERATE_MS: i64 = 3600 * 1000;
/// Newest alerts that are looked at for silent members at once.
pub const REMINDED_ALERTS_MAX: u32 = 200;
/// Longest file of messages that nobody fetched, in bytes (4 MiB: some ten thousand).
pub const MESSAGES_FILE_MAX_BYTES: u64 = 4 << 20;
/// Alerts that one alert may update or take back.
pub const ALERT_REFERENCES_MAX: usize = 16;
/// Elements of a CAP document.
pub const CAP_ELEMENTS_MAX: usize = 10_000;
/// CAP documents kept beside the alerts.
pub const CAPS_KEPT_MAX: u32 = 2_000;
/// How far ahead of the hub's clock a document may say it was sent, in milliseconds (10 minutes).
pub const CAP_SENT_AHEAD_MS: i64 = 10 * 60 * 1000;

/// Longest CAP document, in bytes.
pub const CAP_MAX_BYTES: usize = 256 * 1024;

/// Rows in one page of a list.
pub const LIST_PAGE_MAX: u32 = 100_000;

/// Longest line on the control socket, in bytes (an imported file travels in one).
pub const CONTROL_LINE_MAX: usize = 64 * 1024 * 1024;

/// Connections on the control socket at once.
pub const CONTROL_CONNECTIONS_MAX: usize = 8;

/// Rows in one imported file.
pub const IMPORT_ROWS_MAX: usize = 100_000;

/// Sealed segments kept in quarantine for one device, so that a stolen phone cannot fill the disk.
pub const QUARANTINE_PER_DEVICE_MAX: u32 = 10_000;
/// Bytes kept apart of one revoked device.
pub const QUARANTINE_PER_DEVICE_BYTES_MAX: u64 = 256 << 20;

/// Sealed segments kept for devices this hub never certified, all together.
pub const QUARANTINE_UNKNOWN_MAX: u32 = 1_000;
/// Bytes kept apart of all unknown devices together.
pub const QUARANTINE_UNKNOWN_BYTES_MAX: u64 = 64 << 20;
/// Tries of a used code that stand in the record, for each code and start of the hub: more of them say the same.
pub const TRIES_NOTED_MAX: u32 = 3;
/// Used codes whose tries are counted at once.
pub const TRIED_CODES_MAX: usize = 4_096;
/// Items of one request that may be signed by nobody here before the rest is left.
pub const FORGED_ITEMS_MAX: usize = 16;

/// Time the lock of the folder is waited for.
pub const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Page cache of the writer's connection, in KiB.
pub const WRITER_CACHE_KIB: i64 = 64 * 1024;

/// Longest body of items that are given back after a restore, bytes: a batch of a phone, or one item that is longer.
pub const RETURNED_BODY_MAX_BYTES: usize = 512 * 1024;

/// Bytes of the write-ahead log that are written again at a time when the database is opened.
pub const RENEW_PART_BYTES: usize = 64 * 1024;

/// Page cache of each reader connection, in KiB (smaller ones make box and text search miss).
pub const READER_CACHE_KIB: i64 = 16 * 1024;

/// Branches kept of one log that forked.
pub const FORKS_PER_LOG_MAX: u32 = 64;

/// Of an address that somebody inside asked for and that is not there, so much stands in the record, in characters.
pub const AUDIT_PATH_MAX_CHARS: usize = 200;

/// Purpose of a read of personal data, in characters.
pub const PURPOSE_MAX_CHARS: usize = 200;

/// Longest imported file, in bytes (a hundred thousand rows of ordinary length).
pub const IMPORT_FILE_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Bad rows of an imported file that are named one by one; the rest is counted.
pub const IMPORT_BAD_ROWS_MAX: usize = 500;

/// Check-ins read at once while exporting.
pub const EXPORT_PAGE: u32 = 5_000;

/// Longest pause between two check-ins that a drawn line still joins, in milliseconds (15 minutes): a line over
/// a longer one would claim a way that nobody saw.
pub const TRACK_GAP_MS: i64 = 15 * 60 * 1000;

/// Longest distance between two check-ins that a drawn line still joins, in metres.
pub const TRACK_GAP_M: f64 = 2_000.0;

/// Runs kept of one log, branches and floating ones together: what one receipt can name.
pub const RUNS_PER_LOG_MAX: usize = 1024;

/// Life of a link into the console, in milliseconds (30 minutes).
pub const CONSOLE_ENTRY_TTL_MS: i64 = 30 * 60 * 1000;

/// Life of a link that opens an account, in milliseconds (24 hours).
pub const JOIN_TTL_MS: i64 = 24 * 3600 * 1000;

/// Life of a console session, in milliseconds (12 hours: one duty).
pub const CONSOLE_SESSION_TTL_MS: i64 = 12 * 3600 * 1000;

/// How long a session lasts with nobody at it, in milliseconds (1 hour: NIST SP 800-63B-4, 2.2.3).
pub const CONSOLE_IDLE_MS: i64 = 3600 * 1000;

/// Sessions of one officer at once; the one unused for longest ends for a new one.
pub const SESSIONS_PER_MEMBER_MAX: u32 = 8;

/// Tries at the doors that fail in one minute, over everybody, before the doors stay shut for the rest of it.
pub const CONSOLE_TRIES_PER_MINUTE: u32 = 60;

/// Wrong tries for one account that cost no waiting.
pub const FREE_TRIES: u32 = 5;

/// Wait after the next wrong try, in milliseconds; doubled by each further one, up to [`TRY_WAIT_MAX_MS`].
pub const TRY_WAIT_MS: i64 = 15 * 1000;

/// Longest wait after a wrong try, in milliseconds (15 minutes): nobody is kept out for good by a stranger's tries.
pub const TRY_WAIT_MAX_MS: i64 = 15 * 60 * 1000;

/// Passwords looked at side by side: each takes 19 MiB and tens of milliseconds.
pub const PASSWORDS_AT_ONCE: usize = 2;

/// Memory of one password hash, KiB (OWASP Password Storage: Argon2id, 19 MiB, 2 passes).
pub const ARGON2_KIB: u32 = 19_456;

/// Passes of one password hash.
pub const ARGON2_PASSES: u32 = 2;

/// Shortest password, characters: 8 is asked beside a second proof (NIST SP 800-63B-4, 3.1.1.2); two more are cheap.
pub const PASSWORD_MIN_CHARS: usize = 10;

/// Longest password, characters.
pub const PASSWORD_MAX_CHARS: usize = 128;

/// Longest name typed at the door, characters.
pub const LOGIN_MAX_CHARS: usize = 60;

/// Recovery codes of an account.
pub const RECOVERY_CODES: usize = 10;

/// Passkeys of an account.
pub const PASSKEYS_MAX: u32 = 10;

/// Acts that wait for a second person at once.
pub const PROPOSALS_MAX: usize = 20;

/// How long an act waits for a second person, in milliseconds (30 minutes): an alarm agreed to later would tell of another
/// moment.
pub const PROPOSAL_TTL_MS: i64 = 30 * 60 * 1000;

/// Passkey ceremonies under way at once.
pub const CEREMONIES_MAX: usize = 256;

/// Time for one passkey ceremony, in milliseconds (5 minutes).
pub const CEREMONY_TTL_MS: i64 = 5 * 60 * 1000;

/// Time for which a stated purpose opens one report, in milliseconds (10 minutes).
pub const CONSOLE_VIEW_TTL_MS: i64 = 10 * 60 * 1000;

/// Reports one session has open at once.
pub const VIEWS_PER_SESSION_MAX: u32 = 64;

/// Rows on one page of the console.
pub const CONSOLE_PAGE: u32 = 50;

/// Longest form sent to the console, in bytes (an alert for every hamlet of a large commune).
pub const CONSOLE_FORM_MAX_BYTES: usize = 64 * 1024;

/// Check-ins shown of one patrol; later ones are in the export.
pub const CONSOLE_CHECK_INS_MAX: u32 = 2_000;

/// Dots drawn on a map sketch; beyond, every n-th check-in has one (the line and the table keep all).
pub const SKETCH_DOTS_MAX: usize = 400;

/// Gaps that carry their words on a map sketch; further ones stand in the list under it.
pub const SKETCH_GAP_WORDS_MAX: usize = 3;

/// How long evidence is kept after its last file came, in milliseconds: twelve months (RIGHTS.md R-21), counted as 366
/// days so that no twelve months are longer. A hold stops the end.
pub const EVIDENCE_RETENTION_MS: i64 = 366 * 24 * 3600 * 1000;

/// Bytes of a file given to storage at once. Five MiB is what S3 asks of every part but the last; all are equal because
/// some of its kin ask that too.
pub const STORAGE_PART_BYTES: usize = 5 * 1024 * 1024;

/// Bytes read from storage at once: sixteen sealed chunks.
pub const STORAGE_READ_MAX_BYTES: u64 = 16 * (64 * 1024 + 16);

/// Names in storage of which the database is asked at once whether a row names them.
pub const ORPHANS_AT_ONCE: usize = 10_000;

/// Unfinished uploads of one device.
pub const UPLOADS_PER_DEVICE_MAX: usize = 256;

/// Bytes that unfinished uploads of one device may come to, by their announced lengths (4 GiB).
pub const UPLOAD_BYTES_PER_DEVICE_MAX: u64 = 4 << 30;

/// Unfinished uploads in all.
pub const UPLOADS_MAX: usize = 8_192;

/// Bytes that unfinished uploads may come to in all, by their announced lengths (64 GiB).
pub const UPLOAD_BYTES_MAX: u64 = 64 << 30;

/// What stays free on the disk whatever is uploaded, in bytes (512 MiB): reports, alerts and receipts need it more.
pub const DISK_RESERVE_BYTES: u64 = 512 << 20;

/// How long an unfinished upload is kept after the last byte came, in milliseconds (7 days).
pub const UPLOAD_TTL_MS: i64 = 7 * 24 * 3600 * 1000;

/// How long an upload is kept whose bytes are not what its entry names, in milliseconds (24 hours).
pub const WRONG_UPLOAD_TTL_MS: i64 = 24 * 3600 * 1000;

/// Chunks being received at once; further ones are told to come again.
pub const CHUNKS_AT_ONCE_MAX: usize = 256;

/// Uploads being opened, stored and read again at once: each takes a core and up to three parts of memory.
pub const FINISHING_AT_ONCE_MAX: usize = 2;

/// Over how long the speed of a chunk is measured.
pub const CHUNK_WINDOW: Duration = Duration::from_secs(60);

/// Bytes that come in one [`CHUNK_WINDOW`] on a line that is not thin (512 a second).
pub const CHUNK_WINDOW_BYTES_MIN: u64 = 512 * 60;

/// Chunks at once that may be slower than that: thin lines are what uploads are made for, but not all at once. A chunk of
/// which nothing comes for a whole window is let go in any case.
pub const THIN_CHUNKS_MAX: usize = 64;

/// Bytes read of a body whose request was answered before it was read (one chunk of the largest size a phone sends).
pub const LEFTOVER_BYTES_MAX: usize = 1 << 20;

/// How long the rest of such a body is kept, so that the answer arrives before the stream ends.
pub const LEFTOVER_TIME: Duration = Duration::from_secs(5);

/// Bytes of a chunk gathered before they are written and hashed.
pub const CHUNK_WRITE_BYTES: usize = 64 * 1024;

/// Longest time a question about an upload waits for one that is being finished.
pub const FINISH_WAIT: Duration = Duration::from_secs(25);

/// Bytes of one HTTP/2 stream that may be on their way without the hub having taken them (64 KiB): what is sent in vain
/// when a road breaks. See docs/adr/0013.
pub const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// The same for a whole connection (1 MiB): several streams go at once.
pub const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// Longest `Upload-Metadata`, in bytes.
pub const UPLOAD_METADATA_MAX_BYTES: usize = 4 * 1024;

/// Rows of files read at once while checking.
pub const CHECK_PAGE: u32 = 256;

/// How long phones are given before they are asked again for a file, in milliseconds (a day).
pub const ASK_AGAIN_MS: i64 = 24 * 3600 * 1000;

/// Copies of one photograph that are taken, all kinds together; a phone makes two. Each has its own places in the custody
/// record, which must not be filled by one phone that names thousands.
pub const COPIES_PER_ITEM_MAX: u32 = 16;

/// How long bytes that no row names are left alone after they were first seen, in milliseconds (7 days): long enough to
/// notice that a wrong database was put in place.
pub const ORPHAN_GRACE_MS: i64 = 7 * 24 * 3600 * 1000;

/// Longest hold on an item, in milliseconds (six months, RIGHTS.md R-22); it can be renewed.
pub const HOLD_MAX_MS: i64 = 184 * 24 * 3600 * 1000;

/// Longest case number or reason, in characters.
pub const REASON_MAX_CHARS: usize = 400;

/// Items destroyed in one step of the expiry job.
pub const EXPIRY_PAGE: u32 = 64;

/// How long the custody record says who did what, in milliseconds: 24 months (RIGHTS.md R-21), counted as 731 days so
/// that no 24 months are longer.
pub const CUSTODY_NAMES_MS: i64 = 731 * 24 * 3600 * 1000;

/// Custody records from which names are erased in one step.
pub const NAMES_PAGE: u32 = 512;

/// Pause between two looks of the jobs at the clock.
pub const JOB_TICK: Duration = Duration::from_secs(30);

/// Hour of the night, Viet Nam time, at which everything is read again (03:00: the quietest).
pub const NIGHTLY_HOUR: i64 = 3;

/// Photographs of one report whose entries have not come, listed one by one.
pub const UNNAMED_LISTED_MAX: u64 = 100;

/// Entries read at once while a log is disclosed in an evidence bundle.
pub const BUNDLE_PAGE: u32 = 1_000;
/// Bytes of one smaller copy that is shown in the minute of an evidence bundle.
pub const MINUTE_COPY_MAX_BYTES: u64 = 96 * 1024;
/// Bytes of all copies that are shown in one minute.
pub const MINUTE_COPIES_MAX_BYTES: u64 = 24 * 1024 * 1024;

/// Parcels of couriers being opened at once over the network: each takes up to three times its length of memory.
pub const PARCELS_AT_ONCE_MAX: usize = 4;
/// Files of one device, from its last parcels, about which the next answer to it still tells.
pub const COURIER_OBJECTS_MAX: usize = 256;
/// How long a device that asked through a courier is given answers, in milliseconds (60 days).
pub const COURIER_ASKED_MS: i64 = 60 * 24 * 3600 * 1000;
/// How far above every known number the members and hamlets go on in a database that comes from a backup, at least: far
/// more than a commune gains between two backups.
pub const NUMBERS_SKIPPED: i64 = 1_000;

/// Steps taken on one report; more than anybody would read.
pub const STEPS_PER_INCIDENT_MAX: u32 = 500;
/// Other reports linked to one.
pub const TWINS_PER_INCIDENT_MAX: u32 = 32;
/// Longest line to a reporter, in characters: it is read on a phone, by lamp light.
pub const ANSWER_NOTE_MAX_CHARS: usize = 500;
/// Console pages that are told of new reports while they stay open.
pub const LIVE_STREAMS_MAX: usize = 64;
/// Pages of one session that stay open.
pub const LIVE_STREAMS_PER_SESSION_MAX: usize = 4;
/// What such a page may be behind before it only counts again.
pub const LIVE_NEWS_MAX: usize = 256;
/// Pause between two signs of life of such a stream. At each the session is looked at.
pub const LIVE_BEAT: Duration = Duration::from_secs(15);

/// Checkpoints of one hamlet that stand at once: all of them are in the directory that each of its phones reads.
pub const CHECKPOINTS_PER_HAMLET_MAX: usize = 100;
/// Patrol plans that hold at once.
pub const PLANS_MAX: usize = 2_000;
/// A week, in milliseconds.
pub const WEEK_MS: i64 = 7 * 24 * 3600 * 1000;
/// How long ago a code may have been made to be listed, in milliseconds (a day: used ones are kept as long).
pub const CODES_SHOWN_MS: i64 = 24 * 3600 * 1000;

/// Weeks shown in the table of what was walked.
pub const COVERAGE_WEEKS: u32 = 4;
/// How far ahead planned patrols are listed, in milliseconds (two days).
pub const SHIFTS_AHEAD_MS: i64 = 2 * 24 * 3600 * 1000;
/// How often the number of a new checkpoint is drawn when it is taken; of 33 million numbers few are.
pub const CHECKPOINT_DRAWS_MAX: usize = 8;

/// Features in one page when nothing is said, and at most.
pub const FEATURES_USUAL: u32 = 100;
/// See [`FEATURES_USUAL`]. A patrol among them is read with its check-ins.
pub const FEATURES_MAX: u32 = 1_000;

/// Incidents that a map shows by themselves in one answer; more are counted by squares.
pub const MAP_PINS_MAX: usize = 300;
/// Squares with fewer incidents are not counted (RIGHTS.md R-30): their incidents stand by themselves.
pub const MAP_CELL_MIN: u64 = 5;
/// Squares along the longer side of what a map shows, at most.
pub const MAP_CELLS_ACROSS_MAX: u32 = 64;
/// Closest that a map goes, as a zoom level (one pixel is some 15 cm).
pub const MAP_ZOOM_MAX: u32 = 20;
/// Patrols under way that a map shows.
pub const MAP_PATROLS_MAX: u32 = 50;
/// Newest check-ins of each of them that are read.
pub const MAP_CHECK_INS_MAX: u64 = 200;
/// A patrol of which nothing came for so long is not on the map any more, in milliseconds (a day).
pub const MAP_PATROL_SILENT_MS: i64 = 24 * 3600 * 1000;
/// Incidents in the list beside the map.
pub const MAP_LISTED: u32 = 20;
/// Bytes of the operator's base map in one answer (4 MiB): many times the largest tile.
pub const BASE_MAP_RANGE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// How long a webhook's receiver has for its answer.
pub const HOOK_TIME: Duration = Duration::from_secs(10);
/// Reports told of in one step of the jobs.
pub const HOOKS_AT_ONCE: u32 = 20;
/// Pauses before a receiver that failed is tried again, in milliseconds: a minute to a day, six days together. Then it is
/// given up, and noted.
pub const HOOK_WAITS_MS: [i64; 10] =
    [60_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 86_400_000, 86_400_000, 86_400_000, 86_400_000];

/// Reports with the words of a search that are looked up one by one; of more, the list is gone along instead.
pub const SEARCH_HITS_FEW: u32 = 2_000;
