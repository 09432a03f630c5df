//! What can be done: each kind of entry with its own fields.

use super::*;

/// On what a statement rests: facts and opinions are kept apart (what a person thinks is no fact).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Not said yet (an urgent report in two taps).
    Unstated,
    /// "Tôi thấy".
    Seen,
    /// "Nghe kể".
    Heard,
    /// "Tôi nghĩ".
    Think,
}

impl Basis {
    const ALL: [Basis; 4] = [Basis::Unstated, Basis::Seen, Basis::Heard, Basis::Think];

    /// The word of JSON and the command line.
    pub fn code(self) -> &'static str {
        ["unstated", "seen", "heard", "think"][self as usize]
    }

    /// From its word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|b| b.code() == code)
    }
}

/// One statement of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// On what it rests.
    pub basis: Basis,
    /// As typed.
    pub text: String,
}

/// An answer to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// "Đã xem".
    Seen,
    /// "Tôi tới".
    Going,
    /// "Không tới được".
    Cannot,
    /// "Đã xong".
    Done,
}

impl Answer {
    /// All answers, by their number on the wire.
    pub const ALL: [Answer; 4] = [Answer::Seen, Answer::Going, Answer::Cannot, Answer::Done];

    /// The word of JSON and the command line.
    pub fn code(self) -> &'static str {
        ["seen", "going", "cannot", "done"][self as usize]
    }
}

/// To what a photograph belongs.
pub type Subject = Option<EntryName>;

/// Who joins or leaves a patrol under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrewChange {
    /// Members who join.
    pub joined: Vec<MemberNo>,
    /// Members who leave.
    pub left: Vec<MemberNo>,
}

/// One kind of entry with its own fields. The names of entries (patrol, incident) are the names of their
/// first entries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "acts are handled one at a time, never kept in rows")]
pub enum Act {
    /// 0: a log begins. Its first entry, always.
    LogStarted {
        /// The key that signs this log's heads.
        device_key: PublicKey,
        /// The log before it and its last sequence number, if there was one.
        continues: Option<EntryName>,
        /// Why (`enrolled`, `marker_missing`, `marker_differs`, `hub_ahead`, ...).
        reason: String,
    },
    /// 1: a patrol begins; its name is this entry's.
    PatrolStarted {
        /// Members walking, the author among them.
        crew: Vec<MemberNo>,
    },
    /// 2: presence at a place.
    CheckIn {
        /// The patrol, by its sequence number in this log.
        patrol_seq: Option<u64>,
        /// Code of the checkpoint that was scanned.
        checkpoint: Option<String>,
        /// A note, as typed.
        note: Option<String>,
    },
    /// 3: a pause.
    PatrolPaused {
        /// The patrol.
        patrol_seq: u64,
    },
    /// 4: going on after a pause.
    PatrolResumed {
        /// The patrol.
        patrol_seq: u64,
    },
    /// 5: the end.
    PatrolFinished {
        /// The patrol.
        patrol_seq: u64,
        /// Distance along the track, metres, as the phone reckoned it.
        distance_m: u32,
    },
    /// 6: the crew changes.
    CrewChanged {
        /// The patrol.
        patrol_seq: u64,
        /// Who joins, who leaves.
        change: CrewChange,
    },
    /// 7: an incident; its name is this entry's.
    IncidentReported {
        /// Code of the kind of incident (SCREENS, 4).
        kind: String,
        /// Urgent.
        urgent: bool,
        /// Photographs that were chosen for it when it was reported and follow in entries of their own: until as
        /// many have come the report is incomplete.
        attachments: u32,
        /// What is said; empty when that part was erased.
        statements: Vec<Statement>,
    },
    /// 8: more on an incident; what was said first stays.
    IncidentAmended {
        /// The incident.
        incident: EntryName,
        /// What is added.
        statements: Vec<Statement>,
    },
    /// 9: a photograph, sealed in a file of its own.
    PhotoCaptured {
        /// The incident or patrol it belongs to.
        subject: Subject,
        /// Its facts; `None` when that part was erased.
        photo: Option<PhotoFacts>,
    },
    /// 10: an answer to an alert.
    AlertAnswered {
        /// The alert's identifier.
        alert: String,
        /// The answer.
        answer: Answer,
    },
    /// 11: the phone goes to the next member.
    PhoneHandedOver {
        /// Who has it now.
        to: MemberNo,
    },
    /// 12: the author confirms what was recorded while the vault was locked.
    AuthorConfirmed {
        /// First entry that is confirmed.
        first_seq: u64,
        /// Last entry that is confirmed.
        last_seq: u64,
    },
    /// 13: smaller copies of a photograph were made, or could not be.
    PreviewsMade {
        /// The entry of the photograph.
        photo: EntryName,
        /// Their facts; `None` when that part was erased.
        previews: Option<Previews>,
    },
    /// A kind this build does not know: stored, receipted, restricted by class.
    Unknown {
        /// Its number.
        kind: u64,
    },
}

