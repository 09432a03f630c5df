//! Parcels on a stick: given along by one phone, carried by another one or brought to the hub by hand, lost, doubled, old,
//! cut off. Whatever becomes of them, nobody may have anything twice and nobody be told what is not so.

use yenban_hub::courier::take;
use yenban_protocol::parcel::file;

use crate::chance::Chance;
use crate::coverage::{Doing, Fault};
use crate::world::{Holds, World, broken};

/// Files of parcels that are under way at most.
const UNDER_WAY: usize = 24;

impl World {
    /// One to four times: a phone gives parcels along, somebody brings some, somebody takes some.
    pub(crate) fn courier(&mut self, who: usize, dice: &mut Chance) -> Holds {
        for _ in 0..=dice.below(4) {
            match dice.below(5) {
                0 | 1 => self.give_along(who, dice)?,
                2 => self.bring_to_hub(dice)?,
                3 => self.take_in(dice.index(self.phones.len()), dice)?,
                _ => self.deliver_for_others(who, dice)?,
            }
        }
        Ok(())
    }

    fn under_way(&mut self, bytes: Vec<u8>, fault: Fault, dice: &mut Chance) {
        if bytes.is_empty() {
            return;
        }
        if dice.happens(250) {
            self.coverage.hit(fault, Doing::Courier);
            return;
        }
        let mut copies = 1;
        if dice.happens(250) {
            self.coverage.hit(Fault::Doubled, Doing::Courier);
            copies = 2;
        }
        for _ in 0..copies {
            let mut bytes = bytes.clone();
            if dice.happens(100) {
                self.coverage.hit(Fault::Truncated, Doing::Courier);
                bytes.truncate(dice.index(bytes.len()));
            }
            if self.stick.len() < UNDER_WAY {
                self.stick.push(bytes);
            } else {
                let at = dice.index(UNDER_WAY);
                self.stick[at] = bytes;
            }
        }
    }

    /// One of the files, in no order; often it stays where it is and comes again.
    fn next_on_stick(&mut self, dice: &mut Chance) -> Option<Vec<u8>> {
        if self.stick.is_empty() {
            return None;
        }
        let at = dice.index(self.stick.len());
        if at + 1 < self.stick.len() {
            self.coverage.hit(Fault::Reordered, Doing::Courier);
        }
        Some(if dice.happens(300) { self.stick[at].clone() } else { self.stick.swap_remove(at) })
    }

    fn give_along(&mut self, who: usize, dice: &mut Chance) -> Holds {
        match self.phones[who].phone.as_mut().map(|phone| phone.courier_out()) {
            Some(Ok(out)) => self.under_way(out.parcels.concat(), Fault::RequestLost, dice),
            Some(Err(e)) if !self.excused(who, &e) => {
                return broken("I-21", format!("phone {who} could not give parcels along, and nothing was the matter: {e}"));
            }
            _ => {}
        }
        self.after_phone(who, Doing::Courier)
    }

    fn take_in(&mut self, who: usize, dice: &mut Chance) -> Holds {
        let Some(bytes) = self.next_on_stick(dice) else { return Ok(()) };
        if let Some(Err(e)) = self.phones[who].phone.as_mut().map(|phone| phone.courier_in(&bytes))
            && !self.excused(who, &e)
        {
            return broken("I-21", format!("phone {who} could not take parcels, and nothing was the matter: {e}"));
        }
        self.after_phone(who, Doing::Courier)
    }

    fn bring_to_hub(&mut self, dice: &mut Chance) -> Holds {
        let Some(bytes) = self.next_on_stick(dice) else { return Ok(()) };
        let mut answers = Vec::new();
        for parcel in file(&bytes).into_iter().filter_map(|found| found.parcel.ok()) {
            let taken = self.hub.with(async |hub| take(hub, parcel.bytes()).await);
            let alive = !self.hub.platter.is_dead();
            self.after_hub(Doing::Courier)?;
            // An answer of a hub that died of it reaches nobody.
            if let (Some(Ok(taken)), true) = (taken, alive) {
                answers.extend(taken.answer.unwrap_or_default());
            }
        }
        self.under_way(answers, Fault::AnswerLost, dice);
        Ok(())
    }

    /// A phone that has network hands over what it carries for others.
    fn deliver_for_others(&mut self, who: usize, dice: &mut Chance) -> Holds {
        let found = self.phones[who].phone.as_ref().map(|phone| phone.parcel_to_deliver(None));
        if let Some(Ok(Some(parcel))) = found {
            let taken = self.hub.with(async |hub| take(hub, &parcel.bytes).await);
            let alive = !self.hub.platter.is_dead();
            self.after_hub(Doing::Courier)?;
            let heard = alive && !dice.happens(self.weather.lost);
            let phone = self.phones[who].phone.as_mut();
            if let (Some(Ok(taken)), Some(phone), true) = (taken, phone, heard)
                && let Err(e) = phone.parcel_delivered(&parcel.name, &taken.answer.unwrap_or_default())
                && !self.excused(who, &e)
            {
                return broken("I-21", format!("phone {who} could not note that a parcel was delivered: {e}"));
            }
        }
        self.after_phone(who, Doing::Courier)
    }
}
