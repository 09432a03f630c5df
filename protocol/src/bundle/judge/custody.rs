//! Heads over all custody chains, what a witness remembers of them, and the chain of one item.

use crate::crypto::Hash;
use crate::custody::{Action, DayHead, Item, Leaf};
use crate::feed::{FeedItem, Item as FeedKind, Scope};
use crate::id::Epoch;

use super::{Court, Findings, Kind, Line, Standing};
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
    for bytes in witness {
        let Some((kept, epoch)) = head_of(court, bytes) else {
            findings.incomplete("witness");
            continue;
        };
        match heads.numbered(kept.number) {
            Some((head, _)) if *head == kept => {}
            Some((_, same)) if *same == epoch => findings.altered("witness"),
            Some(_) => findings.incomplete("restored"),
            None => {}
        }
    }
}

/// What must be known of a photograph to judge its custody.
pub(super) struct Asked {
    pub(super) item: Item,
    /// Hash and size of its facts, when they are known and the manifest names an original.
    pub(super) received: Option<(Hash, u64)>,
}

/// Reads the custody chain of an item; `None` when it cannot be used, with the finding.
pub(super) fn read_chain(court: &Court<'_>, item: &Item) -> Result<CustodyFile, (super::Verdict, &'static str)> {
    let name = CustodyFile::name(item);
    let content = match court.standing(&name) {
        Standing::NotListed | Standing::Missing => return Err((super::Verdict::Incomplete, "custody_missing")),
        Standing::Differs => return Err((super::Verdict::Altered, "custody_bytes")),
        Standing::Counts(member) => member.bytes.as_deref().unwrap_or_default(),
    };
    let chain = CustodyFile::from_bytes(content).ok().filter(|chain| chain.item == *item && !chain.records.is_empty());
    chain.ok_or((super::Verdict::Altered, "custody_malformed"))
}

/// Whether the hub says that it has the photograph: by the last record that tells.
pub(super) fn last_state(chain: &CustodyFile) -> Option<Action> {
    let tells = |action: &Action| matches!(action, Action::Received | Action::Deleted | Action::FoundAltered | Action::FoundMissing);
    chain.records.iter().rev().map(|(_, facts)| facts.action).find(tells)
}

/// Rules 7 to 10 on the custody chain of a photograph.
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
    let told = |action: Action| chain.records.iter().map(|(_, facts)| facts).filter(move |facts| facts.action == action);
    if !told(Action::Exported).any(|facts| facts.at_ms == court.manifest.exported_ms) {
        findings.altered("custody_export");
    }
    if let Some(wanted) = asked.received
        && !told(Action::Received).any(|facts| (facts.sha256, facts.size_bytes) == wanted)
    {
        findings.altered("custody_received");
    }
}