/// Own fields of part 0, encoded: keys from 16 in ascending order.
pub(super) struct OwnBytes {
    pub(super) count: usize,
    pub(super) bytes: Vec<u8>,
}

/// Own fields of part 0, read but not yet understood.
#[derive(Default)]
pub(super) struct Own<'a> {
    fields: Vec<(u64, &'a [u8])>,
}

impl<'a> Own<'a> {
    pub(super) fn keep(&mut self, key: u64, item: &'a [u8]) {
        self.fields.push((key, item));
    }

    fn get(&self, key: u64) -> Option<Reader<'a>> {
        self.fields.iter().find(|(k, _)| *k == key).map(|(_, item)| Reader::new(item))
    }

    fn need(&self, key: u64, what: &'static str) -> Result<Reader<'a>> {
        self.get(key).ok_or(Error::Malformed { what, at: 0 })
    }

    fn seq(&self, key: u64) -> Result<u64> {
        self.need(key, "patrol")?.uint("patrol")
    }

    fn text(&self, key: u64, limit: usize, what: &'static str) -> Result<Option<String>> {
        self.get(key).map(|mut r| r.text_up_to(limit, what).map(str::to_owned)).transpose()
    }

    fn members(&self, key: u64) -> Result<Vec<MemberNo>> {
        let Some(mut r) = self.get(key) else { return Ok(Vec::new()) };
        let n = r.array(MAX_CREW, "crew")?;
        (0..n).map(|_| r.u32("member").map(MemberNo)).collect()
    }
}

fn write_members(w: &mut Writer, members: &[MemberNo]) {
    w.array(members.len());
    for member in members {
        w.uint(member.0.into());
    }
}

fn write_name(w: &mut Writer, name: &EntryName) {
    w.array(2).bytes(&name.log.0).uint(name.seq);
}

fn read_name(r: &mut Reader<'_>) -> Result<EntryName> {
    r.tuple(2, "entry name")?;
    Ok(EntryName { log: LogId(r.fixed("log")?), seq: r.uint("sequence number")? })
}

/// Checks a text against its bound.
pub(super) fn fits(text: &str, limit: usize, what: &'static str) -> Result<()> {
    if text.len() > limit { Err(Error::Limit { what, limit }) } else { Ok(()) }
}

impl Act {
    /// The kind's number.
    pub fn kind(&self) -> u64 {
        match self {
            Act::LogStarted { .. } => 0,
            Act::PatrolStarted { .. } => 1,
            Act::CheckIn { .. } => 2,
            Act::PatrolPaused { .. } => 3,
            Act::PatrolResumed { .. } => 4,
            Act::PatrolFinished { .. } => 5,
            Act::CrewChanged { .. } => 6,
            Act::IncidentReported { .. } => 7,
            Act::IncidentAmended { .. } => 8,
            Act::PhotoCaptured { .. } => 9,
            Act::AlertAnswered { .. } => 10,
            Act::PhoneHandedOver { .. } => 11,
            Act::AuthorConfirmed { .. } => 12,
            Act::PreviewsMade { .. } => 13,
            Act::Unknown { kind } => *kind,
        }
    }

