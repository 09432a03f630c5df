//! Patrols: what may follow what, how far somebody walked, and how a patrol is shown.

use yenban_protocol::record::{Act, Common, Position, Provider, Record};
use yenban_protocol::time::Bounds;

use crate::error::{Error, Result};
use crate::place::{Fix, LatLon, Odometer};
use crate::store::Key;
use crate::store::spool::Head;
use crate::store::vault::{CheckInRow, PlaceColumns, TimeColumns, Vault};

/// What a patrol does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Start,
    CheckIn,
    Pause,
    Resume,
    Finish,
    ChangeCrew,
}

/// The open patrol after `step`, or why it cannot be taken now.
pub(crate) fn after(head: &Head, step: Step) -> Result<(Option<u64>, bool)> {
    let open = |patrol: u64| format!("{:016x}:{patrol}", u64::from_be_bytes(head.name));
    match (step, head.patrol, head.paused) {
        (Step::Start, None, _) => Ok((Some(head.next_seq), false)),
        (Step::Start, Some(patrol), _) => Err(Error::PatrolUnderWay { patrol: open(patrol) }),
        (_, None, _) => Err(Error::NoPatrol),
        (Step::Resume, Some(_), false) => Err(Error::PatrolNotPaused),
        (Step::Resume, patrol, true) => Ok((patrol, false)),
        (Step::CheckIn | Step::Pause, Some(_), true) => Err(Error::PatrolPaused),
        (Step::Pause, patrol, false) => Ok((patrol, true)),
        (Step::Finish, Some(_), _) => Ok((None, false)),
        (Step::CheckIn | Step::ChangeCrew, patrol, paused) => Ok((patrol, paused)),
    }
}

/// The distance of the patrol that is being followed.
#[derive(Default)]
pub(crate) struct Walk {
    patrol: Option<Key>,
    odometer: Odometer,
}

impl Walk {
    /// Metres walked on `patrol` so far.
    pub(crate) fn distance_m(&mut self, vault: &Vault, patrol: Key) -> Result<u32> {
        self.follow(vault, patrol)?;
        Ok(self.metres())
    }

    fn metres(&self) -> u32 {
        // Truncation and saturation are what a figure for people needs.
        self.odometer.distance_m().round() as u32
    }

    /// Takes up `patrol`, from the vault if another one was followed before.
    fn follow(&mut self, vault: &Vault, patrol: Key) -> Result<()> {
        if self.patrol == Some(patrol) {
            return Ok(());
        }
        self.odometer = Odometer::new();
        let mut after = None;
        loop {
            let page = vault.check_ins(patrol, after, crate::limits::PAGE_ROWS)?;
            for row in &page {
                if let Some(fix) = fix_of(&row.place, row.time.at_ms) {
                    self.odometer.push(fix);
                }
            }
            after = page.last().map(|row| row.key);
            if page.len() < crate::limits::PAGE_ROWS as usize {
                break;
            }
        }
        self.patrol = Some(patrol);
        Ok(())
    }

    fn push(&mut self, vault: &Vault, patrol: Key, fix: Option<Fix>) -> Result<u32> {
        self.follow(vault, patrol)?;
        if let Some(fix) = fix {
            self.odometer.push(fix);
        }
        Ok(self.metres())
    }

    /// Forgets what was followed: the vault was changed under it.
    pub(crate) fn forget(&mut self) {
        self.patrol = None;
    }
}

/// A recorded track brings its places in the moment it is played back, and may lack times of its own: its
/// fixes are followed without time, or every step would look like a jump.
fn fix_of(place: &PlaceColumns, at_ms: i64) -> Option<Fix> {
    let at = LatLon::from_e7(place.lat_e7?, place.lon_e7?).ok()?;
    let live = place.provider != Some(Provider::Imported.number());
    Some(Fix { place: at, accuracy_m: place.accuracy_cm.map(|cm| f64::from(cm) / 100.0), time_ms: live.then_some(at_ms) })
}

