//! Logs, what they disclose, and the incidents in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::cert::{DeviceCertificate, Token};
use crate::chain::{FIRST_LINK, StoredBody};
use crate::custody::Item;
use crate::id::{DeviceId, EntryName, LogId};

use super::{Court, Findings, Kind, Line, Standing, Verdict};
use crate::bundle::says::{Says, is_erased, says};
use crate::bundle::{LOGS, LogFile, Step};

/// One log as it was judged.
pub(super) struct Log {
    findings: Findings,
    bodies: BTreeMap<u64, StoredBody>,
    /// (entry of the head, hub time of its token), run by run, each with the first entry of its run.
    heads: Vec<(u64, u64, Option<i64>)>,
}

/// All logs of the bundle.
pub(super) struct Logs {
    by_name: BTreeMap<(LogId, u32), Log>,
}

/// What a log gives for a photograph.
pub(super) enum Found<'a> {
    Body(&'a StoredBody),
    NoEntry,
    Unsound(Verdict),
}

impl Logs {
    /// The entry of an item.
    pub(super) fn entry(&self, item: &Item) -> Found<'_> {
        match self.by_name.get(&(item.entry.log, item.branch)) {
            None => Found::NoEntry,
            Some(log) if !log.findings.is_sound() => Found::Unsound(log.findings.worst),
            Some(log) => log.bodies.get(&item.entry.seq).map_or(Found::NoEntry, Found::Body),
        }
    }

    /// Hub time of the token in the first head at or after an item's entry, in its run.
    pub(super) fn not_before_ms(&self, item: &Item) -> Option<i64> {
        let log = self.by_name.get(&(item.entry.log, item.branch)).filter(|log| log.findings.is_sound())?;
        let at_or_after = |(first, seq, _): &&(u64, u64, Option<i64>)| *first <= item.entry.seq && item.entry.seq <= *seq;
        log.heads.iter().find(at_or_after).and_then(|(_, _, token_ms)| *token_ms)
    }

    /// Every disclosed body, ascending by log, sequence number and branch.
    pub(super) fn disclosed(&self) -> BTreeMap<Item, &StoredBody> {
        let sound = self.by_name.iter().filter(|(_, log)| log.findings.is_sound());
        let named = |log, branch, seq| Item { entry: EntryName { log, seq }, branch };
        sound.flat_map(|((log, branch), read)| read.bodies.iter().map(move |(seq, body)| (named(*log, *branch, *seq), body))).collect()
    }
}

pub(super) fn judge(court: &Court<'_>, certificates: &BTreeMap<DeviceId, DeviceCertificate>, lines: &mut Vec<Line>) -> Logs {
    let mut logs = Logs { by_name: BTreeMap::new() };
    for file in court.manifest.files.iter().filter(|file| file.name.starts_with(LOGS)) {
        let mut findings = Findings::default();
        let Some((log, branch)) = LogFile::named(&file.name) else {
            findings.altered("malformed");
            lines.push(findings.line(file.name.as_str(), Kind::Log));
            continue;
        };
        let mut read = Log { findings, bodies: BTreeMap::new(), heads: Vec::new() };
        match court.standing(&file.name) {
            Standing::NotListed | Standing::Missing => read.findings.incomplete("file_missing"),
            Standing::Differs => read.findings.altered("bytes"),
            Standing::Counts(member) => {
                let content = member.bytes.as_deref().unwrap_or_default();
                match LogFile::from_bytes(content).ok().filter(|found| (found.log, found.branch) == (log, branch)) {
                    Some(found) => judge_log(court, certificates, found, &mut read),
                    None => read.findings.altered("malformed"),
                }
            }
        }
        let id = if branch == 0 { log.to_string() } else { format!("{log}/{branch}") };
        lines.push(read.findings.line(id, Kind::Log));
        logs.by_name.insert((log, branch), read);
    }
    logs
}

