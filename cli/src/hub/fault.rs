//! What the hub says, as one sentence with one exit code.

use std::path::Path;

use jiff::Timestamp;
use serde_json::json;
use yenban_hub::{HubError, Problem};
use yenban_locales::Words;

use crate::fault::{Fault, io_reason, unreadable};
use crate::output::clean;
use crate::reason::{field, refused, said};

/// The sentence for an error of the hub in `dir`.
pub(crate) fn of(error: &HubError, dir: &Path, words: Words) -> Fault {
    match error {
        HubError::Refused(_) | HubError::Told(_) => of_problem(&Problem::from(error), dir, words),
        HubError::Storage(reason) => Fault::could_not("error-hub-file").with("reason", said(reason, words)),
        HubError::Store(reason) => Fault::could_not("error-hub-database").at(dir).with("reason", said(reason, words)),
        HubError::File { path, source } if source.kind() == std::io::ErrorKind::NotFound => unreadable(path, source, words),
        HubError::File { path, source } => Fault::could_not("error-file").at(path).with("reason", io_reason(source, words)),
        HubError::Folder { path, reason } => Fault::could_not("error-hub-folder").at(path).with("reason", said(reason, words)),
        HubError::Locked(path) => Fault::could_not("error-hub-running").at(path),
        HubError::Network(reason) => Fault::could_not("error-hub-network").with("reason", said(reason, words)),
        HubError::Ended => Fault::could_not("error-hub-ended").at(dir),
        HubError::Answer(_) => Fault::could_not("error-hub-answer").at(dir),
        HubError::Keys(reason) => Fault::could_not("error-keys").at(dir).with("reason", said(reason, words)),
        HubError::Stopping => Fault::could_not("error-hub-stopping"),
    }
}

/// The sentence for a problem document of the hub in `dir`.
fn of_problem(problem: &Problem, dir: &Path, words: Words) -> Fault {
    match problem.code.as_str() {
        "unknown_hamlet" => {
            let name = quoted(&problem.detail);
            match problem.nearest.is_empty() {
                true => Fault::usage("error-hamlet-unknown-alone").told("name", name),
                false => Fault::usage("error-hamlet-unknown").told("name", name).with("nearest", problem.nearest.join(", ")),
            }
        }
        "unknown_officer" => {
            let name = quoted(&problem.detail);
            match problem.nearest.is_empty() {
                true => Fault::usage("error-officer-unknown-alone").told("name", name),
                false => Fault::usage("error-officer-unknown").told("name", name).with("nearest", problem.nearest.join(", ")),
            }
        }
        "not_found" => not_found(&problem.detail, words),
        "held" => Fault::no("error-item-held"),
        "erased" => Fault::no("error-item-erased").with("reason", said(&problem.detail, words)),
        "storage_full" => Fault::could_not("error-hub-full"),
        "second_officer" => Fault::usage("error-second-officer-needed"),
        "bad_rows" => {
            // All of them: a clerk mends the file once, not once a row.
            let between = if problem.rows.len() > 1 { "\n  " } else { " " };
            let rows: String = problem.rows.iter().map(|row| format!("{between}{}: {}", row.line, clean(&row.reason))).collect();
            let fault = Fault::usage("error-csv-rows").at(dir).count("n", problem.rows.len() as u64).with("rows", rows);
            fault.listing("rows", json!(problem.rows))
        }
        "invalid" | "malformed" | "too_large" => Fault::usage("error-hub-input").with("reason", said(&problem.detail, words)),
        "stopping" => Fault::could_not("error-hub-stopping"),
        "file" | "folder" | "storage" => Fault::could_not("error-hub-file").with("reason", said(&problem.detail, words)),
        "locked" => Fault::could_not("error-hub-running").at(dir),
        _ if problem.status >= 500 => Fault::could_not("error-hub-database").at(dir).with("reason", said(&problem.detail, words)),
        _ => Fault::no("error-hub-not-done").with("reason", refused(&problem.code, &problem.detail, words)),
    }
    .coded(&problem.code)
}

/// What is not there: a hold, an incident since a time, or a thing by its name.
fn not_found(detail: &str, words: Words) -> Fault {
    let name = quoted(detail);
    let what = detail.strip_prefix("there is no ").and_then(|rest| rest.split(" \"").next()).unwrap_or_default();
    match (what, name.parse::<Timestamp>()) {
        ("hold on", _) => Fault::no("error-item-not-held").told("id", name),
        (_, Ok(since)) => Fault::usage("error-no-incident-since").with("time", words.date_time(since.as_millisecond())),
        _ => Fault::usage("error-hub-not-found").with("what", field(what, words)).told("name", name),
    }
}

/// What stands in the first pair of quotes: the name that was asked for.
fn quoted(detail: &str) -> &str {
    detail.split('"').nth(1).unwrap_or(detail)
}
