//! Photographs as lists show them: what came of each, and who has what is not here.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use yenban_protocol::id::{DeviceId, EntryName, LogId, MemberNo};

use super::lists::{Filter, name, wanted_name};
use super::{Result, objects, seq_from_sql, sql};
use crate::clock::rfc3339;
use crate::store::lists::{EvidenceListing, IncidentListing, ListQuery, MissingListing, PreviewListing};
use crate::store::objects::{ItemName, ObjectKind, ObjectRow, ObjectState};
use crate::store::people::People;

fn hex(hash: [u8; 32]) -> String {
    data_encoding::HEXLOWER.encode(&hash)
}

/// Photographs that entries name, in the order of their logs.
pub(super) fn list(c: &Connection, query: &ListQuery, limit: u32, people: &People) -> Result<Vec<EvidenceListing>> {
    let mut filter = Filter::default();
    if let Some(since) = query.since_ms {
        filter.add("best_ms >= ?", [since.into()]);
    }
    if let Some(EntryName { log, seq }) = wanted_name(query)? {
        filter.add("subject_log = ? AND subject_seq = ?", [log.0.to_vec().into(), i64::try_from(seq).unwrap_or(i64::MAX).into()]);
    }
    filter.within("(SELECT hamlet FROM device d WHERE d.device = p.device)", query);
    let statement = format!(
        "SELECT p.log, p.seq, p.device, subject_log, subject_seq, sha256, size_bytes, state, original_name, media_type, sealed_sha256,
           p.branch, (SELECT member FROM device d WHERE d.device = p.device), received_ms, expires_ms, erased_ms, hold_until_ms, hold_case
           FROM photo p JOIN object o ON o.log = p.log AND o.branch = p.branch AND o.seq = p.seq AND o.kind = 2
           WHERE {} ORDER BY p.log, p.branch, p.seq LIMIT ? OFFSET ?",
        filter.sql()
    );
    let mut statement = c.prepare_cached(&statement).map_err(sql)?;
    let rows: Vec<EvidenceListing> = statement
        .query_map(params_from_iter(filter.page(limit, query.offset)), |row| evidence_row(row, people))
        .and_then(Iterator::collect)
        .map_err(sql)?;
    rows.into_iter().map(|row| with_previews(c, row)).collect()
}

fn evidence_row(row: &Row<'_>, people: &People) -> rusqlite::Result<EvidenceListing> {
    let (log, seq) = (LogId(row.get(0)?), seq_from_sql(row.get(1)?));
    let subject: (Option<[u8; 8]>, Option<i64>) = (row.get(3)?, row.get(4)?);
    let member = MemberNo(row.get::<_, Option<u32>>(12)?.unwrap_or(0));
    let when = |at: Option<i64>| at.map(rfc3339);
    let erased_ms: Option<i64> = row.get(15)?;
    // Of what was destroyed a list says that it was there, and no more.
    let stays = |told: String| if erased_ms.is_none() { told } else { String::new() };
    Ok(EvidenceListing {
        id: name(log, seq),
        incident: subject.0.zip(subject.1).map(|(log, seq)| name(LogId(log), seq_from_sql(seq))),
        device: DeviceId(row.get(2)?).to_string(),
        log: log.to_string(),
        seq,
        sha256: stays(hex(row.get(5)?)),
        size_bytes: if erased_ms.is_none() { row.get::<_, i64>(6)?.max(0) as u64 } else { 0 },
        state: row.get(7)?,
        original_name: row.get(8)?,
        media_type: row.get(9)?,
        sealed_sha256: stays(hex(row.get(10)?)),
        branch: row.get(11)?,
        member: people.member_name(member),
        member_no: member.0,
        received_at: when(row.get(13)?),
        expires_at: when(row.get(14)?).filter(|_| erased_ms.is_none()),
        erased_at: when(erased_ms),
        held_until: when(row.get(16)?),
        hold_case: row.get(17)?,
        previews: Vec::new(),
        no_previews: None,
    })
}