/// When, as screens show it. Bounds by receipts are left out: a projection must come out the same
/// whenever it is rebuilt.
pub(crate) fn time_of(common: &Common) -> TimeColumns {
    let imported = common.position.is_some_and(|p| p.provider == Provider::Imported);
    let interval = common.stamp.interval(Bounds::default(), imported);
    TimeColumns { at_ms: interval.best_ms, earliest_ms: interval.earliest_ms, latest_ms: interval.latest_ms }
}

pub(crate) fn place_of(position: Option<&Position>) -> PlaceColumns {
    position.map_or(PlaceColumns::default(), |p| PlaceColumns {
        lat_e7: Some(p.lat_e7),
        lon_e7: Some(p.lon_e7),
        accuracy_cm: p.accuracy_cm,
        provider: Some(p.provider.number()),
    })
}

/// Follows one entry of a patrol into the vault; anything else is left alone.
pub(crate) fn project(vault: &Vault, walk: &mut Walk, key: Key, record: &Record) -> Result<()> {
    let common = &record.common;
    let time = time_of(common);
    let of = |seq: u64| Key::new(key.log(), seq);
    match &record.act {
        Act::PatrolStarted { crew } => {
            let crew: Vec<u32> = crew.iter().map(|m| m.0).collect();
            vault.put_patrol(key, common.author.0, time.at_ms, &crew)
        }
        Act::CheckIn { patrol_seq: Some(seq), checkpoint, note } => {
            let patrol = of(*seq);
            let place = place_of(common.position.as_ref());
            let fix = fix_of(&place, time.at_ms);
            let distance_m = walk.push(vault, patrol, fix)?;
            let row = CheckInRow {
                patrol,
                key,
                time,
                place,
                unconfirmed: common.unconfirmed,
                checkpoint: checkpoint.as_deref(),
                note: note.as_deref(),
            };
            vault.put_check_in(&row, distance_m)
        }
        Act::PatrolPaused { patrol_seq } => vault.set_patrol_state(of(*patrol_seq), 1),
        Act::PatrolResumed { patrol_seq } => vault.set_patrol_state(of(*patrol_seq), 0),
        Act::PatrolFinished { patrol_seq, distance_m } => vault.finish_patrol(of(*patrol_seq), time.at_ms, *distance_m),
        Act::CrewChanged { patrol_seq, change } => {
            for member in &change.left {
                vault.put_crew(of(*patrol_seq), member.0, key, false)?;
            }
            for member in &change.joined {
                vault.put_crew(of(*patrol_seq), member.0, key, true)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(patrol: Option<u64>, paused: bool) -> Head {
        Head { log: 1, name: [1; 8], next_seq: 9, link: [0; 32], patrol, paused }
    }

    #[test]
    fn each_step_has_its_moment() {
        use Step::*;
        let idle = head(None, false);
        let walking = head(Some(4), false);
        let paused = head(Some(4), true);
        assert_eq!(after(&idle, Start).unwrap(), (Some(9), false));
        for step in [CheckIn, Pause, Resume, Finish, ChangeCrew] {
            assert!(matches!(after(&idle, step), Err(Error::NoPatrol)), "{step:?}");
        }
        assert!(matches!(after(&walking, Start), Err(Error::PatrolUnderWay { .. })));
        assert!(matches!(after(&walking, Resume), Err(Error::PatrolNotPaused)));
        assert_eq!(after(&walking, CheckIn).unwrap(), (Some(4), false));
        assert_eq!(after(&walking, Pause).unwrap(), (Some(4), true));
        assert!(matches!(after(&paused, CheckIn), Err(Error::PatrolPaused)));
        assert!(matches!(after(&paused, Pause), Err(Error::PatrolPaused)));
        assert_eq!(after(&paused, Resume).unwrap(), (Some(4), false));
        assert_eq!(after(&paused, Finish).unwrap(), (None, false));
        assert_eq!(after(&paused, ChangeCrew).unwrap(), (Some(4), true));
    }
}
