//! What plans of patrols ask for, shift by shift, beside what was walked.
//!
//! Nothing of it is kept: a phone may deliver days later, and then a shift that looked missed was walked. A shift that
//! nobody walked says nothing about a person: phones stay silent for many reasons.

use yenban_protocol::id::MemberNo;

use crate::limits::WEEK_MS;
use crate::store::{MemberRow, NOBODY, PlanRow, Walked};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Viet Nam has one time, without summer time.
const ZONE_MS: i64 = 7 * 60 * MINUTE_MS;
/// The day of 1 January 1970, a Thursday, counted from Monday as 0.
const FIRST_WEEKDAY: i64 = 3;

/// Where a shift stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has not begun.
    Coming,
    /// It is its time, and somebody walks or walked.
    UnderWay,
    /// It is its time, and nobody is known to walk.
    Awaited,
    /// Somebody walked.
    Walked,
    /// Its time is over and nobody is known to have walked.
    Missed,
}

/// One time that a plan asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift<'a> {
    /// The plan.
    pub plan: &'a PlanRow,
    /// Begins, hub time.
    pub from_ms: i64,
    /// Ends, hub time.
    pub to_ms: i64,
    /// Where it stands.
    pub standing: Standing,
}

/// Midnight of the day in Viet Nam on which this moment lies.
pub fn midnight(at_ms: i64) -> i64 {
    (at_ms + ZONE_MS).div_euclid(DAY_MS) * DAY_MS - ZONE_MS
}

/// Midnight of the Monday of the week in which this moment lies.
pub fn monday(at_ms: i64) -> i64 {
    midnight(at_ms) - weekday(at_ms) * DAY_MS
}

/// The day of the week in Viet Nam, Monday is 0.
fn weekday(at_ms: i64) -> i64 {
    ((at_ms + ZONE_MS).div_euclid(DAY_MS) + FIRST_WEEKDAY).rem_euclid(7)
}

/// Shifts that begin from `from_ms` until before `to_ms`, in their order.
pub fn shifts<'a>(plans: &'a [PlanRow], walked: &[Walked], members: &[MemberRow], from_ms: i64, to_ms: i64, now_ms: i64) -> Vec<Shift<'a>> {
    let mut all = Vec::new();
    for plan in plans {
        let until_ms = plan.ended_ms.unwrap_or(i64::MAX).min(to_ms);
        let mut day_ms = midnight(from_ms.max(plan.made_ms));
        while day_ms < until_ms {
            let begins_ms = day_ms + i64::from(plan.from_min) * MINUTE_MS;
            let lasts_min = i64::from(plan.to_min) - i64::from(plan.from_min);
            let ends_ms = begins_ms + if lasts_min > 0 { lasts_min * MINUTE_MS } else { lasts_min * MINUTE_MS + DAY_MS };
            let wanted = u8::try_from(weekday(begins_ms)).is_ok_and(|day| plan.days & (1 << day) != 0);
            if wanted && begins_ms >= from_ms.max(plan.made_ms) && begins_ms < until_ms {
                let seen = walked.iter().any(|walked| fits(plan, walked, members) && walked.from_ms < ends_ms && walked.to_ms >= begins_ms);
                let standing = match (now_ms < begins_ms, now_ms < ends_ms, seen) {
                    (true, ..) => Standing::Coming,
                    (_, true, true) => Standing::UnderWay,
                    (_, true, false) => Standing::Awaited,
                    (_, false, true) => Standing::Walked,
                    (_, false, false) => Standing::Missed,
                };
                all.push(Shift { plan, from_ms: begins_ms, to_ms: ends_ms, standing });
            }
            day_ms += DAY_MS;
        }
    }
    all.sort_by_key(|shift| (shift.from_ms, shift.plan.no));
    all
}

/// Whether whoever walked is whom the plan means.
fn fits(plan: &PlanRow, walked: &Walked, members: &[MemberRow]) -> bool {
    let of_group = |no: &MemberNo| members.iter().any(|member| member.no == *no && member.group == plan.group);
    walked.hamlet == plan.hamlet
        && (plan.member == NOBODY || walked.members.contains(&plan.member))
        && (plan.group == 0 || walked.members.iter().any(of_group))
}

/// The beginnings of the last `weeks` weeks, this one last.
pub fn weeks(now_ms: i64, weeks: u32) -> Vec<i64> {
    let this = monday(now_ms);
    (0..i64::from(weeks)).rev().map(|ago| this - ago * WEEK_MS).collect()
}

