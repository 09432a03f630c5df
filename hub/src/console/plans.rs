//! Plans of patrols: who walks when, and past which checkpoints; and how they stand, for the page of patrols.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use yenban_locales::Words;
use yenban_protocol::id::{HamletNo, MemberNo};
use yenban_protocol::text::code::CheckpointCode;
use yenban_protocol::text::{CollationKey, display_safe};

use super::chrome::{Chrome, Section, failed, refused, rendered, see_other};
use super::codes::{Act, Sent};
use super::facts;
use super::guard::{Asked, May, Plan};
use crate::access::Session;
use crate::access::rights::Right;
use crate::app::Hub;
use crate::error::{Refusal, Result};
use crate::limits::{COVERAGE_WEEKS, SHIFTS_AHEAD_MS, WEEK_MS};
use crate::shifts::{Shift, Standing, shifts, weeks};
use crate::store::{NOBODY, People, PlanRow};

/// Days in a week.
const DAYS: u8 = 7;

/// One shift of a list.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Hamlet and whom the plan means.
    pub who: String,
    /// Its hours.
    pub when: String,
    /// Where it stands.
    pub state: String,
    /// Shape beside the state, so that colour is not alone.
    pub mark: &'static str,
}

/// What was walked in one hamlet, week by week.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The hamlet.
    pub hamlet: String,
    /// Patrols and check-ins of each week; empty: none.
    pub weeks: Vec<String>,
}

/// How plans stand.
#[derive(Debug, Clone)]
pub(super) struct Standings {
    /// Now and soon.
    pub ahead: Vec<Line>,
    /// Of the last week.
    pub missed: Vec<Line>,
    /// First days of the weeks of `rows`.
    pub weeks: Vec<String>,
    /// Every hamlet in reach.
    pub rows: Vec<Row>,
    /// Whether there is any plan.
    pub planned: bool,
    /// Whether the reader may change plans.
    pub may_plan: bool,
}

fn whom(words: Words, people: &People, plan: &PlanRow) -> String {
    let hamlet = facts::hamlet(words, &people.hamlet_name(plan.hamlet));
    let group = people.groups.iter().find(|group| group.no == plan.group).map(|group| display_safe(&group.name));
    let member = (plan.member != NOBODY).then(|| facts::person(words, &people.member_name(plan.member), plan.member.0));
    [Some(hamlet), group, member].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn line(words: Words, people: &People, shift: &Shift<'_>) -> Line {
    let (id, mark) = match shift.standing {
        Standing::Coming => ("plans-coming", "○"),
        Standing::UnderWay => ("plans-under-way", "●"),
        Standing::Awaited => ("plans-awaited", "◌"),
        Standing::Walked => ("plans-walked", "✓"),
        Standing::Missed => ("plans-missed", "✕"),
    };
    Line {
        who: whom(words, people, shift.plan),
        when: format!("{}–{}", words.date_time(shift.from_ms), words.time(shift.to_ms)),
        state: words.word(id),
        mark,
    }
}

/// How plans in reach stand now.
pub(super) async fn standings(hub: &Hub, asked: &Asked, session: &Session) -> Result<Standings> {
    let (words, now_ms) = (asked.words, asked.now_ms);
    let (from_ms, to_ms) = (now_ms - WEEK_MS, now_ms + SHIFTS_AHEAD_MS);
    let people = hub.store.people().await?;
    let mut plans = hub.store.plans(from_ms).await?;
    plans.retain(|plan| session.reach.sees(plan.hamlet));
    let walked = if plans.is_empty() { Vec::new() } else { hub.store.walked(from_ms, now_ms).await? };
    let all = shifts(&plans, &walked, &people.members, from_ms, to_ms, now_ms);
    let of = |wanted: &[Standing]| -> Vec<Line> {
        all.iter().filter(|shift| wanted.contains(&shift.standing)).map(|shift| line(words, &people, shift)).collect()
    };
    let mut missed = of(&[Standing::Missed]);
    missed.reverse();
    let begun = weeks(now_ms, COVERAGE_WEEKS);
    let covered = hub.store.coverage(begun.first().copied().unwrap_or(now_ms), COVERAGE_WEEKS).await?;
    let mut hamlets: Vec<_> = people.hamlets.iter().filter(|hamlet| session.reach.sees(hamlet.no)).collect();
    hamlets.sort_by_cached_key(|hamlet| CollationKey::new(&hamlet.name));
    let week = |hamlet: HamletNo, week: u32| {
        let found = covered.iter().find(|row| row.hamlet == hamlet && row.week == week);
        found.map_or_else(String::new, |row| {
            words.say("plans-covered", &[("patrols", row.patrols.into()), ("checkins", row.check_ins.into())])
        })
    };
    let rows = hamlets.into_iter().map(|hamlet| Row {
        hamlet: facts::hamlet(words, &hamlet.name),
        weeks: (0..COVERAGE_WEEKS).map(|number| week(hamlet.no, number)).collect(),
    });
    Ok(Standings {
        ahead: of(&[Standing::UnderWay, Standing::Awaited, Standing::Coming]),
        missed,
        weeks: begun.iter().map(|from| words.date(*from)).collect(),
        rows: rows.collect(),
        planned: !plans.is_empty(),
        may_plan: session.may(Right::Answer),
    })
}

/// A plan of the list.
#[derive(Debug, Clone)]
struct Kept {
    path: String,
    who: String,
    days: String,
    hours: String,
    checkpoints: String,
}

#[derive(Debug, Clone)]
struct Choice {
    value: String,
    word: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "plans.html")]
