//! Alerts: what was sent to whom, until when it holds, and how members answered. A drill is unmistakable: hollow,
//! striped, with its word above and below.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use yenban_locales::Words;
use yenban_protocol::text::{display_safe, display_safe_lines};

use super::Hub;
use super::chrome::{Chrome, Section, failed, rendered};
use super::guard::{Asked, May, Read};
use super::{facts, second};
use crate::exchange::track::millis;
use crate::limits::CONSOLE_PAGE;
use crate::store::{AlertListing, ListQuery, People};

/// A figure under an alert.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub word: String,
    pub number: String,
}

/// One alert.
#[derive(Debug, Clone)]
pub(super) struct Card {
    /// Its page; empty where it has none yet.
    pub path: String,
    pub shape: &'static str,
    pub severity: String,
    pub severity_class: &'static str,
    pub headline: String,
    pub description: String,
    pub instruction: String,
    pub places: String,
    pub times: String,
    pub sender: String,
    pub drill: bool,
    pub live: bool,
    pub state: String,
    pub figures: Vec<Figure>,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct Alerts {
    c: Chrome,
    waiting: Vec<second::Waiting>,
    live: Vec<Card>,
    over: Vec<Card>,
}

/// The list.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Read>) -> Response {
    let read = async {
        let people = hub.store.people().await?;
        let rows = hub.store.alerts(ListQuery { limit: CONSOLE_PAGE, ..session.query() }).await?;
        let waiting = second::all(&hub, &asked, &session).await?;
        Ok((people, rows, waiting))
    };
    match read.await {
        Ok((people, rows, waiting)) => {
            let cards = rows.iter().map(|row| card(asked.words, row, asked.now_ms, Some(&people)));
            let (live, over) = cards.partition(|card| card.live);
            let c = Chrome::new(&asked, &session, Section::Alerts, asked.words.word("console-alerts"));
            rendered(StatusCode::OK, &Alerts { c, waiting, live, over })
        }
        Err(error) => failed(&asked, &error),
    }
}

/// The class that colours a severity; the shape and the word say it first.
pub(super) fn severity_class(code: &str) -> &'static str {
    match code {
        "Extreme" => "urgent",
        "Severe" => "caution",
        _ => "info",
    }
}

/// The page of an alert.
pub(super) fn path(id: &str) -> String {
    format!("/console/alerts/one/{}", super::query_value(id))
}

/// An alert as a card; figures only with `people` to count.
pub(super) fn card(words: Words, row: &AlertListing, now_ms: i64, people: Option<&People>) -> Card {
    let (shape, severity) = facts::severity(words, &row.severity);
    let cancelled = row.message_type == "Cancel";
    let live = !cancelled && millis(&row.expires).is_some_and(|until| until > now_ms);
    let live = live && row.replaced_by.is_empty();
    let state = match (cancelled, live, row.replaced_by.is_empty()) {
        (true, ..) => "console-alert-cancelled",
        (false, true, _) => "console-alert-live",
        (false, false, false) => "warn-replaced",
        (false, false, true) => "console-alert-over",
    };
    let mut places: Vec<String> = row.hamlets.iter().map(|name| facts::hamlet(words, name)).collect();
    if places.is_empty() {
        places.push(words.word("console-whole-commune"));
    }
    let mut sender = display_safe(&row.officer);
    if let Some(second) = &row.second {
        sender = words.say("console-alert-two", &[("first", sender.into()), ("second", display_safe(second).into())]);
    }
    Card {
        path: people.map_or_else(String::new, |_| path(&row.id)),
        shape,
        severity,
        severity_class: severity_class(&row.severity),
        headline: display_safe(&row.headline),
        description: display_safe_lines(&row.description),
        instruction: display_safe_lines(&row.instruction),
        places: places.join(", "),
        times: words.say(
            "console-alert-times",
            &[("sent", facts::moment(words, &row.sent).into()), ("until", facts::moment(words, &row.expires).into())],
        ),
        sender,
        drill: row.drill,
        live,
        state: words.word(state),
        figures: people.map_or_else(Vec::new, |_| figures(words, row)),
    }
}

/// Members by the rung they stand on.
pub(super) fn figures(words: Words, row: &AlertListing) -> Vec<Figure> {
    let rungs = row.rungs;
    [
        (words.word("console-alert-for"), rungs.addressed),
        (words.word("warn-rung-none"), rungs.none),
        (words.word("warn-rung-delivered"), rungs.delivered),
        (words.word("word-answer-seen"), rungs.seen),
        (words.word("word-answer-going"), rungs.going),
        (words.word("word-answer-cannot"), rungs.cannot),
        (words.word("word-answer-done"), rungs.done),
    ]
    .into_iter()
    .map(|(word, number)| Figure { word, number: words.number(number as i64) })
    .collect()
}
