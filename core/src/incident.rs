//! Incidents: the codes a report may have, and how a report and what is added to it are shown.

use yenban_protocol::record::{Act, Record, Statement};
use yenban_protocol::text::fold;

use crate::error::{Error, Result};
use crate::patrol::{place_of, time_of};
use crate::store::Key;
use crate::store::vault::{IncidentRow, Vault};

/// The kinds of incident, by their codes, and whether urgent is preset.
pub const KINDS: [(&str, bool); 20] = [
    ("fire", true),
    ("flood", true),
    ("landslide", true),
    ("accident", true),
    ("medical", true),
    ("missing_person", true),
    ("fight", true),
    ("family_violence", true),
    ("weapon_found", true),
    ("trafficking", true),
    ("theft", false),
    ("fraud", false),
    ("drugs_sign", false),
    ("gambling", false),
    ("disorder", false),
    ("dispute", false),
    ("border", false),
    ("forest", false),
    ("road_power", false),
    ("other", false),
];

/// Longest line that stands for an incident in a list, in characters.
const HEADLINE_CHARS: usize = 120;

/// Checks a kind's code.
pub(crate) fn check_kind(kind: &str) -> Result<()> {
    if KINDS.iter().any(|(code, _)| *code == kind) {
        return Ok(());
    }
    let codes: Vec<&str> = KINDS.iter().map(|(code, _)| *code).collect();
    let near = yenban_protocol::text::nearest(kind, codes.iter().copied(), 3);
    let near: Vec<&str> = near.iter().map(|n| n.text).collect();
    Err(Error::invalid("kind", format!("there is no kind {kind:?}; nearest: {}", near.join(", "))))
}

/// Follows one entry of an incident into the vault; anything else is left alone. `key_of` finds an
/// entry of this store by its name.
pub(crate) fn project(
    vault: &Vault,
    key: Key,
    record: &Record,
    key_of: &dyn Fn(yenban_protocol::id::EntryName) -> Result<Option<Key>>,
) -> Result<()> {
    match &record.act {
        Act::IncidentReported { kind, urgent, statements, .. } => {
            let row = IncidentRow {
                key,
                kind,
                urgent: *urgent,
                author: record.common.author.0,
                unconfirmed: record.common.unconfirmed,
                time: time_of(&record.common),
                place: place_of(record.common.position.as_ref()),
                headline: &headline(statements),
            };
            vault.put_incident(&row)?;
            put_statements(vault, key, key, statements)
        }
        Act::IncidentAmended { incident, statements } => {
            // An incident of another phone has no row here; its amendment is still in the log.
            let Some(incident) = key_of(*incident)? else { return Ok(()) };
            vault.count_amendment(incident)?;
            put_statements(vault, incident, key, statements)
        }
        _ => Ok(()),
    }
}

fn put_statements(vault: &Vault, incident: Key, entry: Key, statements: &[Statement]) -> Result<()> {
    for (place, statement) in statements.iter().enumerate() {
        vault.put_statement(incident, entry, place, statement.basis as u8, &statement.text)?;
    }
    let words: Vec<String> = statements.iter().map(|s| fold(&s.text)).filter(|s| !s.is_empty()).collect();
    if words.is_empty() {
        return Ok(());
    }
    vault.index_text(incident, entry, &words.join(" "))
}

fn headline(statements: &[Statement]) -> String {
    let text = statements.first().map_or("", |s| s.text.as_str());
    let line = text.lines().next().unwrap_or("");
    line.chars().take(HEADLINE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_number_in_a_message() {
        let numbered = yenban_protocol::sms::KINDS;
        assert_eq!(numbered.as_slice(), KINDS.map(|(code, _)| code).as_slice(), "a new kind gets the next number, at the end");
    }

    #[test]
    fn an_unknown_kind_is_refused_with_the_nearest_ones() {
        check_kind("theft").unwrap();
        let error = check_kind("thefts").unwrap_err().to_string();
        assert!(error.contains("theft"), "{error}");
    }
}
