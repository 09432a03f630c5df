//! Figures for an operator's monitoring: counts and times, never content or names.

use std::fmt::Write as _;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Which answers are counted together.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Answered {
    /// The route's name (never the path that was asked for).
    pub route: &'static str,
    /// HTTP status.
    pub status: u16,
}

/// All figures.
pub struct Metrics {
    registry: Registry,
    /// Answers by route and status.
    pub answers: Family<Answered, Counter>,
    /// Time from headers to answer, by route.
    seconds: Histogram,
    /// Entries kept for the first time.
    entries_new: Counter,
    /// Entries that were held already.
    entries_again: Counter,
    /// Deliveries that contradicted what was held.
    forks: Counter,
    /// Deliveries of revoked devices.
    pub quarantined: Counter,
    /// Uploads that were begun.
    pub uploads_begun: Counter,
    /// Uploads that became evidence.
    pub uploads_verified: Counter,
    /// Uploads that were not what their entry names.
    pub uploads_wrong: Counter,
    /// Uploads that were swept because nothing came for too long.
    pub uploads_expired: Counter,
    /// Bytes of chunks that were taken.
    pub upload_bytes: Counter,
    /// Files that a check found missing or altered.
    pub objects_lost: Counter,
    /// Open connections.
    pub connections: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("yenban_hub");
        let answers = Family::<Answered, Counter>::default();
        let seconds = Histogram::new(exponential_buckets(0.000_5, 2.0, 14));
        let (entries_new, entries_again, forks, quarantined) =
            (Counter::default(), Counter::default(), Counter::default(), Counter::default());
        let connections = Gauge::default();
        registry.register("answers", "Answers by route and status", answers.clone());
        registry.register_with_unit("segment", "Time from headers to receipt", Unit::Seconds, seconds.clone());
        registry.register("entries_new", "Entries kept for the first time", entries_new.clone());
        registry.register("entries_again", "Entries that were held already", entries_again.clone());
        registry.register("forks", "Deliveries that contradicted what was held", forks.clone());
        registry.register("quarantined", "Deliveries of revoked devices", quarantined.clone());
        let (uploads_begun, uploads_verified, uploads_wrong) = (Counter::default(), Counter::default(), Counter::default());
        let (uploads_expired, upload_bytes, objects_lost) = (Counter::default(), Counter::default(), Counter::default());
        registry.register("uploads_begun", "Uploads that were begun", uploads_begun.clone());
        registry.register("uploads_verified", "Uploads that became evidence", uploads_verified.clone());
        registry.register("uploads_wrong", "Uploads that were not what their entry names", uploads_wrong.clone());
        registry.register("uploads_expired", "Uploads that were swept unfinished", uploads_expired.clone());
        registry.register_with_unit("upload", "Bytes of chunks that were taken", Unit::Bytes, upload_bytes.clone());
        registry.register("objects_lost", "Files that a check found missing or altered", objects_lost.clone());
        registry.register("connections", "Open connections", connections.clone());
        Self {
            registry,
            answers,
            seconds,
            entries_new,
            entries_again,
            forks,
            quarantined,
            uploads_begun,
            uploads_verified,
            uploads_wrong,
            uploads_expired,
            upload_bytes,
            objects_lost,
            connections,
        }
    }
}

impl Metrics {
    /// Notes a delivery that was kept.
    pub fn kept(&self, new: u64, again: u64, forked: bool) {
        self.entries_new.inc_by(new);
        self.entries_again.inc_by(again);
        self.forks.inc_by(u64::from(forked));
    }

    /// Notes an answer.
    pub fn answered(&self, route: &'static str, status: u16, took: Duration) {
        self.answers.get_or_create(&Answered { route, status }).inc();
        if route == "segments" {
            self.seconds.observe(took.as_secs_f64());
        }
    }

    /// All figures as OpenMetrics text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if text::encode(&mut out, &self.registry).is_err() {
            // Writing to a string cannot fail; should it ever, monitoring sees an incomplete answer and no end mark.
            let _ = writeln!(out);
        }
        out
    }
}
