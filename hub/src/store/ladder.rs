//! The ladder of an alert: not known to be there, delivered, seen, going or cannot, done. One rung per member, whatever
//! carried it; the highest word is the member's own newest one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use yenban_protocol::id::Role;

use super::lists::AlertListing;
use super::people::{MemberRow, People};
use crate::access::rights::Reach;

/// The rungs, lowest first.
pub const RUNGS: [&str; 6] = ["none", "delivered", "seen", "going", "cannot", "done"];

/// On which rung a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRung {
    /// The member's number.
    pub member_no: u32,
    /// The name.
    pub member: String,
    /// The hamlet's number.
    pub hamlet: u32,
    /// One of [`RUNGS`].
    pub rung: &'static str,
    /// Since when; `None` on the lowest.
    pub at: Option<String>,
}

impl MemberRung {
    /// Whether no answer came: a phone that has it says nothing of its member.
    pub fn is_silent(&self) -> bool {
        matches!(self.rung, "none" | "delivered")
    }
}

/// How many members stand on each rung.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rungs {
    /// For how many members it is.
    pub addressed: u64,
    /// Not known to be on a phone of theirs.
    pub none: u64,
    /// On a phone of theirs, no answer.
    pub delivered: u64,
    /// "Seen" is their newest answer.
    pub seen: u64,
    /// "I am going" is.
    pub going: u64,
    /// "Can't come" is.
    pub cannot: u64,
    /// "Done" is.
    pub done: u64,
}

/// Whether an alert for these hamlets (none: the whole commune) is for this member. Officers receive what the whole commune
/// is told and are not waited for.
fn is_for(listing: &AlertListing, member: &MemberRow) -> bool {
    let named = listing.hamlet_nos.is_empty() || listing.hamlet_nos.contains(&member.hamlet.0);
    named && matches!(member.role, Role::Leader | Role::Member)
}

/// The rung of every member for whom it is, or who answered, within `reach`; by number.
pub fn of(listing: &AlertListing, people: &People, reach: &Reach) -> Vec<MemberRung> {
    let (mut delivered, mut answered) = (BTreeMap::new(), BTreeMap::new());
    for delivery in &listing.delivered {
        delivered.entry(delivery.member_no).or_insert(delivery.at.as_str());
    }
    for answer in &listing.answers {
        answered.insert(answer.member_no, (answer.answer.as_str(), answer.at.as_str()));
    }
    let wanted = people.members.iter().filter(|m| is_for(listing, m) || answered.contains_key(&m.no.0));
    wanted
        .filter(|member| reach.sees(member.hamlet))
        .map(|member| {
            let (said, at) = match (answered.get(&member.no.0), delivered.get(&member.no.0)) {
                (Some((answer, at)), _) => (*answer, Some(*at)),
                (None, Some(at)) => ("delivered", Some(*at)),
                (None, None) => ("none", None),
            };
            // A word that this build does not know was at least a look.
            let rung = RUNGS.into_iter().find(|rung| *rung == said).unwrap_or("seen");
            let (member_no, hamlet) = (member.no.0, member.hamlet.0);
            MemberRung { member_no, member: member.name.clone(), hamlet, rung, at: at.map(str::to_owned) }
        })
        .collect()
}

/// Counts the rungs.
pub fn count(ladder: &[MemberRung]) -> Rungs {
    let on = |rung: &str| ladder.iter().filter(|member| member.rung == rung).count() as u64;
    Rungs {
        addressed: ladder.len() as u64,
        none: on("none"),
        delivered: on("delivered"),
        seen: on("seen"),
        going: on("going"),
        cannot: on("cannot"),
        done: on("done"),
    }
}
