//! What every map of the console stands on: the library that draws, the official names of communes, and a base map of the
//! operator's choice. All of it comes from this hub; nothing is asked of anybody else.
//!
//! The base map is one file in the hub's folder, `map.pmtiles`, read in ranges as its format wants it. No part of a request
//! names a file, and a link is not followed.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};

use serde_json::{Value, json};
use yenban_locales::Words;
use yenban_protocol::text::display_safe;

use super::chrome::failed;
use super::figure::degrees;
use super::guard::{Asked, May, Read};
use crate::app::Hub;
use crate::error::{HubError, Result};
use crate::limits::BASE_MAP_RANGE_MAX_BYTES;
use crate::store::HamletRow;

/// The commune's own part of the ground: its hamlets, its code, the words of the map, and whether there is a base map.
/// Nothing in it is about anybody.
pub(super) async fn own(State(hub): State<Arc<Hub>>, asked: Asked, May(_, _): May<Read>) -> Response {
    let people = match hub.store.people().await {
        Ok(people) => people,
        Err(error) => return failed(&asked, &error),
    };
    let hamlet = |hamlet: &HamletRow| {
        let (lat, lon) = hamlet.centre_e7?;
        Some(json!([hamlet.no.0, display_safe(&hamlet.name), degrees(lat), degrees(lon)]))
    };
    let document = json!({
        "hamlets": people.hamlets.iter().filter_map(hamlet).collect::<Vec<Value>>(),
        "commune": hub.identity().commune,
        "base": has_base(&hub),
        "words": said(asked.words),
    });
    ([(CONTENT_TYPE, "application/json")], document.to_string()).into_response()
}

/// The words that a map's script says.
fn said(words: Words) -> Value {
    let ids = [
        ("closer", "map-closer"),
        ("further", "map-further"),
        ("whole", "map-whole"),
        ("failed", "map-failed"),
        ("asleep", "map-asleep"),
        ("polygon", "map-polygon"),
        ("circle", "map-circle"),
        ("done", "map-done"),
        ("clear", "map-clear"),
        ("drawing", "map-drawing"),
        ("centring", "map-centring"),
        ("hoangSa", "map-hoang-sa"),
        ("truongSa", "map-truong-sa"),
        ("touch", "map-touch"),
        ("wheel", "map-wheel"),
    ];
    Value::Object(ids.into_iter().map(|(name, id)| (name.to_owned(), json!(words.word(id)))).collect())
}

/// Names of communes; its columns stand in its first line.
pub(super) const COMMUNES: &str = include_str!("../../assets/communes.csv");
/// A year: the version stands in the address.
const FOR_EVER: &str = "max-age=31536000, immutable";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// A file of others, as it was published (`assets/vendor/NOTICE`).
pub(super) async fn vendored(Path(name): Path<String>) -> Response {
    let text = match name.as_str() {
        "maplibre-gl-6.17.0.mjs" => include_str!("../../assets/vendor/maplibre-gl.mjs"),
        "maplibre-gl-worker-6.17.0.mjs" => include_str!("../../assets/vendor/maplibre-gl-worker.mjs"),
        "pmtiles-4.5.0.js" => include_str!("../../assets/vendor/pmtiles.js"),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(CONTENT_TYPE, JAVASCRIPT), (CACHE_CONTROL, FOR_EVER)], text).into_response()
}

/// Whether the operator put a base map into the folder.
pub(super) fn has_base(hub: &Hub) -> bool {
    std::fs::symlink_metadata(hub.folder.base_map()).is_ok_and(|file| file.is_file() && file.len() > 0)
}

/// First and last byte asked for, `bytes=a-b` or `bytes=a-`, cut to the file and to the limit; `None`: not a range that is
/// given out.
fn range(asked: &str, length: u64) -> Option<(u64, u64)> {
    let (first, last) = asked.strip_prefix("bytes=")?.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(first) || !digits(last) {
        return None;
    }
    let first: u64 = first.parse().ok()?;
    let wanted = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
    let last = wanted.min(length.checked_sub(1)?).min(first.checked_add(BASE_MAP_RANGE_MAX_BYTES - 1)?);
    (first <= last).then_some((first, last))
}

/// A part of the file, with its first and last byte, the file's length and its mark.
struct Piece {
    bytes: Vec<u8>,
    first: u64,
    last: u64,
    length: u64,
    mark: String,
}

