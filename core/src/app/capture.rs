//! What people record: each call is one entry, on the disk when it returns.

use yenban_protocol::id::{EntryName, MemberNo};
use yenban_protocol::record::{Act, Answer, Basis, CrewChange, Statement};

use super::{CheckIn, Extra, Phone, Place, Report, Said};
use crate::error::{Error, Result};
use crate::limits::HEAD_EVERY_MS;
use crate::patrol::{self, Step};
use crate::store::Key;

impl Phone {
    /// Starts a patrol; who has the phone walks, and `crew` with him or her. Returns its name.
    ///
    /// # Errors
    /// [`Error::PatrolUnderWay`], [`Error::Locked`], [`Error::NotEnrolled`], or not saved.
    pub fn patrol_start(&mut self, crew: &[u32], place: Option<Place>) -> Result<String> {
        self.vault()?;
        self.patrol_start_with(crew, place)
    }

    /// As [`Phone::patrol_start`], locked or not: when a new log begins under way.
    pub(super) fn patrol_start_unchecked(&mut self) -> Result<String> {
        self.patrol_begin(&[], None)
    }

    fn patrol_start_with(&mut self, crew: &[u32], place: Option<Place>) -> Result<String> {
        self.ready()?;
        self.patrol_begin(crew, place)
    }

    fn patrol_begin(&mut self, crew: &[u32], place: Option<Place>) -> Result<String> {
        let state = patrol::after(self.log.head().ok_or(Error::NotEnrolled)?, Step::Start)?;
        let mut members: Vec<MemberNo> = vec![MemberNo(self.member)];
        for member in crew {
            if *member != 0 && !members.contains(&MemberNo(*member)) {
                members.push(MemberNo(*member));
            }
        }
        let written = self.write(Act::PatrolStarted { crew: members }, place.as_ref(), state, Extra::default())?;
        Ok(written.name.to_string())
    }

    /// Records presence. Works while locked. Returns the entry's name.
    ///
    /// # Errors
    /// [`Error::NoPatrol`], [`Error::PatrolPaused`], [`Error::Invalid`] for a place off the earth or a
    /// text too long, or not saved.
    pub fn check_in(&mut self, check_in: &CheckIn) -> Result<String> {
        let name = self.check_in_entry(check_in)?;
        self.sign_head_when_due();
        Ok(name.to_string())
    }

    /// Signs a head when a quarter of an hour on patrol has passed since the last one.
    fn sign_head_when_due(&mut self) {
        let now_ms = self.clock.monotonic_ms();
        let since = *self.head_signed_ms.get_or_insert(now_ms);
        if now_ms.saturating_sub(since) >= HEAD_EVERY_MS {
            self.sign_head_if_possible();
        }
    }

    fn check_in_entry(&mut self, check_in: &CheckIn) -> Result<EntryName> {
        let state = self.next_patrol_state(Step::CheckIn)?;
        let act = Act::CheckIn { patrol_seq: state.0, checkpoint: check_in.checkpoint.clone(), note: check_in.note.clone() };
        let written = self.write(act, check_in.place.as_ref(), state, Extra::default())?;
        Ok(written.name)
    }

    /// Pauses the patrol.
    ///
    /// # Errors
    /// [`Error::NoPatrol`], [`Error::PatrolPaused`], [`Error::Locked`], or not saved.
    pub fn patrol_pause(&mut self) -> Result<String> {
        self.patrol_step(Step::Pause, |patrol_seq| Act::PatrolPaused { patrol_seq })
    }

    /// Goes on after a pause.
    ///
    /// # Errors
    /// [`Error::NoPatrol`], [`Error::PatrolNotPaused`], [`Error::Locked`], or not saved.
    pub fn patrol_resume(&mut self) -> Result<String> {
        self.patrol_step(Step::Resume, |patrol_seq| Act::PatrolResumed { patrol_seq })
    }

    /// Finishes the patrol; the distance goes into the log as this phone reckoned it. The head of the
    /// chain is signed afterwards.
    ///
    /// # Errors
    /// [`Error::NoPatrol`], [`Error::Locked`], or not saved.
    pub fn patrol_finish(&mut self) -> Result<String> {
        self.ready()?;
        let distance_m = self.patrol_distance_m()?;
        let name = self.patrol_step(Step::Finish, |patrol_seq| Act::PatrolFinished { patrol_seq, distance_m })?;
        self.sign_head_if_possible();
        Ok(name)
    }

