//! What comes from phones: a sealed segment is opened, checked, kept and answered with a signed receipt.
//!
//! Order of trust: size, seal, shape, chain, signature; only then does anything reach the store. Cryptography runs
//! where the request is served: handing 200 microseconds to another thread costs more than it saves.

use yenban_protocol::cbor::Reader;
use yenban_protocol::chain::{Body, Part, StoredBody};
use yenban_protocol::record::{Act, Common, Preview, PreviewKind, Provider, Record, Statement};
use yenban_protocol::segment::{self, Head, Run};
use yenban_protocol::text::fold;
use yenban_protocol::time::{Bounds, Interval};

use crate::app::Hub;
use crate::error::{Refusal, Result};
use crate::live;
use crate::store::{
    AnswerRow, Device, Effect, FileNamed, NewEntry, NewRun, ObjectKind, PhotoRow, QuarantineReason, QuarantinedSegment, ReportRow, Taken,
    WhenWhere,
};

/// The kind noted for an entry whose first part is not a record at all: kept, receipted, shown to nobody.
const UNREADABLE_KIND: u64 = i64::MAX as u64;
/// Highest sequence number a log may reach.
const SEQ_MAX: u64 = i64::MAX as u64 - 1;

/// A receipt, and whether it tells of a contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// `Signed<Receipt>`.
    pub receipt: Vec<u8>,
    /// The log contradicts what was held: both branches are kept.
    pub forked: bool,
    /// Entries that were not held before.
    pub new: u64,
}

/// The interval in which something was recorded, whether live or played back.
pub fn interval_of(common: &Common, bounds: Bounds) -> Interval {
    let imported = common.position.is_some_and(|p| p.provider == Provider::Imported);
    common.stamp.interval(bounds, imported)
}

/// Takes one sealed segment.
pub async fn deliver(hub: &Hub, sealed: &[u8]) -> Result<Delivered> {
    let received_ms = hub.now_ms();
    let (run, _) = segment::open(sealed, &hub.keys.opener)?;
    if run.last() > SEQ_MAX {
        return Err(Refusal::TooLarge("sequence number".to_owned()).into());
    }
    let id = run.heads.last().map(|head| head.device).ok_or_else(|| Refusal::Malformed("segment without head".to_owned()))?;
    let Some(device) = hub.store.device(id).await? else {
        keep(hub, sealed, &run, QuarantineReason::UnknownDevice, received_ms).await?;
        return Err(Refusal::UnknownDevice.into());
    };
    let links = run.verify(&hub.verifier, |named| (named == device.id).then_some(device.sign_key))?;
    if device.waiting {
        // The phone keeps it and comes again; of one whose words differed nothing is kept, since it was never one of ours.
        return Err(if device.revoked_ms.is_some() { Refusal::Revoked } else { Refusal::Unconfirmed }.into());
    }
    if device.revoked_ms.is_some() {
        return quarantined(hub, sealed, &run, received_ms).await;
    }
    let log = run.log;
    let new_run = prepare(&device, run, &links, received_ms);
    let (first, count) = (new_run.first, new_run.entries.len());
    let happened = live::of_run(&new_run);
    match hub.store.take_run(new_run).await? {
        Taken::Kept { new, forked, state } => {
            if new > 0 {
                happened.into_iter().for_each(|one| hub.live.tell(one));
            }
            hub.metrics.kept(new, count as u64 - new.min(count as u64), forked);
            if forked {
                tracing::warn!(log = %log, device = %device.id, "a log contradicts what is held; both branches are kept");
            }
            Ok(Delivered { receipt: hub.receipt(&state, received_ms, false)?, forked, new })
        }
        Taken::WrongDevice => Err(Refusal::WrongDevice.into()),
        // Revoked or forgotten between the look-up and the transaction.
        Taken::Revoked | Taken::UnknownDevice => {
            let kept = QuarantinedSegment {
                reason: QuarantineReason::Revoked,
                device: device.id,
                log,
                first,
                count: count as u64,
                received_ms,
                sealed: sealed.to_vec(),
            };
            answer_quarantined(hub, kept).await
        }
    }
}

async fn keep(hub: &Hub, sealed: &[u8], run: &Run, reason: QuarantineReason, received_ms: i64) -> Result<bool> {
    hub.store.keep_in_quarantine(segment_of(sealed, run, reason, received_ms)).await
}

fn segment_of(sealed: &[u8], run: &Run, reason: QuarantineReason, received_ms: i64) -> QuarantinedSegment {
    QuarantinedSegment {
        reason,
        device: run.heads.last().map(|head| head.device).unwrap_or_default(),
        log: run.log,
        first: run.first,
        count: run.bodies.len() as u64,
        received_ms,
        sealed: sealed.to_vec(),
    }
}

async fn quarantined(hub: &Hub, sealed: &[u8], run: &Run, received_ms: i64) -> Result<Delivered> {
    answer_quarantined(hub, segment_of(sealed, run, QuarantineReason::Revoked, received_ms)).await
}

async fn answer_quarantined(hub: &Hub, segment: QuarantinedSegment) -> Result<Delivered> {
    let (log, device, received_ms) = (segment.log, segment.device, segment.received_ms);
    if !hub.store.keep_in_quarantine(segment).await? {
        return Err(Refusal::Quota("quarantined segments of this device").into());
    }
    hub.metrics.quarantined.inc();
    tracing::warn!(log = %log, device = %device, "a revoked device delivered; kept in quarantine");
    let state = hub.store.log_state(log).await?;
    // A log of another device is nobody's business here.
    let state = state.filter(|s| s.device == device).unwrap_or(crate::store::LogState { log, device, held: Vec::new() });
    Ok(Delivered { receipt: hub.receipt(&state, received_ms, true)?, forked: false, new: 0 })
}