/// Reads a piece. `Ok(None)`: there is no base map; `Ok(Some(Err(length)))`: it has no such range.
fn read(path: &FilePath, asked: &str) -> Result<Option<std::result::Result<Piece, u64>>> {
    let named = match std::fs::symlink_metadata(path) {
        Ok(named) => named,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(HubError::file(path)(e)),
    };
    let mut file = File::open(path).map_err(HubError::file(path))?;
    let about = file.metadata().map_err(HubError::file(path))?;
    // A link is another file than the one it leads to.
    if !about.is_file() || (about.dev(), about.ino()) != (named.dev(), named.ino()) {
        return Ok(None);
    }
    let Some((first, last)) = range(asked, about.len()) else { return Ok(Some(Err(about.len()))) };
    let mut bytes = vec![0; usize::try_from(last - first + 1).unwrap_or_default()];
    file.seek(SeekFrom::Start(first)).and_then(|_| file.read_exact(&mut bytes)).map_err(HubError::file(path))?;
    // Another file under this name has another mark: what a page read of the old one does not fit it.
    let mark = format!("\"{:x}-{:x}-{:x}\"", about.ino(), about.mtime(), about.len());
    Ok(Some(Ok(Piece { bytes, first, last, length: about.len(), mark })))
}

/// A range of the base map. Whoever asks for all of it is told that ranges are given: it may be many gigabytes.
pub(super) async fn base(State(hub): State<Arc<Hub>>, asked: Asked, May(_, _): May<Read>, headers: HeaderMap) -> Response {
    let path = hub.folder.base_map();
    let wanted = headers.get(RANGE).and_then(|value| value.to_str().ok()).unwrap_or("bytes=0-").to_owned();
    let found = tokio::task::spawn_blocking(move || read(&path, &wanted)).await;
    match found.map_err(|e| HubError::Store(e.to_string())).and_then(|found| found) {
        Err(error) => failed(&asked, &error),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Ok(Some(Err(length))) => (StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, format!("bytes */{length}"))]).into_response(),
        Ok(Some(Ok(piece))) => {
            let headers: [(HeaderName, String); 5] = [
                (CONTENT_TYPE, "application/vnd.pmtiles".to_owned()),
                (ACCEPT_RANGES, "bytes".to_owned()),
                (CONTENT_RANGE, format!("bytes {}-{}/{}", piece.first, piece.last, piece.length)),
                (ETAG, piece.mark),
                (CACHE_CONTROL, "private, max-age=3600".to_owned()),
            ];
            (StatusCode::PARTIAL_CONTENT, headers, piece.bytes).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_file_and_to_the_limit() {
        assert_eq!(range("bytes=0-9", 100), Some((0, 9)));
        assert_eq!(range("bytes=90-400", 100), Some((90, 99)));
        assert_eq!(range("bytes=0-", u64::MAX), Some((0, BASE_MAP_RANGE_MAX_BYTES - 1)));
        for wrong in
            ["", "bytes=", "bytes=-5", "bytes=9-1", "bytes=100-", "bytes=0-1,5-6", "bytes=+1-2", "lines=0-1", "bytes=99999999999999999999-"]
        {
            assert_eq!(range(wrong, 100), None, "{wrong}");
        }
        assert_eq!(range("bytes=0-0", 0), None);
    }

    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("secret"), dir.path().join("map.pmtiles"));
        std::fs::write(&real, b"not for the browser").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(read(&link, "bytes=0-").unwrap().is_none());
        assert!(read(&dir.path().join("none"), "bytes=0-").unwrap().is_none());
        let Some(Ok(piece)) = read(&real, "bytes=4-6").unwrap() else { panic!("a piece") };
        assert_eq!((piece.bytes.as_slice(), piece.first, piece.last, piece.length), (b"for".as_slice(), 4, 6, 19));
    }

    #[test]
    fn every_commune_has_a_name_and_a_place_in_viet_nam() {
        let rows: Vec<Vec<&str>> = COMMUNES.lines().skip(1).map(|line| line.split(',').collect()).collect();
        assert_eq!(rows.len(), 3_321);
        for row in &rows {
            assert_eq!(row.len(), 6, "{row:?}");
            let (lat, lon): (f64, f64) = (row[3].parse().unwrap(), row[4].parse().unwrap());
            assert!((8.0..24.0).contains(&lat) && (102.0..118.0).contains(&lon), "{row:?}");
        }
        for islands in ["Đặc khu Hoàng Sa", "Đặc khu Trường Sa"] {
            assert!(rows.iter().any(|row| row[1] == islands), "{islands}");
        }
    }
}
