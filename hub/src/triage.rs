//! Answering reports: what an officer decides becomes a step in the report's history and a signed word to its reporter,
//! both in one transaction. A second officer who decides on an older view is told what the first one did.

use serde::{Deserialize, Serialize};
use yenban_locales::{Lang, Words};
use yenban_protocol::feed::{Fate, Item, Scope};
use yenban_protocol::id::{DeviceId, EntryName, HamletNo, MemberNo};

use crate::app::Hub;
use crate::error::{HubError, Refusal, Result};
use crate::limits::{ANSWER_NOTE_MAX_CHARS, REASON_MAX_CHARS};
use crate::sensitive;
use crate::store::triage::Act;
use crate::store::{Assigned, IncidentListing, IncidentName, ItemDraft, ListQuery, NewStep, Stepped, Triage};

/// Who decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decider {
    /// The officer; nobody: the operator at the hub.
    pub member: MemberNo,
    /// The name, as records have it.
    pub name: String,
    /// How many steps that person has seen; `None`: decides without a look.
    pub seen: Option<u32>,
}

/// A line to the reporter, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The line; may be empty.
    pub note: String,
    /// Why words about ethnicity, religion or illness stay in it.
    #[serde(default)]
    pub kept: String,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Longer than [`ANSWER_NOTE_MAX_CHARS`] (or its reason longer than [`REASON_MAX_CHARS`]).
    Long,
    /// It has control characters.
    Control,
    /// It has a word about ethnicity, religion or illness, and no reason why that stays.
    Sensitive(&'static str),
}

impl Line {
    /// A line as typed.
    pub fn of(note: &str, kept: &str) -> std::result::Result<Self, Unfit> {
        let note = note.trim().replace("\r\n", "\n");
        let kept = kept.trim().to_owned();
        if note.chars().count() > ANSWER_NOTE_MAX_CHARS || kept.chars().count() > REASON_MAX_CHARS {
            return Err(Unfit::Long);
        }
        if note.chars().chain(kept.chars()).any(|c| c.is_control() && c != '\n') {
            return Err(Unfit::Control);
        }
        match sensitive::found(&note) {
            Some(word) if kept.is_empty() => Err(Unfit::Sensitive(word)),
            // A reason is kept where there is something to reason about.
            found => Ok(Self { note, kept: if found.is_some() { kept } else { String::new() } }),
        }
    }

    /// As [`Line::of`], with the operator's words for what is wrong.
    pub fn of_operator(note: &str, kept: &str) -> Result<Self> {
        Self::of(note, kept).map_err(|unfit| {
            let reason = match unfit {
                Unfit::Long => format!("is longer than {ANSWER_NOTE_MAX_CHARS} characters"),
                Unfit::Control => "has control characters".to_owned(),
                Unfit::Sensitive(_) => {
                    "speaks of ethnicity, religion or illness: leave that out, or say with --keep why it stays".to_owned()
                }
            };
            Refusal::Invalid { field: "note", reason }.into()
        })
    }
}

/// The name of a listed report.
pub fn name_of(row: &IncidentListing) -> Result<IncidentName> {
    Ok(IncidentName { entry: row.id.parse()?, branch: row.branch })
}

/// The report with this name, as `query` lets its asker see it.
pub async fn find(hub: &Hub, id: &str, query: ListQuery) -> Result<IncidentListing> {
    let missing = || Refusal::NotFound { what: "incident", name: id.to_owned() };
    let name: EntryName = id.parse().map_err(|_| missing())?;
    let rows = hub.store.incidents(ListQuery { name: Some(name.to_string()), limit: 1, ..query }).await?;
    Ok(rows.into_iter().next().ok_or_else(missing)?)
}

/// In which stream the reporter hears of a report: the member's own, so that nobody else who carries the phone reads it;
/// the phone's, where somebody else was enrolled on it and the member's stream would not come there.
async fn stream(hub: &Hub, row: &IncidentListing) -> Result<Scope> {
    let device: DeviceId = row.device.parse()?;
    let enrolled = hub.store.device(device).await?.map(|device| device.member);
    let author = MemberNo(row.author_no);
    Ok(if enrolled == Some(author) { Scope::Member(author) } else { Scope::Device(device) })
}

async fn told(hub: &Hub, row: &IncidentListing, note: String) -> Result<ItemDraft> {
    // The store sets the state that the step leaves.
    let fate = Fate { incident: row.id.parse()?, state: String::new(), note };
    Ok(ItemDraft { scope: stream(hub, row).await?, item: Item::Fate(fate), issued_ms: hub.now_ms() })
}

