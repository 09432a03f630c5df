//! Text as people type it, and what the product may do with it: compare, find, sort, show, limit.
//!
//! Text is **stored as typed**. Everything here derives something from it for one purpose, and no derived form
//! is ever written back in its place:
//!
//! | purpose | function | form |
//! |---|---|---|
//! | "are these two the same?" | [`compare_key`] | NFC |
//! | "find it without diacritics" | [`fold`] | bare lower-case letters |
//! | "which one was meant?" | [`nearest`] | edit distance on the folded form |
//! | "in which order?" | [`CollationKey`] | the Vietnamese alphabet |
//! | "draw it" | [`display_safe`] | nothing that can rearrange or hide its neighbours |
//! | "can this name be trusted at a glance?" | [`script_warning`] | a typed reason |
//! | "does it fit?" | [`Limit`] | bytes and characters |
//!
//! Numbers as text belong here for the same reason (phone, hub and console must read and write them alike):
//! [`degrees`] for coordinates and distances, [`code`] for the code of a checkpoint.

pub mod code;
mod collate;
pub mod degrees;
mod fold;
mod limit;
mod nearest;
mod safe;
mod script;

pub use collate::{CollationKey, vietnamese_order};
pub use fold::{compare_key, fold, folded_contains, same};
pub use limit::{Limit, TooLong};
pub use nearest::{Near, distance, nearest};
pub use safe::{display_safe, display_safe_lines, display_safe_utf16};
pub use script::{Script, ScriptWarning, script_warning};
