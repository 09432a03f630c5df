//! The OpenAPI 3.1 document of everything that this hub answers to programs. It holds nothing of anybody.
//!
//! The routes of phones carry CBOR, whose forms docs/PROTOCOL.md has; here stand their addresses, sizes and answers. Pages of
//! the console are for people and are not in it. A test compares it with the router, and with the snapshot that was
//! reviewed.

use serde_json::{Map, Value, json};
use yenban_protocol::limits::{MAX_PARCEL_BYTES, MAX_REQUEST_BYTES, MAX_SEGMENT_BYTES};
use yenban_protocol::parcel::PARCELS_PATH;
use yenban_protocol::upload::{OBJECTS_PATH, TUS_VERSION, UPLOADS_PATH};
use yenban_protocol::wire::{MEDIA_TYPE, path};

use crate::limits::RETURNED_BODY_MAX_BYTES;

/// Where the document stands.
pub const PATH: &str = "/openapi.json";

fn content(kind: &str, schema: &Value) -> Value {
    json!({ kind: { "schema": schema } })
}

fn binary(kind: &str, most: usize) -> Value {
    content(kind, &json!({ "type": "string", "format": "binary", "maxLength": most }))
}

fn problem(about: &str) -> Value {
    json!({ "description": about, "content": content("application/problem+json", &json!({ "$ref": "#/components/schemas/Problem" })) })
}

fn answer(about: &str, kind: &str) -> Value {
    json!({ "description": about, "content": content(kind, &json!({ "type": "string", "format": "binary" })) })
}

/// A request whose body and answer are CBOR.
fn cbor(summary: &str, most: usize, answers: Value) -> Value {
    let mut responses = answers;
    responses["default"] = problem("Refused; `code` says why.");
    json!({ "summary": summary, "requestBody": { "required": true, "content": binary(MEDIA_TYPE, most) }, "responses": responses })
}

fn parameter(name: &str, place: &str, about: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": place, "description": about, "required": place == "path", "schema": schema })
}

fn features() -> Map<String, Value> {
    let root = "/console/features";
    let (text, id) = (
        json!({ "type": "string" }),
        parameter("id", "path", "Name of a collection.", &json!({ "enum": ["incidents", "check-ins", "patrols"] })),
    );
    let get = |summary: &str, kind: &str, parameters: &[Value]| {
        json!({ "get": {
            "summary": summary, "parameters": parameters, "security": [{ "session": [] }],
            "responses": {
                "200": { "description": "As asked.", "content": content(kind, &json!({ "type": "object" })) },
                "303": { "description": "Nobody is signed in; to the door." },
                "default": problem("Refused; `code` says why."),
            },
        } })
    };
    let asked = [
        id.clone(),
        parameter("bbox", "query", "west,south,east,north in degrees (CRS84).", &text),
        parameter("datetime", "query", "A moment, or two with / between, .. for an open end.", &text),
        parameter(
            "limit",
            "query",
            "Features in a page, at most.",
            &json!({ "type": "integer", "minimum": 1, "maximum": crate::limits::FEATURES_MAX }),
        ),
        parameter("after", "query", "As the link `next` says.", &text),
    ];
    let (plain, geo) = ("application/json", "application/geo+json");
    [
        (String::new(), get("Landing page (OGC API – Features).", plain, &[])),
        ("/conformance".into(), get("What is kept to.", plain, &[])),
        ("/collections".into(), get("Everything that can be asked for.", plain, &[])),
        ("/collections/{id}".into(), get("One collection.", plain, std::slice::from_ref(&id))),
        ("/collections/{id}/items".into(), get("Features of a collection.", geo, &asked)),
        ("/collections/{id}/items/{name}".into(), get("One feature.", geo, &[id, parameter("name", "path", "Its name, log:seq.", &text)])),
    ]
    .into_iter()
    .map(|(rest, operations)| (format!("{root}{rest}"), operations))
    .collect()
}

