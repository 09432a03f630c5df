//! Photographs in the console: the smaller copies as pictures, the original as a file, each with its custody record.
//!
//! A file leaves only for somebody who may read, sees the hamlet and said what for; after it was read again and is what
//! its entry names; and after the custody record says who saw it. The hub never decodes a picture: it says `image/...`
//! only of what begins like one, everything else is a file to be saved.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use yenban_locales::Words;
use yenban_protocol::custody::{Action, Commit, Who};
use yenban_protocol::text::display_safe;

use super::chrome::{failed, refused, see_other};
use super::guard::{Asked, May, Read};
use crate::access::{self, Session};
use crate::app::Hub;
use crate::error::{Refusal, Result};
use crate::scrub;
use crate::storage::sealed;
use crate::store::{CustodyNote, CustodyRow, EvidenceListing, IncidentListing, ItemName, ListQuery, ObjectKind, ObjectRow, ObjectState};
use crate::triage::find;

/// First bytes that tell the kind of a picture.
const SNIFF_BYTES: usize = 12;

/// One line of a custody record.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub number: String,
    pub at: String,
    pub what: String,
    pub who: String,
}

/// What a page shows of one photograph's files.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    /// A picture to show.
    pub picture: Option<String>,
    /// The larger copy, or the one there is.
    pub larger: Option<String>,
    /// The original, to be saved.
    pub original: Option<String>,
    /// What was done with it, oldest first.
    pub custody: Vec<Kept>,
}

/// The name of an item as an address has it: `log:seq`, `log:seq-1` for a branch.
fn part(item: &ItemName) -> String {
    match item.branch {
        0 => item.entry.to_string(),
        branch => format!("{}-{branch}", item.entry),
    }
}

/// What can be shown of a photograph, and its custody record.
pub(super) async fn files(hub: &Hub, words: Words, row: &IncidentListing, photo: &EvidenceListing) -> Result<Files> {
    let item = ItemName { entry: photo.id.parse()?, branch: photo.branch };
    let path = |kind: ObjectKind| format!("/console/incidents/{}/photos/{}/{}", row.id, part(&item), kind.code());
    let copy =
        |kind: ObjectKind| photo.previews.iter().any(|copy| copy.kind == kind.code() && copy.state == "verified").then(|| path(kind));
    let (small, larger) = (copy(ObjectKind::Thumbnail), copy(ObjectKind::Preview));
    let chain = hub.store.custody(item, i64::MAX).await?;
    Ok(Files {
        picture: small.clone().or_else(|| larger.clone()),
        larger: larger.or(small),
        original: (photo.state == "verified").then(|| path(ObjectKind::Original)),
        custody: chain.iter().map(|row| kept(words, row)).collect(),
    })
}

fn kept(words: Words, row: &CustodyRow) -> Kept {
    let action = words.word(&format!("custody-{}", row.facts.action.code().replace('_', "-")));
    let file = row.facts.note.as_deref().map(|note| format!("minute-file-{note}")).filter(|id| words.has(id)).map(|id| words.word(&id));
    let who = match &row.record.who {
        Commit::Told { who, .. } => Who::from_bytes(who).ok(),
        Commit::Erased(_) => None,
    };
    let told = who.map(|who| match who.purpose.is_empty() {
        true => actor(words, &who.actor),
        false => format!("{} · {}", actor(words, &who.actor), display_safe(&who.purpose)),
    });
    Kept {
        number: (row.number + 1).to_string(),
        at: words.date_time(row.facts.at_ms),
        what: file.map_or(action.clone(), |file| format!("{action}: {file}")),
        who: told.unwrap_or_else(|| words.word("minute-custody-erased")),
    }
}

fn actor(words: Words, name: &str) -> String {
    if let Some(device) = name.strip_prefix("device ") {
        return format!("{} {}", words.word("minute-actor-device"), display_safe(device));
    }
    match name {
        "hub" | "operator" => words.word(&format!("minute-actor-{name}")),
        _ => display_safe(name),
    }
}

/// The kind that a browser may draw, by the first bytes; nothing else rests on it.
fn picture(first: &[u8]) -> Option<(&'static str, &'static str)> {
    match first {
        [0xff, 0xd8, 0xff, ..] => Some(("image/jpeg", "jpg")),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(("image/png", "png")),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(("image/webp", "webp")),
        _ => None,
    }
}

