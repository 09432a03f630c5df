//! What was said and done about a report, as its page shows it: the talk between police and field, and the timeline from
//! the first moment on. What the field said keeps its basis, its author and its doubt about the time.

use yenban_locales::Words;
use yenban_protocol::text::{display_safe, display_safe_lines};

use super::facts;
use crate::exchange::track::millis;
use crate::store::triage::Act;
use crate::store::{EvidenceListing, IncidentListing, People, StepRow, Thread};

/// One word of the talk.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// From the police, not from the field.
    pub ours: bool,
    /// Who.
    pub who: String,
    /// When, with its doubt.
    pub when: String,
    /// The state that it set; empty for the field's.
    pub state: String,
    /// What was said, each with its basis (empty for the police's).
    pub said: Vec<(String, String)>,
    /// Why words about people stay in it.
    pub kept: Option<String>,
}

/// One moment of the timeline.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    /// When, with its doubt.
    pub when: String,
    /// What.
    pub what: String,
    /// Who, where that is known.
    pub who: Option<String>,
}

/// The word of a state, by its code.
pub(super) fn state(words: Words, code: &str) -> String {
    words.word(match code {
        "received" => "word-triage-seen",
        "in_hand" => "word-triage-in-hand",
        "needs_more" => "word-triage-needs-more",
        "resolved" => "word-triage-resolved",
        "not_for_us" => "word-triage-passed-on",
        _ => "incident-state-new",
    })
}

/// What one says of a basis.
pub(super) fn basis(words: Words, code: &str) -> String {
    words.word(match code {
        "seen" => "word-basis-seen",
        "heard" => "word-basis-heard",
        "think" => "word-basis-think",
        _ => "console-basis-unstated",
    })
}

/// Who did a step: an officer by name, or the operator of the hub.
pub(super) fn officer(words: Words, name: &str) -> String {
    if name == "operator" { words.word("console-operator") } else { display_safe(name) }
}

/// What a step did, in one line.
pub(super) fn done(words: Words, step: &StepRow, people: &People) -> String {
    match step.act {
        Act::Answered => state(words, step.state.code()),
        Act::Assigned(Some(to)) => words.say("incident-gave", &[("who", display_safe(&people.assigned_name(to)).into())]),
        Act::Assigned(None) => words.word("incident-gave-nobody"),
        Act::Linked(_) => words.word("incident-linked"),
        Act::Unlinked(_) => words.word("incident-unlinked"),
    }
}

/// The talk, in the order in which the hub had it: the report itself stands above it on the page.
pub(super) fn talk(words: Words, thread: &Thread) -> Vec<Word> {
    let field = thread.field.iter().filter(|word| !word.is_report).map(|word| {
        let said = word.statements.iter().map(|s| (basis(words, &s.basis), display_safe_lines(&s.text)));
        let told = Word {
            ours: false,
            who: facts::person(words, &word.author, word.author_no),
            when: facts::between(words, &word.time_earliest, &word.time_latest),
            state: String::new(),
            said: said.collect(),
            kept: None,
        };
        (word.received_ms, told)
    });
    let ours = thread.steps.iter().filter(|step| !step.note.is_empty()).map(|step| {
        let told = Word {
            ours: true,
            who: officer(words, &step.officer),
            when: words.date_time(step.at_ms),
            state: state(words, step.state.code()),
            said: vec![(String::new(), display_safe_lines(&step.note))],
            kept: (!step.kept.is_empty()).then(|| display_safe(&step.kept)),
        };
        (step.at_ms, told)
    });
    in_order(field.chain(ours).collect())
}

fn in_order<T>(mut all: Vec<(i64, T)>) -> Vec<T> {
    all.sort_by_key(|(at_ms, _)| *at_ms);
    all.into_iter().map(|(_, one)| one).collect()
}

/// From the first moment on: happened, came, seen and answered, what the field added, photographs as they came.
pub(super) fn timeline(words: Words, row: &IncidentListing, thread: &Thread, photos: &[EvidenceListing], people: &People) -> Vec<Moment> {
    let simple = |when: String, id: &str| Moment { when, what: words.word(id), who: None };
    let mut all = Vec::new();
    let happened = facts::between(words, &row.time_earliest, &row.time_latest);
    all.push((millis(&row.recorded_at).unwrap_or(i64::MIN), simple(happened, "incident-when-reported")));
    if let Some(sms) = row.sms_at.as_deref().and_then(millis) {
        all.push((sms, simple(words.date_time(sms), "incident-when-message")));
    }
    if let (Some(came), "here" | "contradicted") = (millis(&row.received_at), row.report.as_str()) {
        all.push((came, simple(words.date_time(came), "word-received")));
    }
    for word in thread.field.iter().filter(|word| !word.is_report) {
        let who = Some(facts::person(words, &word.author, word.author_no));
        let when = words.date_time(word.received_ms);
        all.push((word.received_ms, Moment { when, what: words.word("word-amend"), who }));
    }
    for step in &thread.steps {
        let who = Some(officer(words, &step.officer));
        all.push((step.at_ms, Moment { when: words.date_time(step.at_ms), what: done(words, step, people), who }));
    }
    for (index, photo) in photos.iter().enumerate() {
        let n = [("n", (index + 1).into())];
        if let Some(at) = photo.received_at.as_deref().and_then(millis) {
            all.push((at, Moment { when: words.date_time(at), what: words.say("incident-when-photo", &n), who: None }));
        }
        if let Some(at) = photo.erased_at.as_deref().and_then(millis) {
            all.push((at, Moment { when: words.date_time(at), what: words.say("incident-when-erased", &n), who: None }));
        }
    }
    in_order(all)
}