#[cfg(test)]
mod tests {
    use yenban_protocol::id::HamletNo;

    use super::*;

    /// Monday 23 November 2026, 00:00 in Viet Nam.
    const MONDAY_MS: i64 = 1_795_366_800_000;
    const HOUR_MS: i64 = 60 * MINUTE_MS;

    fn plan(days: u8, from_min: u16, to_min: u16) -> PlanRow {
        PlanRow {
            no: 1,
            hamlet: HamletNo(1),
            group: 0,
            member: NOBODY,
            days,
            from_min,
            to_min,
            checkpoints: Vec::new(),
            made_ms: 0,
            ended_ms: None,
        }
    }

    fn walk(hamlet: u32, from_ms: i64, to_ms: i64) -> Walked {
        Walked { hamlet: HamletNo(hamlet), members: vec![MemberNo(7)], from_ms, to_ms, under_way: false }
    }

    fn standings(plan: &PlanRow, walked: &[Walked], now_ms: i64) -> Vec<(i64, Standing)> {
        let plans = std::slice::from_ref(plan);
        let found = shifts(plans, walked, &[], MONDAY_MS, MONDAY_MS + WEEK_MS, now_ms);
        found.iter().map(|shift| ((shift.from_ms - MONDAY_MS) / HOUR_MS, shift.standing)).collect()
    }

    #[test]
    fn days_and_weeks_are_those_of_viet_nam() {
        assert_eq!(monday(MONDAY_MS), MONDAY_MS);
        assert_eq!(monday(MONDAY_MS - 1), MONDAY_MS - WEEK_MS, "Sunday, a moment before midnight, is of the week before");
        assert_eq!(monday(MONDAY_MS + WEEK_MS - 1), MONDAY_MS);
        assert_eq!(weeks(MONDAY_MS + 5, 2), [MONDAY_MS - WEEK_MS, MONDAY_MS]);
    }

    #[test]
    fn a_night_shift_goes_over_midnight() {
        // Monday and Sunday, 22:00 to 02:00.
        let nights = plan(0b100_0001, 22 * 60, 2 * 60);
        let at = |hours: i64| MONDAY_MS + hours * HOUR_MS;
        assert_eq!(standings(&nights, &[], at(0)), [(22, Standing::Coming), (166, Standing::Coming)]);
        let late = walk(1, at(25), at(26));
        assert_eq!(standings(&nights, std::slice::from_ref(&late), at(30))[0], (22, Standing::Walked), "at one in the night");
        for nothing in [vec![], vec![walk(2, at(22), at(24))], vec![walk(1, at(19), at(21))], vec![walk(1, at(26), at(27))]] {
            assert_eq!(standings(&nights, &nothing, at(30))[0], (22, Standing::Missed), "{nothing:?}");
        }
        assert_eq!(standings(&nights, &[], at(23))[0].1, Standing::Awaited);
        assert_eq!(standings(&nights, &[late], at(25) + 1)[0].1, Standing::UnderWay);
    }

    #[test]
    fn a_plan_asks_for_nothing_before_it_was_made_or_after_it_ended() {
        let daily = PlanRow { made_ms: MONDAY_MS + 30 * HOUR_MS, ended_ms: Some(MONDAY_MS + 80 * HOUR_MS), ..plan(0x7f, 8 * 60, 10 * 60) };
        assert_eq!(standings(&daily, &[], MONDAY_MS).iter().map(|(hour, _)| *hour).collect::<Vec<_>>(), [32, 56]);
    }

    #[test]
    fn whom_a_plan_means_must_have_walked() {
        let member = |no: u32, group| MemberRow {
            no: MemberNo(no),
            name: String::new(),
            role: yenban_protocol::id::Role::Member,
            hamlet: HamletNo(1),
            group,
        };
        let members = [member(7, 3), member(8, 4)];
        let walked = walk(1, 0, 1);
        let meant = |group, member| PlanRow { group, member: MemberNo(member), ..plan(1, 0, 60) };
        assert!(fits(&meant(0, 0), &walked, &members) && fits(&meant(3, 0), &walked, &members) && fits(&meant(3, 7), &walked, &members));
        assert!(!fits(&meant(4, 0), &walked, &members) && !fits(&meant(0, 8), &walked, &members));
    }
}
