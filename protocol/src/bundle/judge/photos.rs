//! Photographs and their smaller copies.

use std::collections::BTreeMap;

use crate::custody::{Action, Item};
use crate::keys::KEY_SLACK_MS;
use crate::receipt::Receipt;
use crate::record::PreviewKind;

use super::custody::{Asked, Heads, judge_chain, last_state, read_chain};
use super::logs::{Found, Logs};
use super::{Court, Findings, Kind, Line, Standing};
use crate::bundle::says::{Facts, Says, copy_facts, facts, is_erased, says};
use crate::bundle::{CopyNamed, ItemNamed};

/// Facts of the photographs whose entries were found good.
pub(super) type Known = BTreeMap<Item, Facts>;

/// A log, and hash and size of a sealed file that it names; kept with the hub times of its first and last receipt.
type SealedFile = ([u8; 8], [u8; 32], u64);

pub(super) fn judge(court: &Court<'_>, logs: &Logs, receipts: &[Receipt], heads: &Heads, lines: &mut Vec<Line>) -> Known {
    let mut known = Known::new();
    let mut held: BTreeMap<SealedFile, (i64, i64)> = BTreeMap::new();
    for receipt in receipts {
        for (sealed, size_bytes) in &receipt.objects {
            let at_ms = receipt.hub_time_ms;
            let (first, last) = held.entry((receipt.log.0, *sealed, *size_bytes)).or_insert((at_ms, at_ms));
            (*first, *last) = ((*first).min(at_ms), (*last).max(at_ms));
        }
    }
    for named in &court.manifest.items {
        let mut findings = Findings::default();
        let facts = judge_entry(logs, named, &mut findings);
        let chain = read_chain(court, &named.item);
        let last = chain.as_ref().ok().and_then(|chain| last_state(chain, facts.as_ref()));
        judge_original(court, named, facts.as_ref(), last, &mut findings);
        let wanted = facts.filter(|_| named.original.is_some());
        let received = wanted.map(|facts| (named.item.entry.log.0, facts.sealed_sha256, facts.sealed_size_bytes));
        let receipts = received.and_then(|key| held.get(&key).copied());
        let not_after_ms = receipts.map(|(first, _)| first);
        if received.is_some() && receipts.is_none() {
            findings.incomplete("no_receipt");
        }
        match chain {
            Err((verdict, reason)) => findings.add(verdict, reason),
            Ok(chain) => {
                let latest_ms = receipts.map(|(_, last)| last.saturating_add(KEY_SLACK_MS));
                let received = wanted.map(|facts| (facts.sha256, facts.size_bytes, latest_ms));
                let asked = Asked { item: named.item, received };
                judge_chain(court, &chain, heads, &asked, &mut findings);
            }
        }
        let line = findings.line(named.item.to_string(), Kind::Photo);
        lines.push(Line { not_before_ms: logs.not_before_ms(&named.item), not_after_ms, ..line });
        known.extend(facts.map(|facts| (named.item, facts)));
    }
    for (item, body) in logs.disclosed() {
        if matches!(says(body), Some(Says::Photo(_))) && !court.manifest.has_item(&item) {
            let mut findings = Findings::default();
            findings.incomplete("not_listed");
            lines.push(findings.line(item.to_string(), Kind::Photo));
        }
    }
    known
}

/// Rules 1 to 3: the entry. Its facts, when nothing was found.
fn judge_entry(logs: &Logs, named: &ItemNamed, findings: &mut Findings) -> Option<Facts> {
    let body = match logs.entry(&named.item) {
        Found::Body(body) => body,
        Found::NoEntry => {
            findings.incomplete("entry_missing");
            return None;
        }
        Found::Unsound(verdict) => {
            findings.add(verdict, "chain");
            return None;
        }
    };
    if is_erased(body, 0) || is_erased(body, 1) {
        findings.erased("facts_erased");
        if named.original.is_some() {
            findings.altered("unexplained");
        }
        return None;
    }
    let known = facts(body).filter(|_| matches!(says(body), Some(Says::Photo(_))));
    if known.is_none() {
        findings.altered("not_a_photo");
    }
    known
}

/// Rule 4: the original.
fn judge_original(court: &Court<'_>, named: &ItemNamed, facts: Option<&Facts>, last: Option<Action>, findings: &mut Findings) {
    let Some(name) = &named.original else {
        match last {
            Some(Action::Deleted) => findings.erased("deleted"),
            Some(Action::FoundAltered) => findings.altered("altered_at_hub"),
            Some(Action::FoundMissing) => findings.incomplete("missing_at_hub"),
            _ => findings.incomplete("not_received"),
        }
        return;
    };
    match court.standing(name) {
        Standing::NotListed => findings.altered("not_listed"),
        Standing::Missing => findings.incomplete("file_missing"),
        Standing::Differs => findings.altered("bytes"),
        Standing::Counts(member) => {
            if facts.is_some_and(|facts| (facts.sha256, facts.size_bytes) != (member.sha256, member.size_bytes)) {
                findings.altered("bytes");
            }
        }
    }
}

pub(super) fn judge_copies(court: &Court<'_>, logs: &Logs, known: &Known, lines: &mut Vec<Line>) {
    let disclosed = logs.disclosed();
    let explained: Vec<_> = disclosed
        .values()
        .filter_map(|body| match says(body) {
            Some(Says::Copies(photo)) => copy_facts(body).map(|facts| (photo, facts)),
            _ => None,
        })
        .collect();
    for copy in &court.manifest.copies {
        let mut findings = Findings::default();
        match court.standing(&copy.file) {
            Standing::NotListed => findings.altered("not_listed"),
            Standing::Missing => findings.incomplete("file_missing"),
            Standing::Differs => findings.altered("bytes"),
            Standing::Counts(member) => {
                let made = (number(copy), member.sha256, member.size_bytes);
                let photo = known.get(&copy.item);
                let names = photo.is_some_and(|photo| {
                    let mut of_it = explained.iter().filter(|(name, facts)| *name == copy.item.entry && facts.parent == photo.sha256);
                    of_it.any(|(_, facts)| facts.made.contains(&made))
                });
                if !names {
                    findings.altered("unexplained");
                }
            }
        }
        lines.push(findings.line(copy.file.as_str(), Kind::Copy));
    }
}

fn number(copy: &CopyNamed) -> u64 {
    match copy.kind {
        PreviewKind::Preview => 1,
        PreviewKind::Thumbnail => 2,
    }
}
