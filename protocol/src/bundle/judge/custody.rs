//! Heads over all custody chains, what a witness remembers of them, and the chain of one item.

use std::collections::BTreeMap;

use crate::crypto::Hash;
use crate::custody::{Action, CustodyFacts, DayHead, Item, Leaf, ORIGINAL_NOTE};
use crate::feed::{FeedItem, Item as FeedKind, Scope};
use crate::id::Epoch;

use super::{Court, Findings, Kind, Line, Standing};
use crate::bundle::says::Facts;
use crate::bundle::{CustodyFile, HEADS, read_statements};
use crate::custody::CHAIN_START;

/// The heads that may be used: consecutive, oldest first, each with the epoch in which it was signed.
pub(super) struct Heads {
    used: Vec<(DayHead, Epoch)>,
}

impl Heads {
    fn numbered(&self, number: u64) -> Option<&(DayHead, Epoch)> {
        let first = self.used.first()?.0.number;
        self.used.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}

pub(super) fn judge_heads(court: &Court<'_>, witness: &[&[u8]], lines: &mut Vec<Line>) -> Heads {
    let mut findings = Findings::default();
    let mut heads = Heads { used: Vec::new() };
    match court.content(HEADS).map(read_statements) {
        None => findings.incomplete("heads_missing"),
        Some(Ok(statements)) if !statements.is_empty() => {
            read_heads(court, &statements, &mut heads, &mut findings);
            compare(court, witness, &heads, &mut findings);
        }
        Some(_) => findings.altered("malformed"),
    }
    lines.push(findings.line("heads", Kind::Custody));
    heads
}

/// A head of this commune's custody, signed by the hub.
fn head_of(court: &Court<'_>, bytes: &[u8]) -> Option<(DayHead, Epoch)> {
    let item = court.by_hub(bytes, |item: &FeedItem| item.issued_ms)?;
    match item.item {
        FeedKind::CustodyHead(head) if item.scope == Scope::Commune(court.manifest.commune) => Some((head, item.epoch)),
        _ => None,
    }
}

fn read_heads(court: &Court<'_>, statements: &[&[u8]], heads: &mut Heads, findings: &mut Findings) {
    for bytes in statements {
        let Some((head, epoch)) = head_of(court, bytes) else {
            findings.altered("head");
            return;
        };
        let follows = match heads.used.last() {
            None => head.number > 0 || head.previous == CHAIN_START,
            Some((before, _)) => before.number.checked_add(1) == Some(head.number) && head.previous == before.hash(),
        };
        if !follows {
            findings.altered("head_order");
            return;
        }
        heads.used.push((head, epoch));
    }
}

fn compare(court: &Court<'_>, witness: &[&[u8]], heads: &Heads, findings: &mut Findings) {
    let since_ms = if witness.is_empty() { None } else { first_record_ms(court) };
    let ends = heads.used.first().zip(heads.used.last()).map(|((first, _), (last, _))| (first.number, last.number));
    for bytes in witness {
        let Some((kept, epoch)) = head_of(court, bytes) else {
            findings.incomplete("witness");
            continue;
        };
        match heads.numbered(kept.number) {
            Some((head, _)) if *head == kept => {}
            Some((_, same)) if *same == epoch => findings.altered("witness"),
            Some(_) => findings.incomplete("restored"),
            None => {
                let held_back = ends.is_some_and(|(first, last)| {
                    (kept.number < first && since_ms.is_some_and(|since_ms| kept.at_ms > since_ms))
                        || (kept.number > last && kept.at_ms < court.manifest.exported_ms)
                });
                if held_back {
                    findings.incomplete(if epoch == court.manifest.epoch { "witness" } else { "restored" });
                }
            }
        }
    }
}

/// The earliest time that a record of the bundle's chains tells.
fn first_record_ms(court: &Court<'_>) -> Option<i64> {
    let chains = court.manifest.items.iter().filter_map(|named| read_chain(court, &named.item).ok());
    chains.flat_map(|chain| chain.records.into_iter().map(|(_, facts)| facts.at_ms)).min()
}

/// What must be known of a photograph to judge its custody.
pub(super) struct Asked {
    pub(super) item: Item,
    /// Hash and size of its facts, when they are known and the manifest names an original, and the latest time at which
    /// it can have come by its receipts, where there are any.
    pub(super) received: Option<(Hash, u64, Option<i64>)>,
}

/// Reads the custody chain of an item; `None` when it cannot be used, with the finding.
pub(super) fn read_chain(court: &Court<'_>, item: &Item) -> Result<CustodyFile, (super::Verdict, &'static str)> {
    let name = CustodyFile::name(item);
    let content = match court.standing(&name) {
        Standing::NotListed => return Err((super::Verdict::Altered, "not_listed")),
        Standing::Missing => return Err((super::Verdict::Incomplete, "custody_missing")),
        Standing::Differs => return Err((super::Verdict::Altered, "custody_bytes")),
        Standing::Counts(member) => member.bytes.as_deref().unwrap_or_default(),
    };
    let chain = CustodyFile::from_bytes(content).ok().filter(|chain| chain.item == *item && !chain.records.is_empty());
    chain.ok_or((super::Verdict::Altered, "custody_malformed"))
}

/// Whether the hub says that it has the original: by the last record that tells of it. Smaller copies come and are lost
/// in the same chain.
pub(super) fn last_state(chain: &CustodyFile, known: Option<&Facts>) -> Option<Action> {
    let tells = |told: &&CustodyFacts| match told.action {
        Action::Deleted => true,
        Action::Received | Action::FoundAltered | Action::FoundMissing => {
            told.note.as_deref() == Some(ORIGINAL_NOTE)
                || known.is_some_and(|facts| (facts.sha256, facts.size_bytes) == (told.sha256, told.size_bytes))
        }
        _ => false,
    };
    chain.records.iter().rev().map(|(_, facts)| facts).find(tells).map(|facts| facts.action)
}

/// Times of records with how many records a head made later than that must cover, both ascending.
fn due(chain: &CustodyFile) -> Vec<(i64, u64)> {
    let mut due: Vec<(i64, u64)> = (1..).zip(&chain.records).map(|(count, (_, facts))| (facts.at_ms, count)).collect();
    due.sort_unstable();
    let mut most = 0;
    for (_, count) in &mut due {
        most = most.max(*count);
        *count = most;
    }
    due
}

/// Whether every head proves the records that were there when it was made.
fn is_proved_in_time(chain: &CustodyFile, heads: &Heads) -> bool {
    let due = due(chain);
    let proved: BTreeMap<u64, u64> = chain.proofs.iter().map(|proof| (proof.head, proof.records)).collect();
    heads.used.iter().all(|(head, _)| {
        let before = due.partition_point(|(at_ms, _)| *at_ms < head.at_ms);
        let wanted = before.checked_sub(1).and_then(|at| due.get(at)).map_or(0, |(_, count)| *count);
        wanted <= proved.get(&head.number).copied().unwrap_or(0)
    })
}

/// Rules 7 to 11 on the custody chain of a photograph.
pub(super) fn judge_chain(court: &Court<'_>, chain: &CustodyFile, heads: &Heads, asked: &Asked, findings: &mut Findings) {
    if chain.proofs.is_empty() {
        findings.incomplete("custody_unproved");
        return;
    }
    let links = chain.links();
    let total = links.len() as u64;
    let mut before: Option<(u64, u64)> = None;
    for proof in &chain.proofs {
        let ordered = before.is_none_or(|(head, records)| head < proof.head && records <= proof.records);
        let link = proof.records.checked_sub(1).and_then(|at| links.get(usize::try_from(at).ok()?));
        let (true, Some(link)) = (ordered, link) else {
            findings.altered("custody_order");
            return;
        };
        before = Some((proof.head, proof.records));
        let leaf = Leaf { item: asked.item, records: proof.records, link: *link }.hash();
        match heads.numbered(proof.head) {
            None => findings.incomplete("custody_head"),
            Some((head, _)) if !proof.holds(leaf, head.items, &head.root) => findings.altered("custody_proof"),
            Some(_) => {}
        }
    }
    if let Some((newest, _)) = heads.used.last()
        && before != Some((newest.number, total))
    {
        findings.altered("custody_uncovered");
    }
    if !is_proved_in_time(chain, heads) {
        findings.altered("custody_late");
    }
    let told = |action: Action| chain.records.iter().map(|(_, facts)| facts).filter(move |facts| facts.action == action);
    if !told(Action::Exported).any(|facts| facts.at_ms == court.manifest.exported_ms) {
        findings.altered("custody_export");
    }
    if let Some((sha256, size_bytes, latest_ms)) = asked.received {
        let in_time = |at_ms: i64| latest_ms.is_none_or(|latest_ms| at_ms <= latest_ms);
        if !told(Action::Received).any(|facts| (facts.sha256, facts.size_bytes) == (sha256, size_bytes) && in_time(facts.at_ms)) {
            findings.altered("custody_received");
        }
    }
}