/// A file that may leave.
struct Leaving {
    row: ObjectRow,
    stored: crate::store::StoredAs,
    first: Vec<u8>,
}

/// Why none leaves.
enum Stays {
    /// The purpose is asked on the report's page.
    Unasked,
    /// It is not what it was; phones were asked for it.
    Changed,
}

fn not_there(name: &str) -> Refusal {
    Refusal::NotFound { what: "photograph", name: name.to_owned() }
}

async fn leaving(hub: &Hub, session: &Session, id: &str, photo: &str, file: &str) -> Result<std::result::Result<Leaving, Stays>> {
    let row = find(hub, id, session.query()).await?;
    let kind = [ObjectKind::Thumbnail, ObjectKind::Preview, ObjectKind::Original].into_iter().find(|kind| kind.code() == file);
    let kind = kind.ok_or_else(|| not_there(photo))?;
    let (entry, branch) = photo.split_once('-').unwrap_or((photo, "0"));
    let item = ItemName { entry: entry.parse().map_err(|_| not_there(photo))?, branch: branch.parse().map_err(|_| not_there(photo))? };
    // A photograph of this report, not of any other.
    let query = ListQuery { name: Some(row.id.clone()), ..ListQuery::default() };
    let listed = hub.store.evidence(query).await?;
    let id = item.entry.to_string();
    if !listed.iter().any(|one| one.id == id && one.branch == item.branch) {
        return Err(not_there(photo).into());
    }
    let Some(purpose) = access::view(hub, session, &row.id).await? else { return Ok(Err(Stays::Unasked)) };
    let rows = hub.store.objects_of(item).await?;
    let object = rows.into_iter().find(|object| object.kind == kind && object.state == ObjectState::Verified);
    let object = object.ok_or_else(|| not_there(photo))?;
    let mut first = Vec::with_capacity(SNIFF_BYTES);
    let found = scrub::read_again(hub, object, |chunk| {
        let more = SNIFF_BYTES.saturating_sub(first.len()).min(chunk.len());
        first.extend_from_slice(&chunk[..more]);
        Ok(())
    });
    let found = found.await?;
    let stored = match (found.state, found.row.stored.clone()) {
        (ObjectState::Verified, Some(stored)) => stored,
        _ => {
            scrub::settle(hub, vec![found]).await?;
            return Ok(Err(Stays::Changed));
        }
    };
    let object = found.row;
    // Before the first byte: nobody sees it unnoted.
    let note = CustodyNote {
        item,
        action: Action::Viewed,
        at_ms: hub.now_ms(),
        about: Some((object.sha256, object.size_bytes)),
        code: Some(kind.code().to_owned()),
        actor: session.officer.clone(),
        purpose,
    };
    hub.store.note_custody(vec![note]).await?;
    Ok(Ok(Leaving { row: object, stored, first }))
}

/// A file of a photograph.
pub(super) async fn file(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Read>,
    Path((id, photo, file)): Path<(String, String, String)>,
) -> Response {
    match leaving(&hub, &session, &id, &photo, &file).await {
        Ok(Ok(leaving)) => sent(&hub, leaving),
        Ok(Err(Stays::Unasked)) => see_other(&format!("/console/incidents/{id}")),
        Ok(Err(Stays::Changed)) => refused(&asked, StatusCode::CONFLICT, "incident-photo-changed"),
        Err(error) => failed(&asked, &error),
    }
}

fn sent(hub: &Hub, Leaving { row, stored, first }: Leaving) -> Response {
    let drawn = picture(&first);
    let name = format!("{}-{}", row.item.entry.to_string().replace(':', "-"), row.kind.code());
    // The original is saved and looked at with a program of the officer's choice: its bytes stay the camera's.
    let (kind, disposition) = match drawn {
        Some((kind, ending)) if row.kind != ObjectKind::Original => (kind, format!("inline; filename=\"{name}.{ending}\"")),
        Some((kind, ending)) => (kind, format!("attachment; filename=\"{name}.{ending}\"")),
        None => ("application/octet-stream", format!("attachment; filename=\"{name}.bin\"")),
    };
    let length = row.size_bytes;
    let mut response = Response::new(Body::from_stream(sealed::contents(Arc::clone(&hub.storage), stored)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}
