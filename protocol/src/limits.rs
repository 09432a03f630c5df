//! Every bound of the protocol in one place.
//!
//! A decoder refuses what is larger before it allocates for it, so whatever a sender claims, opening costs
//! at most what these numbers say. Raising one is compatible; lowering one needs an ADR, because old
//! phones may hold more.

/// Parts in one entry.
pub const MAX_PARTS: usize = 8;
/// Bytes of one part.
pub const MAX_PART_BYTES: usize = 64 * 1024;
/// Nesting depth of any CBOR item.
pub const MAX_DEPTH: usize = 16;
/// Entries in one segment.
pub const MAX_SEGMENT_ENTRIES: usize = 512;
/// Bytes of one sealed segment as it travels.
pub const MAX_SEGMENT_BYTES: usize = 640 * 1024;
/// Bytes of all parts of one segment once opened.
pub const MAX_OPENED_BYTES: usize = 1024 * 1024;
/// Distinct shapes the packing filter may use in one segment.
pub const MAX_SHAPES: usize = 512;
/// Signed heads in one segment.
pub const MAX_HEADS: usize = 64;
/// Session-key wraps in one segment of the as-stored mode.
pub const MAX_WRAPS: usize = 64;
/// Ranges (or floating runs) named in one receipt.
pub const MAX_RANGES: usize = 1024;
/// Objects named in one receipt.
pub const MAX_OBJECTS: usize = 1024;
/// Keys in a key history.
pub const MAX_KEYS: usize = 256;
/// Bytes of a key history.
pub const MAX_HISTORY_BYTES: usize = 64 * 1024;
/// Bytes of one feed item's body.
pub const MAX_ITEM_BYTES: usize = 256 * 1024;
/// Items in one feed answer.
pub const MAX_ITEMS: usize = 500;
/// Streams (scopes) in one feed request or answer.
pub const MAX_STREAMS: usize = 64;
/// Bytes of one request body other than a segment.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;
/// Bytes of one answer body.
pub const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of a name (hamlet, group, commune, member, checkpoint).
pub const MAX_NAME_BYTES: usize = 256;
/// Bytes of one free text (a statement, a note, an alert's description).
pub const MAX_TEXT_BYTES: usize = 16 * 1024;
/// Statements in one report.
pub const MAX_STATEMENTS: usize = 32;
/// Members in a crew.
pub const MAX_CREW: usize = 64;
/// Characters of an enrolment code.
pub const MAX_CODE_CHARS: usize = 1024;
/// Places of one kind in one directory item.
pub const MAX_PLACES: usize = 4096;
/// Flags on one photograph.
pub const MAX_FLAGS: usize = 16;
/// Smaller copies of one photograph.
pub const MAX_PREVIEWS: usize = 8;
/// Objects asked for, or asked about, at once.
pub const MAX_OBJECTS_ASKED: usize = 256;
/// Bytes of one sealed object.
pub const MAX_OBJECT_BYTES: u64 = 272 * 1024 * 1024;
/// Bytes of a purpose that somebody gives for reading or exporting.
pub const MAX_PURPOSE_BYTES: usize = 1024;
/// Bytes of the facts of one custody record, and of who it names.
pub const MAX_CUSTODY_BYTES: usize = 4 * 1024;
/// Hashes in one proof that a custody chain is under a head.
pub const MAX_PROOF_HASHES: usize = 64;
/// Records of one custody chain, its proofs, and heads in one bundle.
pub const MAX_CUSTODY_RECORDS: usize = 65_536;
/// Members of one evidence bundle, the manifest among them.
pub const MAX_BUNDLE_MEMBERS: usize = 10_000;
/// Bytes of one member of a bundle that is kept in memory while it is verified.
pub const MAX_KEPT_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of all such members of a bundle.
pub const MAX_KEPT_TOTAL_BYTES: u64 = 512 * 1024 * 1024;
/// Runs in one log of a bundle, and heads in one of its runs.
pub const MAX_BUNDLE_RUNS: usize = 1_048_576;
/// Entries in one run of a log in a bundle.
pub const MAX_BUNDLE_STEPS: usize = 4_194_304;
/// Certificates, or receipts, in one bundle.
pub const MAX_BUNDLE_STATEMENTS: usize = 65_536;
/// Segments in one parcel.
pub const MAX_PARCEL_SEGMENTS: usize = 64;
/// Sealed objects in one parcel.
pub const MAX_PARCEL_OBJECTS: usize = 64;
/// Bytes of one sealed object in a parcel: smaller copies travel so, originals do not.
pub const MAX_PARCEL_OBJECT_BYTES: usize = 1024 * 1024;
/// Bytes of one parcel's content before padding; an answer of the feed fits.
pub const MAX_PARCEL_CONTENT_BYTES: usize = MAX_ANSWER_BYTES;
/// Bytes of one parcel as it travels: content, padding, and what sealing adds.
pub const MAX_PARCEL_BYTES: usize = MAX_PARCEL_CONTENT_BYTES + 64 * 1024;
/// Parcels in one file.
pub const MAX_FILE_PARCELS: usize = 1024;
/// Bytes of a text in which a message is looked for.
pub const MAX_SMS_TEXT_BYTES: usize = 1024;
