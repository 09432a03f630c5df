//! What people do: members on patrol, an officer at the hub.

use std::path::{Path, PathBuf};

use yenban_core::app::{CaptureStart, CheckIn, Report, Said, Shutter};
use yenban_core::{Error, ErrorKind, Phone};
use yenban_hub::alert::{AlertWanted, send};

use crate::chance::Chance;
use crate::coverage::{Doing, Fault};
use crate::phone::{What, place};
use crate::world::{Holds, World, broken};

/// A photograph of 16 by 12 pixels; a comment of its own makes each one different.
const PHOTO: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAARCAAMABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAAAwT/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCQBKN//9k=";

impl World {
    /// A member does something.
    pub(crate) fn act(&mut self, who: usize, dice: &mut Chance) -> Holds {
        let now_ms = self.now_ms;
        let metres = dice.below(2_000) as i32;
        let at = || Some(place(metres));
        let words = |n: u64| vec![Said { basis: "seen".into(), text: format!("Cây đổ ngang đường, số {n}") }];
        let drawn = dice.below(100);
        let (what, doing) = match drawn {
            0..=34 => (What::CheckIn, Doing::Capture),
            35..=54 => (What::Patrol, Doing::Capture),
            55..=64 => (What::Report, Doing::Capture),
            65..=71 => (What::Urgent, Doing::Capture),
            72..=77 => (What::Amendment, Doing::Capture),
            78..=90 => (What::Photo, Doing::Photo),
            91 => return self.make_room(who),
            _ => (What::Answer, Doing::Capture),
        };
        let number = dice.number();
        let root = self.root.clone();
        let node = &mut self.phones[who];
        let subject = node.incidents.last().cloned().filter(|_| dice.happens(700));
        let photo = (what == What::Photo).then(|| photo(dice));
        let fourth = dice.below(4);
        let photos = if matches!(what, What::Report | What::Urgent) && dice.happens(400) { brought(&root, dice) } else { Vec::new() };
        let done = node.act(what, now_ms, |phone| match what {
            What::CheckIn => phone.check_in(&CheckIn { place: at(), ..CheckIn::default() }),
            What::Patrol => match (phone.status()?.patrol, fourth) {
                (None, _) => phone.patrol_start(&[], at()),
                (Some(on), 0) if on.paused => phone.patrol_resume(),
                (Some(_), 0) => phone.patrol_pause(),
                (Some(_), 1) => phone.patrol_finish(),
                (Some(_), _) => phone.check_in(&CheckIn { note: Some("Đèn đường hỏng".into()), ..CheckIn::default() }),
            },
            What::Report | What::Urgent => {
                let urgent = what == What::Urgent;
                let report = Report { kind: "landslide".into(), urgent, statements: words(number), place: at(), photos: 0 };
                phone.report_with_photos(&report, &photos).map(|reported| reported.id)
            }
            What::Amendment => phone.amend(subject.as_deref().unwrap_or("none"), &words(number)),
            What::Photo => take_photo(phone, subject.as_deref(), photo.as_deref().unwrap_or_default()),
            What::Answer => {
                let alert = phone.alerts()?.last().map(|alert| alert.id.clone()).unwrap_or_default();
                phone.answer_alert(&alert, ["seen", "going", "cannot", "done"][fourth as usize])
            }
        });
        match done {
            Ok(name) => {
                if matches!(what, What::Report | What::Urgent) {
                    node.incidents.push(name.to_string());
                }
            }
            Err(e) => self.was_it_so(who, &e, doing)?,
        }
        self.after_phone(who, doing)
    }

    /// A phone makes room: only what the hub has signed for may go.
    fn make_room(&mut self, who: usize) -> Holds {
        if let Some(Err(e)) = self.phones[who].phone.as_mut().map(Phone::evict_what_may_go) {
            self.was_it_so(who, &e, Doing::Photo)?;
        }
        self.after_phone(who, Doing::Photo)
    }

    /// A call failed: was anything the matter?
    fn was_it_so(&mut self, who: usize, e: &Error, doing: Doing) -> Holds {
        // Right or wrong words, right or wrong moment: not for the disk to answer for.
        if matches!(e.kind(), ErrorKind::Invalid | ErrorKind::NotNow) {
            return Ok(());
        }
        if self.excused(who, e) {
            return Ok(());
        }
        broken("I-03", format!("phone {who} could not save ({doing:?}), and nothing was the matter with its disk: {e}"))
    }

    /// An officer warns the hamlet.
    pub(crate) fn warn(&mut self, dice: &mut Chance) -> Holds {
        let wanted = AlertWanted {
            headline: format!("Nước suối Nánh dâng nhanh, lần {}", self.alerts.len() + 1),
            description: "Mưa to ở đầu nguồn.".into(),
            severity: "Severe".into(),
            hamlets: vec!["Nà Phòn".into()],
            drill: dice.happens(200),
            officer: "Hà Văn Sơn".into(),
            ..AlertWanted::default()
        };
        let sent = self.hub.with(async |hub| send(hub, wanted).await);
        match sent {
            Some(Ok(sent)) => self.alerts.push(sent.id),
            Some(Err(e)) if self.hub.is_well() => {
                return broken("I-29", format!("a warning could not be sent, and nothing was the matter: {e}"));
            }
            _ => {}
        }
        self.after_hub(Doing::Alert)
    }

    /// The hub's hourly and nightly work.
    pub(crate) fn jobs(&mut self, dice: &mut Chance) -> Holds {
        self.pass(dice.below(20 * 3_600_000));
        self.hub.with(async |hub| drop(yenban_hub::jobs::due(hub).await));
        self.after_hub(Doing::Jobs)
    }

    /// A phone has no road now.
    pub(crate) fn no_road(&mut self, doing: Doing) {
        self.coverage.hit(Fault::Partition, doing);
    }
}

pub(crate) fn take_photo(phone: &mut Phone, subject: Option<&str>, bytes: &[u8]) -> yenban_core::Result<String> {
    let start = CaptureStart { subject: subject.map(str::to_owned), from_camera: true, place: Some(place(10)), heading_cdeg: None };
    let capture = phone.begin_capture(&start)?;
    // The camera's own program writes it.
    std::fs::write(&capture.path, bytes).map_err(|source| Error::Io { what: "write", path: capture.path.clone(), source })?;
    phone.finish_capture(&capture.id, &Shutter::default())
}

/// One to three pictures that another camera made.
pub(crate) fn brought(root: &Path, dice: &mut Chance) -> Vec<PathBuf> {
    let one = |n: u64, dice: &mut Chance| {
        let path = root.join(format!("brought-{n}.jpg"));
        std::fs::write(&path, photo(dice)).expect("a file in memory can be written");
        path
    };
    (0..=dice.below(3)).map(|n| one(n, dice)).collect()
}

/// A picture like no other, of some hundred bytes to some 40 KB.
pub(crate) fn photo(dice: &mut Chance) -> Vec<u8> {
    let plain = data_encoding::BASE64.decode(PHOTO.as_bytes()).expect("it is base64");
    let len = 16 + (1usize << dice.below(16)).min(40_000);
    let mut comment = vec![0u8; len];
    rand_core::TryRng::try_fill_bytes(dice, &mut comment).expect("it cannot fail");
    let mut bytes = plain[..2].to_vec();
    bytes.extend_from_slice(&[0xFF, 0xFE]);
    bytes.extend_from_slice(&u16::try_from(len + 2).expect("a comment is short").to_be_bytes());
    bytes.extend_from_slice(&comment);
    bytes.extend_from_slice(&plain[2..]);
    bytes
}
