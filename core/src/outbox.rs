//! The outbox is a view: what waits, what went, what arrived, and why something does not go. Nothing in
//! it is stored per entry.

use yenban_protocol::range::RangeSet;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, last: u64, rejections: u32, reason: &str) -> AttemptRow {
        AttemptRow { first, last, attempts: 2, rejections, reason: reason.into() }
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