fn uploads() -> Map<String, Value> {
    let one =
        parameter("sha256", "path", "SHA-256 of the sealed file, hexadecimal.", &json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }));
    let tus = |summary: &str, status: &str, about: &str| {
        let mut responses = json!({ "default": problem("Refused; `code` says why.") });
        responses[status] = json!({ "description": about });
        json!({ "summary": summary, "responses": responses })
    };
    let mut patch = tus("Sends a chunk.", "204", "Taken; `Upload-Offset` says how far it came.");
    patch["requestBody"] = json!({ "required": true, "content": content("application/offset+octet-stream", &json!({ "type": "string", "format": "binary" })) });
    let collection = json!({
        "options": tus(&format!("What this speaks: tus {TUS_VERSION}."), "204", "In its headers."),
        "post": tus("Begins the upload of a file that an accepted entry names.", "201", "Begun; `Location` says where."),
    });
    let upload = json!({
        "parameters": [one],
        "options": tus("As for all of them.", "204", "In its headers."),
        "head": tus("How far it came.", "200", "`Upload-Offset` says."),
        "patch": patch,
        "delete": tus("Drops what came.", "204", "Dropped."),
    });
    let trimmed = UPLOADS_PATH.trim_end_matches('/');
    [(trimmed.to_owned(), collection), (format!("{trimmed}/{{sha256}}"), upload)].into_iter().collect()
}

/// The document.
pub fn document() -> Value {
    let receipt = |about: &str| answer(about, MEDIA_TYPE);
    let mut paths: Map<String, Value> = [
        (path::KEYS.to_owned(), json!({ "get": { "summary": "The key history of the commune, and the time.", "responses": { "200": receipt("Signed.") } } })),
        (path::ENROL.to_owned(), json!({ "post": cbor("Redeems a joining code.", MAX_REQUEST_BYTES, json!({ "200": receipt("Certificate, keys, time.") })) })),
        (
            path::SEGMENTS.to_owned(),
            json!({ "post": cbor("Delivers a sealed segment of a log.", MAX_SEGMENT_BYTES, json!({
                "200": receipt("Signed receipt."),
                "409": receipt("The log contradicts what is held; both are kept, and the signed receipt says what."),
            })) }),
        ),
        (path::FEED.to_owned(), json!({ "post": cbor("Asks for what is new for a device.", MAX_REQUEST_BYTES * 2, json!({ "200": receipt("Items, cursors, receipts.") })) })),
        (path::ITEMS.to_owned(), json!({ "post": cbor("Gives back signed items that the hub lost.", RETURNED_BODY_MAX_BYTES, json!({ "200": receipt("How many were taken.") })) })),
        (
            PARCELS_PATH.to_owned(),
            json!({ "post": cbor("Brings the sealed parcel of another phone.", MAX_PARCEL_BYTES, json!({
                "200": receipt("An answer sealed to its sender."),
                "204": { "description": "Taken; there is nobody to answer." },
            })) }),
        ),
        (OBJECTS_PATH.to_owned(), json!({ "post": cbor("Asks which sealed files are here.", MAX_REQUEST_BYTES, json!({ "200": receipt("Signed receipts.") })) })),
        ("/healthz".to_owned(), json!({ "get": { "summary": "Whether the hub answers.", "responses": { "200": { "description": "It does." } } } })),
        ("/metrics".to_owned(), json!({ "get": { "summary": "Counts for operators (OpenMetrics).", "responses": { "200": { "description": "Counts without content." } } } })),
        (PATH.to_owned(), json!({ "get": { "summary": "This document.", "responses": { "200": { "description": "OpenAPI 3.1." } } } })),
    ]
    .into_iter()
    .collect();
    paths.extend(uploads());
    paths.extend(features());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Yên Bản hub",
            "version": "1",
            "description": "What phones and programs ask of a commune's hub. Bodies of phones are deterministic CBOR, signed and sealed: docs/PROTOCOL.md.",
        },
        "paths": paths,
        "components": {
            "schemas": { "Problem": {
                "type": "object",
                "description": "RFC 9457.",
                "required": ["type", "title", "detail", "code", "status"],
                "properties": {
                    "type": { "type": "string" }, "title": { "type": "string" }, "detail": { "type": "string" },
                    "code": { "type": "string", "description": "What programs decide by." }, "status": { "type": "integer" },
                    "nearest": { "type": "array", "items": { "type": "string" } },
                },
            } },
            "securitySchemes": { "session": { "type": "apiKey", "in": "cookie", "name": "__Host-yenban" } },
        },
    })
}
