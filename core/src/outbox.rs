//! The outbox is a view: what waits, what went, what arrived, and why something does not go. Nothing in
//! it is stored per entry.

use yenban_protocol::range::RangeSet;

use crate::store::spool_files::OpenFile;
use crate::store::spool_send::AttemptRow;

/// How one entry stands with the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SendState {
    pub state: &'static str,
    pub reason: String,
    pub attempts: u32,
}

/// The state of entry `seq`. A receipt wins over everything: what the hub holds has arrived, whatever
/// was noted before.
pub(crate) fn send_state(seq: u64, received: &RangeSet, parked: Option<&str>, attempts: &[AttemptRow]) -> SendState {
    let covering: Vec<&AttemptRow> = attempts.iter().filter(|a| (a.first..=a.last).contains(&seq)).collect();
    let tries = covering.iter().fold(0u32, |n, a| n.saturating_add(a.attempts));
    let refused = covering.iter().find(|a| a.rejections > 0 && !a.reason.is_empty());
    let state = |state, reason: &str| SendState { state, reason: reason.to_owned(), attempts: tries };
    if received.contains(seq) {
        return SendState { attempts: tries.max(1), ..state("received", "") };
    }
    if let Some(reason) = parked {
        return state("parked", reason);
    }
    if let Some(run) = refused {
        return state("unsent", &run.reason);
    }
    if tries > 0 {
        return state("sent", "");
    }
    state("unsent", "")
}

/// The state of an entry together with the files it names: what the hub holds of it has arrived when they have.
pub(crate) fn with_files<'a>(entry: SendState, files: impl Iterator<Item = &'a OpenFile>) -> SendState {
    if entry.state != "received" {
        return entry;
    }
    files.fold(entry, |entry, file| {
        let attempts = entry.attempts.saturating_add(file.attempts);
        let told = |state: &'static str, why: Option<&str>| SendState { state, reason: why.unwrap_or(ON_ITS_WAY).to_owned(), attempts };
        match (&file.parked, &file.reason) {
            (Some(why), _) if file.is_erased() => SendState { reason: why.clone(), attempts, ..entry },
            (Some(why), _) => told("parked", Some(why)),
            (None, _) if entry.state == "parked" => SendState { attempts, ..entry },
            (None, why) => told("sent", why.as_deref()),
        }
    })
}

/// Why an entry is not received although the hub has it, when there is nothing worse to tell.
const ON_ITS_WAY: &str = "file_on_its_way: the file that it names has not arrived yet";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::spool_capture::FileKind;

    fn run(first: u64, last: u64, rejections: u32, reason: &str) -> AttemptRow {
        AttemptRow { first, last, attempts: 2, rejections, reason: reason.into() }
    }

    fn file(parked: Option<&str>, reason: Option<&str>) -> OpenFile {
        let (parked, reason) = (parked.map(str::to_owned), reason.map(str::to_owned));
        let entry = crate::store::Key::new(1, 4);
        OpenFile { entry, photo: entry, kind: FileKind::Original, attempts: 1, parked, reason }
    }

    #[test]
    fn an_entry_has_arrived_when_its_files_have() {
        let state = |state, reason: &str| SendState { state, reason: reason.into(), attempts: 1 };
        let of = |files: &[OpenFile]| with_files(state("received", ""), files.iter());
        assert_eq!(of(&[]), state("received", ""));
        assert_eq!(of(&[file(None, None)]).state, "sent");
        assert!(of(&[file(None, None)]).reason.starts_with("file_on_its_way"));
        assert_eq!(of(&[file(None, Some("not_named: x"))]), SendState { attempts: 2, ..state("sent", "not_named: x") });
        let parked = [file(None, None), file(Some("wrong_hash: x"), None), file(None, None)];
        assert_eq!(of(&parked), SendState { attempts: 4, ..state("parked", "wrong_hash: x") });
        assert_eq!(of(&[file(Some("erased: over"), None)]), SendState { attempts: 2, ..state("received", "erased: over") });
        assert_eq!(with_files(state("unsent", ""), [file(None, None)].iter()), state("unsent", ""));
    }

    #[test]
    fn a_receipt_wins_then_parking_then_refusal_then_silence() {
        let mut received = RangeSet::new();
        received.insert(0, 4);
        let attempts = [run(0, 9, 0, ""), run(7, 7, 1, "too_large")];
        let of = |seq, parked| send_state(seq, &received, parked, &attempts);
        assert_eq!(of(4, Some("old")).state, "received");
        assert_eq!(of(5, Some("too_large")), SendState { state: "parked", reason: "too_large".into(), attempts: 2 });
        assert_eq!(of(7, None), SendState { state: "unsent", reason: "too_large".into(), attempts: 4 });
        assert_eq!(of(9, None).state, "sent");
        assert_eq!(of(10, None), SendState { state: "unsent", reason: String::new(), attempts: 0 });
    }
}
