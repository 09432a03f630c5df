//! Sync against a hub in memory that is written from the protocol alone, over a road that loses, repeats and
//! reorders.

mod files;
mod files_refused;
mod forgeries;
mod hub;
mod phone;
mod road;
mod schedules;
mod stories;
mod stories_along;
mod stories_feed;
mod uploads;