struct Page {
    c: Chrome,
    wrong: Option<String>,
    plans: Vec<Kept>,
    people: Vec<Choice>,
    days: Vec<Choice>,
    checkpoints: Vec<Choice>,
    from: String,
    to: String,
}

/// What the form sends. Repeated fields (days, checkpoints) are why this is not left to a derive.
#[derive(Debug, Default)]
struct Filled {
    token: String,
    /// `hamlet`, `hamlet:group` or `hamlet:group:member`, as numbers.
    who: String,
    days: u8,
    from: String,
    to: String,
    checkpoints: Vec<CheckpointCode>,
}

impl Filled {
    fn read(fields: Vec<(String, String)>) -> Self {
        let mut filled = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "token" => filled.token = value,
                "who" => filled.who = value,
                "day" => filled.days |= value.parse::<u8>().ok().filter(|day| *day < DAYS).map_or(0, |day| 1 << day),
                "from" => filled.from = value,
                "to" => filled.to = value,
                "checkpoint" => filled.checkpoints.extend(CheckpointCode::parse(&value)),
                _ => {}
            }
        }
        filled
    }
}

/// Minutes of the day of "22:00".
fn minutes(typed: &str) -> Option<u16> {
    let (hours, minutes) = typed.trim().split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn hours(words: Words, plan: &PlanRow) -> String {
    let clock = |min: u16| format!("{:02}:{:02}", min / 60, min % 60);
    let next = if plan.to_min <= plan.from_min { format!(" {}", words.word("plans-next-day")) } else { String::new() };
    format!("{}–{}{next}", clock(plan.from_min), clock(plan.to_min))
}

fn day_words(words: Words) -> Vec<String> {
    (0..DAYS).map(|day| words.word(&format!("plans-day-{day}"))).collect()
}

fn people_choices(words: Words, session: &Session, people: &People, chosen: &str) -> Vec<Choice> {
    let mut all: Vec<(String, String)> = Vec::new();
    for hamlet in people.hamlets.iter().filter(|hamlet| session.reach.sees(hamlet.no)) {
        let name = facts::hamlet(words, &hamlet.name);
        let no = hamlet.no.0;
        all.push((name.clone(), no.to_string()));
        for group in people.groups.iter().filter(|group| group.hamlet == hamlet.no) {
            all.push((format!("{name} · {}", display_safe(&group.name)), format!("{no}:{}", group.no)));
        }
        for member in people.members.iter().filter(|member| member.hamlet == hamlet.no) {
            let person = facts::person(words, &member.name, member.no.0);
            all.push((format!("{name} · {person}"), format!("{no}:{}:{}", member.group, member.no.0)));
        }
    }
    all.sort_by_cached_key(|(word, _)| CollationKey::new(word));
    all.into_iter().map(|(word, value)| Choice { chosen: value == chosen, word, value }).collect()
}

async fn shown(hub: &Hub, asked: &Asked, session: &Session, filled: &Filled, wrong: Option<&'static str>) -> Result<Response> {
    let words = asked.words;
    hub.note(&session.officer, "list plans", "", "").await?;
    let people = hub.store.people().await?;
    let plans = hub.store.plans(asked.now_ms).await?;
    let mut checkpoints = hub.store.checkpoints().await?;
    checkpoints.retain(|checkpoint| session.reach.sees(checkpoint.hamlet));
    let name = |code: &CheckpointCode| {
        checkpoints.iter().find(|row| row.code == *code).map_or_else(|| code.to_string(), |row| display_safe(&row.name))
    };
    let day_words = day_words(words);
    let kept = |plan: &PlanRow| Kept {
        path: format!("/console/patrols/plans/{}", plan.no),
        who: whom(words, &people, plan),
        days: day_words
            .iter()
            .enumerate()
            .filter(|(day, _)| plan.days & (1 << day) != 0)
            .map(|(_, word)| word.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        hours: hours(words, plan),
        checkpoints: plan.checkpoints.iter().map(name).collect::<Vec<_>>().join(", "),
    };
    let standing = checkpoints.iter().filter(|row| row.closed_ms.is_none());
    let page = Page {
        c: Chrome::new(asked, session, Section::Patrols, words.word("plans-title")),
        wrong: wrong.map(|id| words.word(id)),
        plans: plans.iter().filter(|plan| plan.ended_ms.is_none() && session.reach.sees(plan.hamlet)).map(kept).collect(),
        people: people_choices(words, session, &people, &filled.who),
        days: day_words
            .iter()
            .enumerate()
            .map(|(day, word)| Choice { value: day.to_string(), word: word.clone(), chosen: filled.days & (1 << day) != 0 })
            .collect(),
        checkpoints: standing
            .map(|row| Choice {
                value: row.code.to_string(),
                word: format!("{} · {}", facts::hamlet(words, &people.hamlet_name(row.hamlet)), display_safe(&row.name)),
                chosen: filled.checkpoints.contains(&row.code),
            })
            .collect(),
        from: if filled.from.is_empty() { "22:00".to_owned() } else { filled.from.clone() },
        to: if filled.to.is_empty() { "02:00".to_owned() } else { filled.to.clone() },
    };
    Ok(rendered(if wrong.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page))
}

/// Plans that hold, and a form for another.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Plan>) -> Response {
    shown(&hub, &asked, &session, &Filled::default(), None).await.unwrap_or_else(|error| failed(&asked, &error))
}

/// Keeps a plan.
pub(super) async fn add(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Plan>,
    form: Sent<Vec<(String, String)>>,
) -> Response {
    let Ok(Form(fields)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    let filled = Filled::read(fields);
    if !session.sent(&filled.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    added(&hub, &asked, &session, &filled).await.unwrap_or_else(|error| failed(&asked, &error))
}

/// Hamlet, group and member of a choice, when they are so and in reach.
fn meant(session: &Session, people: &People, who: &str) -> Option<(HamletNo, u32, MemberNo)> {
    let mut numbers = who.split(':').map(|part| part.parse::<u32>().ok());
    let hamlet = HamletNo(numbers.next()??);
    let group = numbers.next().map_or(Some(0), |group| group)?;
    let member = MemberNo(numbers.next().map_or(Some(0), |member| member)?);
    let known = people.hamlet(hamlet).is_some()
        && (group == 0 || people.groups.iter().any(|row| row.no == group && row.hamlet == hamlet))
        && (member == NOBODY || people.member(member).is_some_and(|row| row.hamlet == hamlet && row.group == group));
    (known && session.reach.sees(hamlet)).then_some((hamlet, group, member))
}

async fn added(hub: &Hub, asked: &Asked, session: &Session, filled: &Filled) -> Result<Response> {
    let people = hub.store.people().await?;
    let Some((hamlet, group, member)) = meant(session, &people, &filled.who) else {
        return shown(hub, asked, session, filled, Some("plans-needs-who")).await;
    };
    let (Some(from_min), Some(to_min)) = (minutes(&filled.from), minutes(&filled.to)) else {
        return shown(hub, asked, session, filled, Some("plans-needs-hours")).await;
    };
    if filled.days == 0 {
        return shown(hub, asked, session, filled, Some("plans-needs-days")).await;
    }
    let known = hub.store.checkpoints().await?;
    let mut checkpoints = filled.checkpoints.clone();
    checkpoints.retain(|code| known.iter().any(|row| row.code == *code && row.hamlet == hamlet && row.closed_ms.is_none()));
    let made_ms = hub.now_ms();
    let row = PlanRow { no: 0, hamlet, group, member, days: filled.days, from_min, to_min, checkpoints, made_ms, ended_ms: None };
    let no = hub.store.add_plan(row).await?.ok_or(Refusal::Quota("patrol plans"))?;
    hub.note(&session.officer, "plan made", &no.to_string(), "").await?;
    Ok(see_other("/console/patrols/plans"))
}

/// Ends a plan.
pub(super) async fn end(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Plan>,
    Path(no): Path<i64>,
    form: Sent<Act>,
) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&form.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    let done = async {
        let plans = hub.store.plans(asked.now_ms).await?;
        if !plans.iter().any(|plan| plan.no == no && session.reach.sees(plan.hamlet)) {
            return Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here"));
        }
        if hub.store.end_plan(no, hub.now_ms()).await? {
            hub.note(&session.officer, "plan ended", &no.to_string(), "").await?;
        }
        Ok(see_other("/console/patrols/plans"))
    };
    done.await.unwrap_or_else(|error| failed(&asked, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_a_field_of_time_sends_them() {
        assert_eq!((minutes("22:00"), minutes("00:05"), minutes("23:59")), (Some(1320), Some(5), Some(1439)));
        for wrong in ["", "24:00", "12:60", "1200", "-1:00", "12:00:00"] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
    }
}