async fn take(hub: &Hub, action: &str, step: NewStep) -> Result<Stepped> {
    let (officer, subject, kept) = (step.officer.clone(), step.incident.entry.to_string(), step.kept.clone());
    let mut since = None;
    let work = async {
        match hub.store.take_step(step, hub.item_signer()).await? {
            Stepped::Since(row) => {
                since = Some(row);
                Err(HubError::from(Refusal::Conflict("an answer")))
            }
            Stepped::Missing => Err(Refusal::NotFound { what: "incident", name: subject.clone() }.into()),
            stepped => Ok(stepped),
        }
    };
    let done = hub.noted(&officer, action, &subject, &kept, work).await;
    match since {
        Some(row) => Ok(Stepped::Since(row)),
        None => done,
    }
}

/// Tells the reporter a state, a line, or both. A line to somebody whose report nobody had answered says that it was seen.
pub async fn answer(hub: &Hub, row: &IncidentListing, by: &Decider, state: Option<Triage>, line: Line) -> Result<Stepped> {
    let now = Triage::from_code(&row.state).unwrap_or_default();
    let state = state.unwrap_or(if now == Triage::New { Triage::Received } else { now });
    let step = NewStep {
        incident: name_of(row)?,
        seen: by.seen,
        at_ms: hub.now_ms(),
        member: by.member,
        officer: by.name.clone(),
        act: Act::Answered,
        state: Some(state),
        told: Some(told(hub, row, line.note.clone()).await?),
        note: line.note,
        kept: line.kept,
    };
    take(hub, &format!("fate {}", state.code()), step).await
}

/// Says who is to go, or takes that back; the reporter hears who comes.
pub async fn assign(hub: &Hub, row: &IncidentListing, by: &Decider, to: Option<Assigned>) -> Result<Stepped> {
    let people = hub.store.people().await?;
    let now = Triage::from_code(&row.state).unwrap_or_default();
    let told = match to {
        // Phones of all makes show it as it stands: the language of the commune.
        Some(to) => {
            let who = [("who", people.assigned_name(to).into())];
            Some(told(hub, row, Words::new(Lang::Vi).say("incident-told-assigned", &who)).await?)
        }
        None => None,
    };
    let step = NewStep {
        incident: name_of(row)?,
        seen: by.seen,
        at_ms: hub.now_ms(),
        member: by.member,
        officer: by.name.clone(),
        act: Act::Assigned(to),
        // Whoever is sent works on it.
        state: (to.is_some() && matches!(now, Triage::New | Triage::Received)).then_some(Triage::InHand),
        note: String::new(),
        kept: String::new(),
        told,
    };
    take(hub, "assign incident", step).await
}

/// A place or group that somebody may be sent from: `h12` or `g3`, as a page's list has it.
pub async fn assignee(hub: &Hub, typed: &str) -> Result<Option<Assigned>> {
    let people = hub.store.people().await?;
    let unknown = || Refusal::NotFound { what: "group", name: typed.to_owned() };
    let number = |digits: &str| digits.parse::<u32>().map_err(|_| unknown());
    if typed.is_empty() {
        return Ok(None);
    }
    match typed.split_at_checked(1) {
        Some(("h", digits)) => {
            let hamlet = people.hamlet(HamletNo(number(digits)?)).ok_or_else(unknown)?;
            Ok(Some(Assigned { hamlet: hamlet.no, group: 0 }))
        }
        Some(("g", digits)) => {
            let no = number(digits)?;
            let group = people.groups.iter().find(|group| group.no == no).ok_or_else(unknown)?;
            Ok(Some(Assigned { hamlet: group.hamlet, group: group.no }))
        }
        _ => Err(unknown().into()),
    }
}

/// Says that two reports tell of one event, or that they do not.
pub async fn link(hub: &Hub, row: &IncidentListing, other: &IncidentListing, by: &Decider, on: bool) -> Result<Stepped> {
    let with = name_of(other)?;
    let step = NewStep {
        incident: name_of(row)?,
        seen: by.seen,
        at_ms: hub.now_ms(),
        member: by.member,
        officer: by.name.clone(),
        act: if on { Act::Linked(with) } else { Act::Unlinked(with) },
        state: None,
        note: String::new(),
        kept: String::new(),
        told: None,
    };
    take(hub, if on { "link incident" } else { "unlink incident" }, step).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_asked_about_once_and_stays_with_its_reason() {
        assert_eq!(Line::of(" Gà màu gì?\r\nMấy con? ", "thừa"), Ok(Line { note: "Gà màu gì?\nMấy con?".into(), kept: String::new() }));
        assert!(matches!(Line::of("Hỏi người Mông ở bản trên", " "), Err(Unfit::Sensitive(_))));
        assert_eq!(Line::of("Cần phiên dịch người Mông", "tìm phiên dịch").map(|line| line.kept), Ok("tìm phiên dịch".into()));
        assert_eq!(Line::of(&"a".repeat(ANSWER_NOTE_MAX_CHARS + 1), ""), Err(Unfit::Long));
        assert_eq!(Line::of("a\u{7}", ""), Err(Unfit::Control));
    }
}
