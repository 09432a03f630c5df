//! What the hub says, as one sentence with one exit code.

use std::path::Path;

use serde_json::json;
use yenban_hub::{HubError, Problem};
use yenban_locales::Words;

use crate::fault::{Fault, io_reason, unreadable};
use crate::output::clean;
use crate::reason::said;

/// The sentence for an error of the hub in `dir`.
pub(crate) fn of(error: &HubError, dir: &Path, words: Words) -> Fault {
    match error {
        HubError::Refused(_) | HubError::Told(_) => of_problem(&Problem::from(error), dir, words),
        HubError::Storage(reason) => Fault::could_not("error-hub-file").told("reason", reason),
        HubError::Store(reason) => Fault::could_not("error-hub-database").at(dir).told("reason", &said(reason, words)),
        HubError::File { path, source } if source.kind() == std::io::ErrorKind::NotFound => unreadable(path, source, words),
        HubError::File { path, source } => Fault::could_not("error-file").at(path).with("reason", io_reason(source, words)),
        HubError::Folder { path, reason } => Fault::could_not("error-hub-folder").at(path).told("reason", &said(reason, words)),
        HubError::Locked(path) => Fault::could_not("error-hub-running").at(path),
        HubError::Network(reason) => Fault::could_not("error-hub-network").told("reason", reason),
        HubError::Keys(reason) => Fault::could_not("error-keys").at(dir).told("reason", reason),
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
        "not_found" => Fault::usage("error-hub-not-found").told("name", quoted(&problem.detail)),
        "held" => Fault::no("error-item-held"),
        "erased" => Fault::no("error-item-erased"),
        "storage_full" => Fault::could_not("error-hub-full"),
        "second_officer" => Fault::usage("error-second-officer-needed"),
        "bad_rows" => {
            // All of them: a clerk mends the file once, not once a row.
            let between = if problem.rows.len() > 1 { "\n  " } else { " " };
            let rows: String = problem.rows.iter().map(|row| format!("{between}{}: {}", row.line, clean(&row.reason))).collect();
            let fault = Fault::usage("error-csv-rows").at(dir).count("n", problem.rows.len() as u64).with("rows", rows);
            fault.listing("rows", json!(problem.rows))
        }
        "invalid" | "malformed" | "too_large" => Fault::usage("error-hub-input").told("reason", &said(&problem.detail, words)),
        "stopping" => Fault::could_not("error-hub-stopping"),
        "file" | "folder" | "storage" => Fault::could_not("error-hub-file").told("reason", &problem.detail),
        "locked" => Fault::could_not("error-hub-running").at(dir),
        _ if problem.status >= 500 => Fault::could_not("error-hub-database").at(dir).told("reason", &said(&problem.detail, words)),
        _ => Fault::no("error-hub-refused").told("reason", &problem.detail),
    }
    .coded(&problem.code)
}

/// What stands in the first pair of quotes: the name that was asked for.
fn quoted(detail: &str) -> &str {
    detail.split('"').nth(1).unwrap_or(detail)
}
