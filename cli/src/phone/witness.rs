//! The phone as a witness: the heads of the custody record that it remembers, to be compared with a bundle's.

use serde_json::json;

use super::Job;
use crate::fault::{Fault, Result, unwritable};
use crate::time::rfc3339;

/// Digits of a root that people compare by eye; the whole stands in the document.
const ROOT_DIGITS: usize = 16;

fn write_new(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    std::io::Write::write_all(&mut std::fs::File::create_new(path)?, bytes)
}

/// `witness`.
pub(super) fn witness(job: &Job<'_>) -> Result<()> {
    let phone = job.open()?;
    let heads = phone.witness().map_err(|error| job.fault(&error))?;
    let out = job.values.path("out")?;
    if let Some(path) = &out {
        crate::files::free(path)?;
        // A file of no heads would look like a witness who found nothing wrong.
        if heads.is_empty() {
            return Err(Fault::no("phone-empty-witness"));
        }
        let bytes = phone.witness_export().map_err(|error| job.fault(&error))?;
        write_new(path, &bytes).map_err(|error| unwritable(path, &error, job.words()))?;
    }
    let rows: Vec<_> = heads
        .iter()
        .map(|head| {
            json!({
                "number": head.number, "day": head.day, "items": head.items, "root": head.root, "at": rfc3339(head.at_ms),
                "contradicted": head.contradicted,
            })
        })
        .collect();
    job.out.document(&json!(rows))?;
    if heads.is_empty() {
        return job.out.line(&job.words().word("phone-empty-witness"));
    }
    for head in &heads {
        let root = head.root.get(..ROOT_DIGITS).unwrap_or(&head.root);
        let figures = [
            ("number", head.number.into()),
            ("time", job.words().date_time(head.at_ms).into()),
            ("items", head.items.into()),
            ("root", root.into()),
        ];
        job.out.say(if head.contradicted { "cli-witness-contradicted" } else { "cli-witness-head" }, &figures)?;
    }
    match out {
        Some(path) => job.out.say("cli-witness-written", &[("path", path.display().to_string().into()), ("n", heads.len().into())]),
        None => Ok(()),
    }
}
