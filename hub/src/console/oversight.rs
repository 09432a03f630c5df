//! For who reviews the work and not its content: counts, and the record of who read and did what, and why.
//!
//! The record names subjects by number. What they are about opens for nobody from here.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use yenban_locales::Words;
use yenban_protocol::text::{Limit, display_safe};

use super::chrome::{Chrome, Section, failed, query_value, rendered};
use super::guard::{Asked, Figures, May, ReadLog};
use crate::app::Hub;
use crate::error::Result;
use crate::limits::CONSOLE_PAGE;
use crate::store::{AUDIT_DONE, AuditRow, ListQuery};

/// Lines of one person's doings shown beside the account.
const LINES_BESIDE: u32 = 20;

/// A count.
#[derive(Debug, Clone)]
struct Count {
    word: String,
    number: String,
}

#[derive(Template)]
#[template(path = "figures.html")]
struct FiguresPage {
    c: Chrome,
    groups: Vec<(String, Vec<Count>)>,
}

/// Counts of what is held; no place, no person.
pub(super) async fn figures(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Figures>) -> Response {
    let totals = match hub.store.totals().await {
        Ok(totals) => totals,
        Err(error) => return failed(&asked, &error),
    };
    let words = asked.words;
    let count = |id: &str, number: u64| Count { word: words.word(id), number: words.number(i64::try_from(number).unwrap_or(i64::MAX)) };
    let groups = vec![
        (
            words.word("console-figures-field"),
            vec![
                count("console-figure-incidents", totals.incidents),
                count("console-figure-patrols", totals.patrols),
                count("console-figure-check-ins", totals.check_ins),
                count("console-figure-devices", totals.devices),
                count("console-figure-revoked", totals.revoked),
            ],
        ),
        (
            words.word("console-figures-evidence"),
            vec![
                count("console-figure-verified", totals.evidence.verified),
                count("console-figure-expected", totals.evidence.expected),
                count("console-figure-missing", totals.evidence.missing),
                count("console-figure-erased", totals.evidence.erased),
                count("console-figure-quarantine", totals.quarantine),
                count("console-figure-forked", totals.forked),
            ],
        ),
        (
            words.word("console-alerts"),
            vec![count("console-figure-alerts", totals.alerts), count("console-figure-answers", totals.answers)],
        ),
    ];
    rendered(StatusCode::OK, &FiguresPage { c: Chrome::new(&asked, &session, Section::Figures, words.word("console-figures")), groups })
}

/// What may stand in the address of the record.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    who: String,
    #[serde(default)]
    page: u32,
}

/// A line of the record.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// When.
    pub at: String,
    /// Who.
    pub who: String,
    /// What was done.
    pub what: String,
    /// How it ended, when it was not simply done.
    pub ended: String,
    /// On what.
    pub subject: String,
    /// What for.
    pub purpose: String,
}

fn line(words: Words, row: &AuditRow) -> Line {
    Line {
        at: words.date_time(row.at_ms),
        who: if row.actor == "operator" { words.word("console-operator") } else { display_safe(&row.actor) },
        what: action(words, &row.action),
        ended: match row.outcome.as_deref() {
            Some(AUDIT_DONE) => String::new(),
            Some(code) => {
                let id = format!("why-{code}");
                let why = if words.has(&id) { words.word(&id) } else { display_safe(code) };
                words.say("cli-audit-not-done", &[("why", why.into())])
            }
            None => words.word("cli-audit-open"),
        },
        subject: display_safe(&row.subject),
        purpose: display_safe(&row.purpose),
    }
}

fn id_of(action: &str) -> String {
    format!("audit-{}", action.replace([' ', ':'], "-"))
}

/// An action of the record in words; one of a newer or older program as its code.
fn action(words: Words, code: &str) -> String {
    let id = id_of(code);
    if words.has(&id) { words.word(&id) } else { display_safe(code) }
}

/// The newest doings of one person.
pub(super) async fn lines_of(hub: &Hub, asked: &Asked, actor: &str) -> Result<Vec<Line>> {
    let query = ListQuery { name: Some(actor.to_owned()), limit: LINES_BESIDE, ..ListQuery::default() };
    Ok(hub.store.audit(query).await?.iter().map(|row| line(asked.words, row)).collect())
}

#[derive(Template)]
#[template(path = "reads.html")]
struct Reads {
    c: Chrome,
    who: String,
    lines: Vec<Line>,
    next: Option<String>,
}

/// The record, newest first. Looking at it is noted in it.
pub(super) async fn reads(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<ReadLog>,
    wanted: std::result::Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Query(wanted) = wanted.unwrap_or_default();
    let read = async {
        let who = Limit::QUERY.cut(wanted.who.trim()).to_owned();
        hub.note(&session.officer, "list audit", &who, "").await?;
        let query = ListQuery {
            limit: CONSOLE_PAGE + 1,
            offset: wanted.page.saturating_mul(CONSOLE_PAGE),
            name: (!who.is_empty()).then(|| who.clone()),
            ..ListQuery::default()
        };
        let mut rows = hub.store.audit(query).await?;
        let more = rows.len() > CONSOLE_PAGE as usize;
        rows.truncate(CONSOLE_PAGE as usize);
        let next = more.then(|| format!("/console/reads?who={}&page={}", query_value(&who), wanted.page.saturating_add(1)));
        let lines = rows.iter().map(|row| line(asked.words, row)).collect();
        let c = Chrome::new(&asked, &session, Section::Reads, asked.words.word("console-reads"));
        Result::Ok(Reads { c, who: display_safe(&who), lines, next })
    };
    match read.await {
        Ok(page) => rendered(StatusCode::OK, &page),
        Err(error) => failed(&asked, &error),
    }
}

/// Where somebody lands who may not see the inbox.
pub(super) const INSTEAD_OF_INBOX: &str = "/console/figures";

#[cfg(test)]
mod tests {
    use super::*;
    use yenban_locales::Lang;

    /// Every action that this crate notes, as it stands in the sources.
    fn noted() -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let source = std::fs::read_to_string(path).unwrap();
                for call in source.split(".note(").skip(1) {
                    // The second argument, when it is a literal.
                    let second = call.split_once(',').map(|(_, rest)| rest.trim_start());
                    if let Some(literal) = second.and_then(|rest| rest.strip_prefix('"')) {
                        found.extend(literal.split_once('"').map(|(text, _)| text.to_owned()));
                    }
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn every_action_of_the_record_has_words() {
        let mut noted = noted();
        assert!(noted.len() > 20, "{noted:?}");
        // Those that are put together.
        noted.extend(["revoke", "revoke lost", "alert", "drill", "alert agreed", "alert not agreed"].map(str::to_owned));
        noted.extend(crate::admin::ListKind::ALL.map(|kind| format!("list {}", kind.code())));
        noted.extend(["received", "in_hand", "needs_more", "resolved", "not_for_us"].map(|state| format!("fate {state}")));
        for code in noted {
            for lang in [Lang::Vi, Lang::En] {
                let id = id_of(&code);
                assert!(Words::new(lang).has(&id), "no {id} in {}", lang.tag());
            }
        }
    }
}