fn judge_log(court: &Court<'_>, certificates: &BTreeMap<DeviceId, DeviceCertificate>, file: LogFile, read: &mut Log) {
    let links: Vec<_> = file.runs.iter().map(|run| run.links(file.log)).collect();
    judge_order(&file, &links, &mut read.findings);
    let device = file.runs.iter().flat_map(|run| run.heads.first()).map(|head| head.device).next();
    for (run, links) in file.runs.iter().zip(&links) {
        for head in &run.heads {
            if Some(head.device) != device {
                read.findings.altered("device");
            }
            let at = head.seq.checked_sub(run.first).and_then(|at| usize::try_from(at).ok());
            match (certificates.get(&head.device), at.and_then(|at| links.get(at))) {
                (None, _) => read.findings.incomplete("no_certificate"),
                (Some(certificate), Some(link)) if !head.verify(file.log, link, &certificate.sign_key, court.verifier) => {
                    read.findings.altered("head");
                }
                _ => {}
            }
            let token = head.token.as_ref().map(|token| court.by_hub(token, |token: &Token| token.hub_time_ms));
            if matches!(token, Some(None)) {
                read.findings.altered("token");
            }
            read.heads.push((run.first, head.seq, token.flatten().map(|token| token.hub_time_ms)));
        }
    }
    for run in file.runs {
        let bodies = (run.first..).zip(run.steps).filter_map(|(seq, step)| match step {
            Step::Body(body) => Some((seq, body)),
            Step::Commit(_) => None,
        });
        read.bodies.extend(bodies);
    }
    let certified = device.and_then(|device| certificates.get(&device)).map(|certificate| certificate.sign_key);
    if let (Some(Says::LogStarted(key)), Some(certified)) = (read.bodies.get(&0).and_then(says), certified)
        && key != certified
    {
        read.findings.altered("device");
    }
    if read.bodies.values().any(|body| matches!(body, StoredBody::Redacted(_))) {
        read.findings.erased("parts_erased");
    }
}

fn judge_order(file: &LogFile, links: &[Vec<[u8; 32]>], findings: &mut Findings) {
    let mut before: Option<(u64, [u8; 32])> = None;
    for (run, links) in file.runs.iter().zip(links) {
        let joins = match before {
            Some((last, _)) if run.first <= last => false,
            Some((last, link)) => run.first > last + 1 || run.previous == link,
            None => true,
        };
        let begins = run.first > 0 || run.previous == FIRST_LINK;
        let within = run.heads.iter().all(|head| run.first <= head.seq && head.seq <= run.last());
        if !joins || !begins || !within || !run.heads.windows(2).all(|pair| pair[0].seq < pair[1].seq) {
            findings.altered("order");
        }
        if run.heads.last().map(|head| head.seq) != Some(run.last()) {
            findings.incomplete("no_head");
        }
        before = links.last().map(|link| (run.last(), *link));
    }
}

/// What the disclosed bodies of one name say, on whatever branch.
#[derive(Default)]
struct Branches {
    /// Part 0 of one of them is erased.
    erased: bool,
    /// The most photographs that one of them announces; `None`: none of them is an incident.
    announced: Option<u32>,
    /// An incident among them has an erased part.
    parts_erased: bool,
}

pub(super) fn judge_incidents(court: &Court<'_>, logs: &Logs, lines: &mut Vec<Line>) {
    let disclosed = logs.disclosed();
    // Names, not bodies: the branches of a fork tell of the same photograph again.
    let mut photos: BTreeMap<EntryName, BTreeSet<EntryName>> = BTreeMap::new();
    let mut entries: BTreeMap<EntryName, Branches> = BTreeMap::new();
    for (item, body) in &disclosed {
        let said = entries.entry(item.entry).or_default();
        said.erased |= is_erased(body, 0);
        match says(body) {
            Some(Says::Incident(announced)) => {
                said.announced = said.announced.max(Some(announced));
                said.parts_erased |= (0..body.len()).any(|part| is_erased(body, part));
            }
            Some(Says::Photo(Some(subject))) => drop(photos.entry(subject).or_default().insert(item.entry)),
            _ => {}
        }
    }
    let named: Vec<EntryName> = court.manifest.incidents.clone().unwrap_or_default();
    let others = entries.iter().filter(|(name, said)| said.announced.is_some() && !named.contains(name));
    for name in named.iter().chain(others.map(|(name, _)| name)) {
        let mut findings = Findings::default();
        match entries.get(name) {
            None => findings.incomplete("entry_missing"),
            Some(Branches { announced: Some(announced), parts_erased, .. }) => {
                if *parts_erased {
                    findings.erased("parts_erased");
                }
                if photos.get(name).map_or(0, BTreeSet::len) < *announced as usize {
                    findings.incomplete("attachments");
                }
            }
            Some(said) if said.erased => findings.erased("entry_erased"),
            Some(_) => findings.altered("not_an_incident"),
        }
        lines.push(findings.line(name.to_string(), Kind::Incident));
    }
}