fn with_previews(c: &Connection, mut listing: EvidenceListing) -> Result<EvidenceListing> {
    let item = ItemName { entry: listing.id.parse()?, branch: listing.branch };
    let copies = |file: &ObjectRow| file.kind != ObjectKind::Original && listing.erased_at.is_none();
    for file in objects::of_item(c, item)?.into_iter().filter(copies) {
        listing.previews.push(PreviewListing {
            kind: file.kind.code().to_owned(),
            state: file.state.code().to_owned(),
            sha256: hex(file.sha256),
            size_bytes: file.size_bytes,
        });
    }
    listing.no_previews = c
        .prepare_cached(
            "SELECT reason FROM no_previews n WHERE photo_log = ?1 AND photo_branch = ?2 AND photo_seq = ?3
               AND device = (SELECT device FROM photo WHERE log = ?1 AND branch = ?2 AND seq = ?3) LIMIT 1",
        )
        .and_then(|mut s| {
            let seq = i64::try_from(item.entry.seq).unwrap_or(i64::MAX);
            s.query_row(params![item.entry.log.0, item.branch, seq], |row| row.get(0)).optional()
        })
        .map_err(sql)?;
    Ok(listing)
}

/// Adds how many photographs there are, which are not here, and who has them.
pub(super) fn with_photos(c: &Connection, mut incident: IncidentListing, people: &People) -> Result<IncidentListing> {
    let name: EntryName = incident.id.parse()?;
    let mut photos = c
        .prepare_cached(
            "SELECT p.log, p.seq, p.device, o.state, (SELECT member FROM device d WHERE d.device = p.device)
             FROM photo p JOIN object o ON o.log = p.log AND o.branch = p.branch AND o.seq = p.seq AND o.kind = 2
             WHERE p.subject_log = ?1 AND p.subject_seq = ?2 ORDER BY p.log, p.branch, p.seq",
        )
        .map_err(sql)?;
    let seq = i64::try_from(name.seq).unwrap_or(i64::MAX);
    let rows: Vec<MissingListing> = photos
        .query_map(params![name.log.0, seq], |row| {
            let member = MemberNo(row.get::<_, Option<u32>>(4)?.unwrap_or(0));
            Ok(MissingListing {
                id: Some(self::name(LogId(row.get(0)?), seq_from_sql(row.get(1)?))),
                state: row.get(3)?,
                device: DeviceId(row.get(2)?).to_string(),
                member: people.member_name(member),
                member_no: member.0,
            })
        })
        .and_then(Iterator::collect)
        .map_err(sql)?;
    incident.photos = rows.len() as u64;
    // The count of the report is of its own phone's photographs; one that stands in two branches was taken once.
    let own: BTreeSet<&Option<String>> = rows.iter().filter(|row| row.device == incident.device).map(|row| &row.id).collect();
    let own = own.len() as u64;
    for photo in rows {
        match ObjectState::from_code(&photo.state) {
            Some(ObjectState::Verified) => {}
            Some(ObjectState::Erased) => incident.erased += 1,
            Some(ObjectState::Altered) => incident.altered.push(photo),
            _ => incident.missing.push(photo),
        }
    }
    // Photographs that the report counted and whose entries have not come: its own phone has them.
    let unnamed = incident.attachments.saturating_sub(own);
    incident.unnamed = unnamed;
    if unnamed > 0 {
        let member: Option<u32> = c
            .prepare_cached("SELECT d.member FROM log l JOIN device d ON d.device = l.device WHERE l.log = ?")
            .and_then(|mut s| s.query_row([&name.log.0[..]], |row| row.get(0)).optional())
            .map_err(sql)?;
        let member = MemberNo(member.unwrap_or(0));
        let expected = MissingListing {
            id: None,
            state: ObjectState::Expected.code().to_owned(),
            device: incident.device.clone(),
            member: people.member_name(member),
            member_no: member.0,
        };
        // The report's word is not proof: no more lines than a person would read.
        incident.missing.extend(std::iter::repeat_n(expected, unnamed.min(crate::limits::UNNAMED_LISTED_MAX) as usize));
    }
    incident.complete = incident.missing.is_empty() && incident.altered.is_empty() && incident.erased == 0 && incident.report == "here";
    Ok(incident)
}
