//! The console in a real browser: Chromium, moved through its driver, at a hub of its own.
//!
//! What a person does is done as a person does it: by clicking what the page shows and typing into fields found by their
//! labels. Where browser or driver is missing each story says so and ends. Pictures of the pages are kept under
//! `target/screens`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod first_day;
mod live_report;
mod pages;
mod screen;
#[path = "../support/mod.rs"]
mod support;