    /// Changes who walks.
    ///
    /// # Errors
    /// [`Error::NoPatrol`], [`Error::Locked`], [`Error::Invalid`] when nothing changes, or not saved.
    pub fn patrol_crew(&mut self, joined: &[u32], left: &[u32]) -> Result<String> {
        if joined.is_empty() && left.is_empty() {
            return Err(Error::invalid("crew", "nobody joins and nobody leaves"));
        }
        let members = |list: &[u32]| list.iter().map(|m| MemberNo(*m)).collect();
        let change = CrewChange { joined: members(joined), left: members(left) };
        self.patrol_step(Step::ChangeCrew, |patrol_seq| Act::CrewChanged { patrol_seq, change })
    }

    fn patrol_step(&mut self, step: Step, act: impl FnOnce(u64) -> Act) -> Result<String> {
        self.vault()?;
        let state = self.next_patrol_state(step)?;
        let before = self.patrol_state().0;
        let patrol = before.ok_or(Error::NoPatrol)?;
        let written = self.write(act(patrol), None, state, Extra::default())?;
        Ok(written.name.to_string())
    }

    fn next_patrol_state(&mut self, step: Step) -> Result<(Option<u64>, bool)> {
        self.ready()?;
        let head = self.log.head().ok_or(Error::NotEnrolled)?;
        patrol::after(head, step)
    }

    fn patrol_distance_m(&mut self) -> Result<u32> {
        let Some(key) = self.open_patrol_key()? else { return Err(Error::NoPatrol) };
        let open = self.vault()?;
        open.walk.distance_m(&open.vault, key)
    }

    pub(super) fn open_patrol_key(&self) -> Result<Option<Key>> {
        self.enrolled_or_refuse()?;
        let head = self.log.head().ok_or(Error::NotEnrolled)?;
        Ok(head.patrol.map(|seq| Key::new(head.log, seq)))
    }

    /// Reports an incident. While locked only an urgent one, which is what the lock screen offers.
    /// Returns its name.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown kind, an empty report that is not urgent, texts too long;
    /// [`Error::Locked`]; or not saved.
    pub fn report(&mut self, report: &Report) -> Result<String> {
        self.report_with_photos(report, &[]).map(|reported| reported.id)
    }

    /// Adds to an incident of this phone; what was said first stays.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that is no incident here, [`Error::Invalid`] without text,
    /// [`Error::Locked`], or not saved.
    pub fn amend(&mut self, incident: &str, said: &[Said]) -> Result<String> {
        let amended = self.amend_with_photos(incident, said, &[])?;
        amended.id.ok_or_else(|| Error::invalid("text", "there is nothing to add"))
    }

    /// Answers an alert: `seen`, `going`, `cannot` or `done`.
    ///
    /// # Errors
    /// [`Error::Unknown`] for an alert this phone does not have, [`Error::Invalid`] for another word,
    /// [`Error::Locked`], or not saved.
    pub fn answer_alert(&mut self, alert: &str, answer: &str) -> Result<String> {
        self.vault()?;
        self.ready()?;
        let answer = Answer::ALL
            .into_iter()
            .find(|a| a.code() == answer)
            .ok_or_else(|| Error::invalid("answer", "it is seen, going, cannot or done"))?;
        let id = self.find_alert(alert)?;
        let act = Act::AlertAnswered { alert: id, answer };
        let written = self.write(act, None, self.patrol_state(), Extra::default())?;
        Ok(written.name.to_string())
    }

    /// An entry of this store by its written name.
    pub(super) fn find_entry(&self, what: &'static str, written: &str) -> Result<(EntryName, Key)> {
        let unknown = || Error::Unknown { what, name: written.to_owned() };
        let name: EntryName = written.parse().map_err(|_| unknown())?;
        let key = self.log.key_of(name)?.ok_or_else(unknown)?;
        Ok((name, key))
    }
}

pub(super) fn statements(said: &[Said]) -> Result<Vec<Statement>> {
    said.iter()
        .filter(|s| !s.text.trim().is_empty())
        .map(|s| {
            let basis = Basis::from_code(&s.basis).ok_or_else(|| Error::invalid("basis", "it is unstated, seen, heard or think"))?;
            Ok(Statement { basis, text: s.text.clone() })
        })
        .collect()
}
