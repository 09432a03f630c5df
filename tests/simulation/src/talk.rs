//! The road between a phone and the hub: one message moves at a time, in any order, or does not.

use yenban_core::sync::{Failure, Request, Step, Sync};

use crate::chance::Chance;
use crate::coverage::{Doing, Fault};
use crate::hub::Reach;
use crate::phone::OnTheRoad;
use crate::world::{Holds, World, broken, lost};

/// A wait in the world's time is never longer than this: a test of sync that sleeps for ever is none.
const WAIT_MAX_MS: u64 = 120_000;

impl World {
    /// Moves one message.
    pub(crate) fn talk(&mut self, who: usize, dice: &mut Chance) -> Holds {
        let node = &mut self.phones[who];
        if node.phone.is_none() {
            return Ok(());
        }
        node.sync.get_or_insert_with(Sync::new);
        if node.road.is_empty() || dice.happens(300) {
            return self.ask(who, dice);
        }
        let at = dice.index(node.road.len());
        if at > 0 {
            let doing = Doing::of(&node.road[at].request);
            self.coverage.hit(Fault::Reordered, doing);
        }
        if self.phones[who].road[at].reply.is_some() { self.hand_over(who, at, dice) } else { self.carry(who, at, dice) }
    }

    /// Asks a phone's sync what it wants to send.
    pub(crate) fn ask(&mut self, who: usize, dice: &mut Chance) -> Holds {
        let node = &mut self.phones[who];
        let (Some(phone), Some(sync)) = (node.phone.as_mut(), node.sync.as_mut()) else { return Ok(()) };
        match sync.next(phone) {
            Ok(Step::Send(request)) => {
                self.remember(&request, dice);
                self.phones[who].road.push_back(OnTheRoad { request, reply: None });
            }
            Ok(Step::Wait { for_ms }) => {
                if node.road.is_empty() {
                    let Some(ms) = for_ms else { return broken("I-21", format!("the sync of phone {who} waits for an answer to nothing")) };
                    self.pass(ms.min(WAIT_MAX_MS));
                }
            }
            Ok(Step::Done(outcome)) => {
                node.last = Some(outcome);
                node.sync = None;
                // What is in the air may still arrive; nobody waits for it.
                node.road.clear();
            }
            Err(e) => {
                if !self.excused(who, &e) {
                    return broken("I-21", format!("the sync of phone {who} failed, and nothing was the matter with its disk: {e}"));
                }
                self.phones[who].sync = None;
                self.phones[who].road.clear();
            }
        }
        self.after_phone(who, Doing::Asking)
    }

    /// A request sets out.
    fn carry(&mut self, who: usize, at: usize, dice: &mut Chance) -> Holds {
        let request = self.phones[who].road[at].request.clone();
        let doing = Doing::of(&request);
        if self.phones[who].cut_off || self.hub.hub.is_none() {
            self.no_road(doing);
            return self.fail(who, at, &Failure::Unreachable("no signal".into()), doing);
        }
        let large = self.weather.narrow && matches!(doing, Doing::Segment | Doing::Chunk);
        if large || dice.happens(self.weather.lost / 2) {
            self.coverage.hit(Fault::RequestLost, doing);
            return self.fail(who, at, &lost("the road broke"), doing);
        }
        if dice.happens(self.weather.cut) {
            self.coverage.hit(Fault::Truncated, doing);
            let after = dice.below(request_len(&request));
            drop(self.hub.answer(&request, Reach::Cut(after)));
            self.after_hub(doing)?;
            return self.fail(who, at, &lost("the road broke in the middle"), doing);
        }
        if dice.happens(self.weather.again) {
            self.coverage.hit(Fault::Doubled, doing);
            drop(self.hub.answer(&request, Reach::Whole));
            self.after_hub(doing)?;
        }
        let reply = self.hub.answer(&request, Reach::Whole);
        self.after_hub(doing)?;
        match reply {
            Some(_) if dice.happens(self.weather.lost / 2) => {
                self.coverage.hit(Fault::AnswerLost, doing);
                self.fail(who, at, &lost("no answer came"), doing)
            }
            Some(reply) => {
                if let Some(on) = self.phones[who].road.get_mut(at) {
                    on.reply = Some(reply);
                }
                Ok(())
            }
            None => self.fail(who, at, &lost("the hub went away"), doing),
        }
    }

    /// An answer reaches the phone.
    fn hand_over(&mut self, who: usize, at: usize, dice: &mut Chance) -> Holds {
        let Some(on) = self.phones[who].road.remove(at) else { return Ok(()) };
        let (doing, id) = (Doing::of(&on.request), on.request.id);
        let Some(reply) = on.reply else { return Ok(()) };
        let node = &mut self.phones[who];
        let (Some(phone), Some(sync)) = (node.phone.as_mut(), node.sync.as_mut()) else { return Ok(()) };
        let mut done = sync.on_reply(id, reply.clone(), phone);
        if done.is_ok() && dice.happens(50) {
            // It arrives again: a network that repeats, a shell that was woken twice.
            done = sync.on_reply(id, reply, phone);
        }
        if let Err(e) = done {
            if !self.excused(who, &e) {
                return broken("I-21", format!("phone {who} could not take an answer ({doing:?}), and nothing was the matter: {e}"));
            }
            self.phones[who].sync = None;
            self.phones[who].road.clear();
        }
        self.after_phone(who, doing)
    }

    /// A request has no answer.
    fn fail(&mut self, who: usize, at: usize, failure: &Failure, doing: Doing) -> Holds {
        let Some(on) = self.phones[who].road.remove(at) else { return Ok(()) };
        let node = &mut self.phones[who];
        let (Some(phone), Some(sync)) = (node.phone.as_mut(), node.sync.as_mut()) else { return Ok(()) };
        if let Err(e) = sync.on_failure(on.request.id, failure.clone(), phone) {
            if !self.excused(who, &e) {
                return broken("I-21", format!("phone {who} could not take that no answer came ({doing:?}): {e}"));
            }
            self.phones[who].sync = None;
            self.phones[who].road.clear();
        }
        self.after_phone(who, doing)
    }
}

fn request_len(request: &Request) -> u64 {
    match &request.body {
        yenban_core::sync::Body::Bytes(bytes) => bytes.len() as u64,
        yenban_core::sync::Body::File(slice) => slice.length,
    }
}
