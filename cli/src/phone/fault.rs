//! What the phone's core says, as one sentence with one exit code.

use std::path::Path;

use yenban_core::error::Error;
use yenban_locales::Words;

use crate::fault::{Fault, io_reason, unreadable};
use crate::reason::{self, field, said};

/// The sentence for an error of the store in `store`.
pub(crate) fn of(error: &Error, store: &Path, words: Words) -> Fault {
    match error {
        Error::StoreBusy { path, .. } => Fault::could_not("error-store-busy").at(path),
        Error::NotAStore { path, .. } => Fault::could_not("error-store-foreign").at(path),
        Error::NoStore { path } => Fault::usage("error-store-not-enrolled").at(path),
        Error::StoreDamaged { path, why } => Fault::could_not("error-store-damaged").at(path).with("reason", said(why, words)),
        Error::SchemaTooNew { path } => Fault::could_not("error-store-newer").at(path),
        Error::Io { path, source, .. } if source.kind() == std::io::ErrorKind::NotFound => unreadable(path, source, words),
        Error::Io { path, source, .. } => Fault::could_not("error-file").at(path).with("reason", io_reason(source, words)),
        Error::Sql { what, source } => {
            let reason = format!("{what}: {source}");
            Fault::could_not("error-database").at(store).with("reason", said(&reason, words))
        }
        Error::StorageFull => Fault::could_not("error-disk-full").at(store),
        Error::NoRoom { missing_bytes } => Fault::could_not("error-no-room").at(store).count("mb", missing_bytes.div_ceil(1_000_000)),
        Error::NotSaved { source } => Fault::could_not("error-not-saved").at(store).with("reason", said(&source.to_string(), words)),
        Error::KeyStore(reason) => Fault::could_not("error-keys").at(store).with("reason", said(reason, words)),
        Error::KeyMismatch => Fault::could_not("error-keys-foreign").at(store),
        Error::Locked => Fault::usage("error-pin-needed"),
        Error::PinWrong { left } => Fault::no("phone-pin-wrong").count("left", u64::from(*left)).coded("pin-wrong"),
        Error::PinDisabled => Fault::no("error-pin-disabled"),
        Error::PinRefused { why } => Fault::usage("error-pin-refused").with("reason", said(why, words)),
        Error::NoPin => Fault::usage("error-pin-none").at(store),
        Error::NotEnrolled => Fault::usage("error-store-not-enrolled").at(store),
        Error::AlreadyEnrolled => Fault::usage("error-store-enrolled").at(store),
        Error::NoPatrol => Fault::usage("error-patrol-none").at(store),
        Error::PatrolUnderWay { patrol } => Fault::usage("error-patrol-open").with("patrol", patrol),
        Error::PatrolPaused => Fault::usage("error-patrol-paused").at(store),
        Error::PatrolNotPaused => Fault::usage("error-patrol-not-paused"),
        Error::Unknown { what, name } => unknown(what, name, store),
        Error::Invalid { what, why } => Fault::usage("error-input").with("what", field(what, words)).with("reason", said(why, words)),
        Error::Untrusted { what, why } => Fault::no("error-untrusted").with("what", field(what, words)).with("reason", said(why, words)),
        Error::LogBroken { at, why } => Fault::could_not("error-log-broken").with("at", at).with("reason", said(why, words)),
        Error::Offline(_) => Fault::could_not("phone-offline").coded("offline"),
        Error::Refused { code, detail } => refused(code, detail, words),
        // The core may learn new ways to go wrong; its own sentence is better than none.
        other => Fault::could_not("error-inside").with("reason", said(&other.to_string(), words)),
    }
}

fn unknown(what: &str, name: &str, store: &Path) -> Fault {
    let id = match what {
        "incident" => "error-incident-unknown",
        "alert" => "error-alert-unknown",
        "member" => "error-member-unknown",
        _ => return Fault::usage("error-name-unknown").told("id", name),
    };
    Fault::usage(id).told("id", name).at(store)
}

/// What a hub that said no told us, by its code.
pub(crate) fn refused(code: &str, detail: &str, words: Words) -> Fault {
    let id = match code {
        "token_used" => "phone-join-code-used",
        "expired" => "phone-join-code-expired",
        "hub_mismatch" | "token_unknown" | "token_altered" => "phone-join-other-hub",
        "revoked" => "phone-lost",
        _ => "error-hub-refused",
    };
    Fault::no(id).with("reason", reason::refused(code, detail, words)).coded(code)
}