/// Everything the store needs, computed before its transaction.
fn prepare(device: &Device, run: Run, links: &[[u8; 32]], received_ms: i64) -> NewRun {
    let bounds = Bounds { not_before_ms: Some(device.enrolled_ms), not_after_ms: Some(received_ms) };
    let mut heads = run.heads.iter().peekable();
    let mut entries = Vec::with_capacity(run.bodies.len());
    for ((seq, body), link) in (run.first..).zip(run.bodies).zip(links) {
        let (kind, effect) = meaning(&body, bounds);
        let head = heads.next_if(|head| head.seq == seq).map(head_bytes);
        entries.push(NewEntry { kind, link: *link, body: StoredBody::Whole(body).to_bytes(), head, effect });
    }
    NewRun { log: run.log, device: device.id, first: run.first, previous: run.previous, entries, received_ms }
}

fn head_bytes(head: &Head) -> Vec<u8> {
    let mut w = yenban_protocol::cbor::Writer::with_capacity(256);
    head.write(&mut w);
    w.into_bytes()
}

/// Kind and effect of an entry. What cannot be read is kept all the same: a genuine capture is never refused
/// because a parser dislikes it.
fn meaning(body: &Body, bounds: Bounds) -> (u64, Option<Effect>) {
    let parts: [Option<&Part>; yenban_protocol::limits::MAX_PARTS] = std::array::from_fn(|index| body.parts.get(index));
    match Record::from_parts(&parts[..body.parts.len().min(parts.len())]) {
        Ok(record) => (record.act.kind(), effect(record, bounds)),
        Err(_) => (body.parts.first().and_then(kind_of).unwrap_or(UNREADABLE_KIND), None),
    }
}

fn kind_of(part: &Part) -> Option<u64> {
    let mut r = Reader::new(&part.bytes);
    let mut fields = r.map("record").ok()?;
    let key = fields.key(&mut r).ok()??;
    (key == 0).then(|| r.uint("kind").ok())?.filter(|kind| *kind < UNREADABLE_KIND)
}

fn report(statements: &[Statement]) -> ReportRow {
    let folded: Vec<String> = statements.iter().map(|s| fold(&s.text)).collect();
    ReportRow { folded: folded.join("\n") }
}

fn preview(preview: &Preview) -> FileNamed {
    FileNamed {
        kind: match preview.kind {
            PreviewKind::Preview => ObjectKind::Preview,
            PreviewKind::Thumbnail => ObjectKind::Thumbnail,
        },
        sha256: preview.sha256,
        size_bytes: preview.size_bytes,
        sealed_sha256: preview.sealed_sha256,
        sealed_size_bytes: preview.sealed_size_bytes,
    }
}

fn effect(record: Record, bounds: Bounds) -> Option<Effect> {
    let when = || {
        let interval = interval_of(&record.common, bounds);
        WhenWhere {
            author: record.common.author,
            best_ms: interval.best_ms,
            earliest_ms: interval.earliest_ms,
            latest_ms: interval.latest_ms,
            position: record.common.position,
        }
    };
    Some(match record.act {
        Act::PatrolStarted { ref crew } => Effect::PatrolStarted { at: when(), crew: crew.clone() },
        Act::CheckIn { patrol_seq, .. } => Effect::CheckIn { patrol_seq, best_ms: when().best_ms },
        Act::PatrolPaused { patrol_seq } => Effect::PatrolPaused { patrol_seq },
        Act::PatrolResumed { patrol_seq } => Effect::PatrolResumed { patrol_seq },
        Act::PatrolFinished { patrol_seq, distance_m } => Effect::PatrolFinished { patrol_seq, best_ms: when().best_ms, distance_m },
        Act::CrewChanged { patrol_seq, ref change } => {
            Effect::CrewChanged { patrol_seq, joined: change.joined.clone(), left: change.left.clone() }
        }
        Act::IncidentReported { ref kind, urgent, ref statements, attachments, .. } => {
            Effect::Incident { at: when(), kind: kind.clone(), urgent, report: report(statements), attachments }
        }
        Act::IncidentAmended { incident, ref statements } => Effect::Amendment { incident, at: when(), report: report(statements) },
        Act::PhotoCaptured { subject, photo: Some(ref photo) } => Effect::Photo {
            at: when(),
            photo: PhotoRow {
                subject,
                original: FileNamed {
                    kind: ObjectKind::Original,
                    sha256: photo.sha256,
                    size_bytes: photo.size_bytes,
                    sealed_sha256: photo.sealed_sha256,
                    sealed_size_bytes: photo.sealed_size_bytes,
                },
                media_type: photo.media_type.clone(),
                original_name: photo.original_name.clone(),
            },
        },
        Act::PreviewsMade { photo, previews: Some(ref previews) } => Effect::Previews {
            photo,
            files: previews.made.iter().map(preview).collect(),
            missing: previews.missing.clone().filter(|_| previews.made.is_empty()),
        },
        Act::AlertAnswered { ref alert, answer } => Effect::Answer { at: when(), answer: AnswerRow { alert: alert.clone(), answer } },
        Act::PhoneHandedOver { to } => Effect::HandedOver { best_ms: when().best_ms, from: record.common.author, to },
        Act::PhotoCaptured { photo: None, .. }
        | Act::PreviewsMade { previews: None, .. }
        | Act::LogStarted { .. }
        | Act::AuthorConfirmed { .. }
        | Act::Unknown { .. } => return None,
    })
}