    /// The kind's word in JSON, of this act or of a number.
    pub fn kind_code(kind: u64) -> &'static str {
        const CODES: [&str; 14] = [
            "log_started",
            "patrol_started",
            "check_in",
            "patrol_paused",
            "patrol_resumed",
            "patrol_finished",
            "crew_changed",
            "incident_reported",
            "incident_amended",
            "photo_captured",
            "alert_answered",
            "phone_handed_over",
            "author_confirmed",
            "previews_made",
        ];
        usize::try_from(kind).ok().and_then(|k| CODES.get(k).copied()).unwrap_or("unknown")
    }

    /// The class of part 0.
    pub fn class(&self) -> Class {
        match self {
            Act::LogStarted { .. } | Act::PhoneHandedOver { .. } | Act::AuthorConfirmed { .. } => Class::SYSTEM,
            _ => Class::DUTY,
        }
    }

    /// Checks the bounds of everything in it.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Act::LogStarted { reason, .. } => fits(reason, MAX_NAME_BYTES, "reason"),
            Act::PatrolStarted { crew } if crew.len() > MAX_CREW => Err(Error::Limit { what: "crew", limit: MAX_CREW }),
            Act::CrewChanged { change, .. } if change.joined.len().max(change.left.len()) > MAX_CREW => {
                Err(Error::Limit { what: "crew", limit: MAX_CREW })
            }
            Act::CheckIn { checkpoint, note, .. } => {
                fits(checkpoint.as_deref().unwrap_or(""), MAX_NAME_BYTES, "checkpoint code")?;
                fits(note.as_deref().unwrap_or(""), MAX_TEXT_BYTES, "note")
            }
            Act::IncidentReported { kind, statements, .. } => {
                fits(kind, MAX_NAME_BYTES, "kind of incident")?;
                check_statements(statements)
            }
            Act::IncidentAmended { statements, .. } => check_statements(statements),
            Act::PhotoCaptured { photo: Some(photo), .. } => photo.check(),
            Act::PreviewsMade { previews: Some(previews), .. } => previews.check(),
            Act::PreviewsMade { previews: None, .. } => Err(Error::Malformed { what: "previews without facts", at: 0 }),
            Act::PhotoCaptured { photo: None, .. } => Err(Error::Malformed { what: "photograph without facts", at: 0 }),
            Act::AlertAnswered { alert, .. } => fits(alert, MAX_NAME_BYTES, "alert identifier"),
            Act::Unknown { .. } => Err(Error::Malformed { what: "unknown kind", at: 0 }),
            _ => Ok(()),
        }
    }

    pub(super) fn own_fields(&self) -> OwnBytes {
        let mut w = Writer::new();
        let mut count = 1;
        match self {
            Act::LogStarted { device_key, continues, reason } => {
                count = 3 + usize::from(continues.is_some());
                w.uint(16).bytes(&device_key.0);
                if let Some(name) = continues {
                    w.uint(17);
                    write_name(&mut w, name);
                }
                w.uint(18).text(reason).uint(19).uint(1);
            }
            Act::PatrolStarted { crew } => {
                w.uint(16);
                write_members(&mut w, crew);
            }
            Act::CheckIn { patrol_seq, checkpoint, note } => {
                count = usize::from(patrol_seq.is_some()) + usize::from(checkpoint.is_some()) + usize::from(note.is_some());
                if let Some(seq) = patrol_seq {
                    w.uint(16).uint(*seq);
                }
                if let Some(code) = checkpoint {
                    w.uint(17).text(code);
                }
                if let Some(note) = note {
                    w.uint(18).text(note);
                }
            }
            Act::PatrolPaused { patrol_seq } | Act::PatrolResumed { patrol_seq } => {
                w.uint(16).uint(*patrol_seq);
            }
            Act::PatrolFinished { patrol_seq, distance_m } => {
                count = 2;
                w.uint(16).uint(*patrol_seq).uint(17).uint((*distance_m).into());
            }
            Act::CrewChanged { patrol_seq, change } => {
                count = 3;
                w.uint(16).uint(*patrol_seq).uint(17);
                write_members(&mut w, &change.joined);
                w.uint(18);
                write_members(&mut w, &change.left);
            }
            Act::IncidentReported { kind, urgent, attachments, .. } => {
                count = 2 + usize::from(*attachments > 0);
                w.uint(16).text(kind).uint(17).bool(*urgent);
                if *attachments > 0 {
                    w.uint(18).uint((*attachments).into());
                }
            }
            Act::IncidentAmended { incident: name, .. } | Act::PreviewsMade { photo: name, .. } => {
                w.uint(16);
                write_name(&mut w, name);
            }
            Act::PhotoCaptured { subject: Some(subject), .. } => {
                w.uint(16);
                write_name(&mut w, subject);
            }
            Act::AlertAnswered { alert, answer } => {
                count = 2;
                w.uint(16).text(alert).uint(17).uint(*answer as u64);
            }
            Act::PhoneHandedOver { to } => {
                w.uint(16).uint(to.0.into());
            }
            Act::AuthorConfirmed { first_seq, last_seq } => {
                count = 2;
                w.uint(16).uint(*first_seq).uint(17).uint(*last_seq);
            }
            Act::PhotoCaptured { subject: None, .. } | Act::Unknown { .. } => count = 0,
        }
        OwnBytes { count, bytes: w.into_bytes() }
    }

    /// The second part, for kinds that have one.
    pub(super) fn further_part(&self) -> Option<Part> {
        let mut w = Writer::new();
        let class = match self {
            Act::IncidentReported { statements, .. } | Act::IncidentAmended { statements, .. } => {
                w.map(1).uint(0).array(statements.len());
                for s in statements {
                    w.array(2).uint(s.basis as u64).text(&s.text);
                }
                Class::REPORT
            }
            Act::PhotoCaptured { photo: Some(photo), .. } => return Some(photo.to_part()),
            Act::PreviewsMade { previews: Some(previews), .. } => return Some(previews.to_part()),
            _ => return None,
        };
        Some(Part { class, bytes: w.into_bytes() })
    }

    pub(super) fn read(kind: u64, own: &Own<'_>, further: Option<&Part>) -> Result<Self> {
        Ok(match kind {
            0 => Act::LogStarted {
                device_key: PublicKey(own.need(16, "device key")?.fixed("device key")?),
                continues: own.get(17).map(|mut r| read_name(&mut r)).transpose()?,
                reason: own.text(18, MAX_NAME_BYTES, "reason")?.unwrap_or_default(),
            },
            1 => Act::PatrolStarted { crew: own.members(16)? },
            2 => Act::CheckIn {
                patrol_seq: own.get(16).map(|mut r| r.uint("patrol")).transpose()?,
                checkpoint: own.text(17, MAX_NAME_BYTES, "checkpoint code")?,
                note: own.text(18, MAX_TEXT_BYTES, "note")?,
            },
            3 => Act::PatrolPaused { patrol_seq: own.seq(16)? },
            4 => Act::PatrolResumed { patrol_seq: own.seq(16)? },
            5 => Act::PatrolFinished { patrol_seq: own.seq(16)?, distance_m: own.need(17, "distance")?.u32("distance")? },
            6 => Act::CrewChanged { patrol_seq: own.seq(16)?, change: CrewChange { joined: own.members(17)?, left: own.members(18)? } },
            7 => Act::IncidentReported {
                kind: own.text(16, MAX_NAME_BYTES, "kind of incident")?.unwrap_or_default(),
                urgent: own.need(17, "urgent")?.bool("urgent")?,
                attachments: own.get(18).map(|mut r| r.u32("attachments")).transpose()?.unwrap_or(0),
                statements: read_statements(further)?,
            },
            8 => Act::IncidentAmended { incident: read_name(&mut own.need(16, "incident")?)?, statements: read_statements(further)? },
            9 => Act::PhotoCaptured {
                subject: own.get(16).map(|mut r| read_name(&mut r)).transpose()?,
                photo: further.map(PhotoFacts::from_part).transpose()?,
            },
            10 => Act::AlertAnswered {
                alert: own.text(16, MAX_NAME_BYTES, "alert identifier")?.unwrap_or_default(),
                answer: {
                    let n = own.need(17, "answer")?.uint("answer")?;
                    let answer = usize::try_from(n).ok().and_then(|n| Answer::ALL.get(n).copied());
                    answer.ok_or(Error::Malformed { what: "answer", at: 0 })?
                },
            },
            11 => Act::PhoneHandedOver { to: MemberNo(own.need(16, "member")?.u32("member")?) },
            13 => Act::PreviewsMade {
                photo: read_name(&mut own.need(16, "photograph")?)?,
                previews: further.map(Previews::from_part).transpose()?,
            },
            12 => Act::AuthorConfirmed { first_seq: own.seq(16)?, last_seq: own.seq(17)? },
            kind => Act::Unknown { kind },
        })
    }
}

fn check_statements(statements: &[Statement]) -> Result<()> {
    if statements.len() > MAX_STATEMENTS {
        return Err(Error::Limit { what: "statements", limit: MAX_STATEMENTS });
    }
    statements.iter().try_for_each(|s| fits(&s.text, MAX_TEXT_BYTES, "statement"))
}

fn read_statements(part: Option<&Part>) -> Result<Vec<Statement>> {
    let Some(part) = part else { return Ok(Vec::new()) };
    let mut r = Reader::new(&part.bytes);
    let mut fields = r.map("report")?;
    let mut statements = Vec::new();
    while let Some(key) = fields.key(&mut r)? {
        if key != 0 {
            r.item("report field")?;
            continue;
        }
        let n = r.array(MAX_STATEMENTS, "statements")?;
        for _ in 0..n {
            r.tuple(2, "statement")?;
            let basis = usize::try_from(r.uint("basis")?).ok().and_then(|n| Basis::ALL.get(n).copied());
            let text = r.text_up_to(MAX_TEXT_BYTES, "statement")?.to_owned();
            statements.push(Statement { basis: basis.unwrap_or(Basis::Unstated), text });
        }
    }
    r.end("report")?;
    Ok(statements)
}
