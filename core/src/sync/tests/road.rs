//! The road between phone and hub, and what can happen on it.

use super::hub::Hub;
use super::phone::Phone;
use crate::sync::{Failure, Method, Outcome, Reply, Request, Step, Sync};

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Luck {
    /// It arrives, and so does the answer.
    Through,
    /// It never arrives.
    Lost,
    /// It arrives; the answer does not.
    ReplyLost,
    /// It arrives twice, and so does the answer.
    Twice,
    /// There is no connection at all.
    NoRoad,
    /// So many bytes of a file arrive, and as many more were handed to the road; there is no answer. A request
    /// without a file is lost.
    Cut(u64, u64),
}

/// Drives one sync to its end. `pick` chooses which of the requests in the air moves next and what luck it has.
pub(super) fn drive(sync: &mut Sync, phone: &mut Phone, hub: &mut Hub, pick: &mut dyn FnMut(usize, &Request) -> (usize, Luck)) -> Outcome {
    let mut air: Vec<Request> = Vec::new();
    let mut steps = 0;
    loop {
        steps += 1;
        assert!(steps < 100_000, "a sync that never ends");
        let outcome = match next(sync, phone) {
            Step::Send(request) => {
                air.push(request);
                continue;
            }
            Step::Wait { for_ms: Some(ms) } if air.is_empty() => {
                phone.clock.advance_ms(ms);
                continue;
            }
            Step::Wait { .. } => None,
            Step::Done(outcome) => Some(outcome),
        };
        if let Some(outcome) = outcome {
            assert!(air.is_empty(), "done while something is in the air");
            return outcome;
        }
        assert!(!air.is_empty(), "waiting for nothing");
        let (index, luck) = pick(air.len(), &air[0]);
        let request = air.remove(index % air.len());
        phone.clock.advance_ms(20);
        carry(sync, phone, hub, &request, luck);
    }
}

pub(super) fn next(sync: &mut Sync, phone: &mut Phone) -> Step {
    sync.next(phone).unwrap()
}

pub(super) fn reply(sync: &mut Sync, phone: &mut Phone, id: u64, reply: Reply) {
    sync.on_reply(id, reply, phone).unwrap();
}

pub(super) fn fail(sync: &mut Sync, phone: &mut Phone, id: u64, failure: Failure) {
    sync.on_failure(id, failure, phone).unwrap();
}

fn carry(sync: &mut Sync, phone: &mut Phone, hub: &mut Hub, request: &Request, luck: Luck) {
    match luck {
        Luck::Through => {
            let answer = hub.handle(request, phone);
            reply(sync, phone, request.id, answer);
        }
        Luck::Twice => {
            let answer = hub.handle(request, phone);
            let again = hub.handle(request, phone);
            reply(sync, phone, request.id, answer);
            reply(sync, phone, request.id, again);
        }
        Luck::ReplyLost => {
            let handed_bytes = hub.handle(request, phone).handed_bytes;
            fail(sync, phone, request.id, Failure::Lost { why: "cut".into(), handed_bytes });
        }
        Luck::Lost => fail(sync, phone, request.id, Failure::lost("cut")),
        Luck::Cut(arrived, air) => {
            let mut handed_bytes = 0;
            if request.method == Method::Patch {
                hub.reads(phone);
                let body = phone.read(request);
                let arrived = body.len().min(arrived as usize);
                hub.handle_body(request, &body[..arrived]);
                handed_bytes = (arrived as u64 + air).min(body.len() as u64);
            }
            fail(sync, phone, request.id, Failure::Lost { why: "cut".into(), handed_bytes });
        }
        Luck::NoRoad => fail(sync, phone, request.id, Failure::Unreachable("no signal".into())),
    }
}

/// A sync on a good day.
pub(super) fn sync(phone: &mut Phone, hub: &mut Hub) -> Outcome {
    drive(&mut Sync::new(), phone, hub, &mut |_, _| (0, Luck::Through))
}
