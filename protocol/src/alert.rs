//! Alerts: what the commune police tell the hamlets. The fields are those of OASIS CAP 1.2 that reach a
//! phone; codes are CAP's own words.

use crate::cbor::{Reader, Writer};
use crate::error::{Error, Result};
use crate::fields::{list, need, write_list};
use crate::id::HamletNo;
use crate::limits::{MAX_NAME_BYTES, MAX_PLACES, MAX_TEXT_BYTES};

macro_rules! cap_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All values, by their number on the wire.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// CAP's word.
            pub fn code(self) -> &'static str {
                match self { $($name::$variant => stringify!($variant)),+ }
            }

            /// From CAP's word.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.code() == code)
            }

            fn from_number(n: u64) -> Result<Self> {
                usize::try_from(n).ok().and_then(|n| Self::ALL.get(n).copied())
                    .ok_or(Error::Malformed { what: stringify!($name), at: 0 })
            }
        }
    };
}

cap_words!(
    /// How bad (CAP `severity`).
    Severity {
        /// Extraordinary threat: "Nguy cấp, làm ngay".
        Extreme,
        /// Significant threat: "Nguy hiểm".
        Severe,
        /// Possible threat: "Đề phòng".
        Moderate,
        /// Minimal threat: "Để biết".
        Minor,
        /// "Chưa rõ mức".
        Unknown
    }
);
cap_words!(
    /// How soon to act (CAP `urgency`).
    Urgency {
        /// At once.
        Immediate,
        /// Within the hour.
        Expected,
        /// In the near future.
        Future,
        /// No longer.
        Past,
        /// Not known.
        Unknown
    }
);
cap_words!(
    /// Real or not (CAP `status`): anything but Actual never sounds as real.
    Status {
        /// Real.
        Actual,
        /// A drill for those named.
        Exercise,
        /// A technical test.
        Test
    }
);
cap_words!(
    /// New, changed or taken back (CAP `msgType`).
    MessageType {
        /// New.
        Alert,
        /// Replaces those it refers to.
        Update,
        /// Takes back those it refers to.
        Cancel
    }
);

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// CAP identifier, unique for ever.
    pub identifier: String,
    /// Who sends, for people.
    pub sender_name: String,
    /// When, hub time, ms (whole seconds).
    pub sent_ms: i64,
    /// Until when it holds, ms.
    pub expires_ms: i64,
    /// Real or drill.
    pub status: Status,
    /// New, update, cancel.
    pub message_type: MessageType,
    /// How bad.
    pub severity: Severity,
    /// How soon.
    pub urgency: Urgency,
    /// One line.
    pub headline: String,
    /// What happens.
    pub description: String,
    /// What to do.
    pub instruction: String,
    /// For these hamlets; empty for the whole commune.
    pub hamlets: Vec<HamletNo>,
    /// Identifiers of the alerts it updates or cancels.
    pub references: Vec<String>,
}

impl Alert {
    /// Whether it is a drill or a test.
    pub fn is_drill(&self) -> bool {
        self.status != Status::Actual
    }

    /// Writes the alert as one item.
    pub fn write(&self, w: &mut Writer) {
        w.map(13).uint(0).text(&self.identifier).uint(1).text(&self.sender_name);
        w.uint(2).int(self.sent_ms).uint(3).int(self.expires_ms);
        w.uint(4).uint(self.status as u64).uint(5).uint(self.message_type as u64);
        w.uint(6).uint(self.severity as u64).uint(7).uint(self.urgency as u64);
        w.uint(8).text(&self.headline).uint(9).text(&self.description).uint(10).text(&self.instruction).uint(11);
        write_list(w, &self.hamlets, |w, h| {
            w.uint(h.0.into());
        });
        w.uint(12);
        write_list(w, &self.references, |w, id| {
            w.text(id);
        });
    }

    /// Reads what [`Alert::write`] wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut identifier, mut sender_name, mut sent, mut expires) = (None, None, None, None);
        let (mut status, mut message_type, mut severity, mut urgency) = (None, None, None, None);
        let (mut headline, mut description, mut instruction) = (None, String::new(), String::new());
        let (mut hamlets, mut references) = (Vec::new(), Vec::new());
        let mut fields = r.map("alert")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => identifier = Some(r.text_up_to(MAX_NAME_BYTES, "alert identifier")?.to_owned()),
                1 => sender_name = Some(r.text_up_to(MAX_NAME_BYTES, "sender")?.to_owned()),
                2 => sent = Some(r.int("sent")?),
                3 => expires = Some(r.int("expires")?),
                4 => status = Some(Status::from_number(r.uint("status")?)?),
                5 => message_type = Some(MessageType::from_number(r.uint("message type")?)?),
                6 => severity = Some(Severity::from_number(r.uint("severity")?)?),
                7 => urgency = Some(Urgency::from_number(r.uint("urgency")?)?),
                8 => headline = Some(r.text_up_to(MAX_TEXT_BYTES, "headline")?.to_owned()),
                9 => description = r.text_up_to(MAX_TEXT_BYTES, "description")?.to_owned(),
                10 => instruction = r.text_up_to(MAX_TEXT_BYTES, "instruction")?.to_owned(),
                11 => hamlets = list(r, MAX_PLACES, "hamlets", |r| r.u32("hamlet").map(HamletNo))?,
                12 => references = list(r, MAX_PLACES, "references", |r| r.text_up_to(MAX_NAME_BYTES, "reference").map(str::to_owned))?,
                _ => drop(r.item("alert field")?),
            }
        }
        Ok(Self {
            identifier: need(identifier, "alert identifier")?,
            sender_name: need(sender_name, "sender")?,
            sent_ms: need(sent, "sent")?,
            expires_ms: need(expires, "expires")?,
            status: need(status, "status")?,
            message_type: need(message_type, "message type")?,
            severity: need(severity, "severity")?,
            urgency: need(urgency, "urgency")?,
            headline: need(headline, "headline")?,
            description,
            instruction,
            hamlets,
            references,
        })
    }
}
