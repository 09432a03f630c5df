//! Names of things: logs, entries, devices, keys, places. Small fixed types, so that one can't be taken
//! for another.

use core::fmt;
use core::str::FromStr;

use crate::error::{Error, Result};

macro_rules! eight_bytes {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 8]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", u64::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = Error;
            /// Sixteen lower-case hexadecimal digits.
            fn from_str(s: &str) -> Result<Self> {
                let well_formed = s.len() == 16 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                match u64::from_str_radix(s, 16) {
                    Ok(n) if well_formed => Ok(Self(n.to_be_bytes())),
                    _ => Err(Error::Malformed { what: stringify!($name), at: 0 }),
                }
            }
        }
    };
}

eight_bytes!(
    /// A log: random, made when a store is made.
    LogId
);
eight_bytes!(
    /// A device, named by the hub in its certificate.
    DeviceId
);
eight_bytes!(
    /// The life of a hub's database: new at init and after each restore, compared for equality only.
    Epoch
);
eight_bytes!(
    /// A key: the first 8 bytes of SHA-256 of its compressed public point.
    KeyId
);
eight_bytes!(
    /// One start of a phone.
    BootId
);
eight_bytes!(
    /// A session key under which bodies are sealed on the phone.
    SessionId
);

/// An entry's name, for ever: its log and its place in it. Written `log:seq`.
///
/// ```
/// use yenban_protocol::id::EntryName;
/// let name: EntryName = "00a1b2c3d4e5f607:42".parse()?;
/// assert_eq!(name.seq, 42);
/// assert_eq!(name.to_string(), "00a1b2c3d4e5f607:42");
/// # Ok::<(), yenban_protocol::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryName {
    /// The log.
    pub log: LogId,
    /// The place in it, from 0.
    pub seq: u64,
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.log, self.seq)
    }
}

impl FromStr for EntryName {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        let bad = Error::Malformed { what: "entry name", at: 0 };
        let (log, seq) = s.split_once(':').ok_or(bad.clone())?;
        let canonical = seq.bytes().all(|b| b.is_ascii_digit()) && (seq == "0" || !seq.starts_with('0'));
        let seq = seq.parse::<u64>().ok().filter(|_| canonical).ok_or(bad.clone())?;
        Ok(Self { log: log.parse().map_err(|_| bad)?, seq })
    }
}

/// A member's number, given by the hub; 0 is nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MemberNo(pub u32);

/// A hamlet's number within its hub; 0 is the commune itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HamletNo(pub u32);

macro_rules! number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
number!(MemberNo, HamletNo);

/// A commune's five-digit code of the statistics office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommuneCode(u32);

impl CommuneCode {
    /// From a number of at most five digits.
    pub fn new(n: u32) -> Result<Self> {
        if n <= 99_999 { Ok(Self(n)) } else { Err(Error::Malformed { what: "commune code", at: 0 }) }
    }

    /// The code as a number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for CommuneCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}", self.0)
    }
}

impl FromStr for CommuneCode {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        let well_formed = s.len() == 5 && s.bytes().all(|b| b.is_ascii_digit());
        s.parse().ok().filter(|_| well_formed).map(Self).ok_or(Error::Malformed { what: "commune code", at: 0 })
    }
}

/// What a person may do at the commune; the hub decides, the enrolment code only repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Member of a group (tổ viên).
    Member,
    /// Leader of a group (tổ trưởng).
    Leader,
    /// Commune police officer.
    Officer,
    /// Chief of the commune police.
    Chief,
    /// Outside reviewer: figures, no content.
    Auditor,
}

impl Role {
    /// All roles, by their number on the wire.
    pub const ALL: [Role; 5] = [Role::Member, Role::Leader, Role::Officer, Role::Chief, Role::Auditor];

    /// The number on the wire.
    pub fn number(self) -> u64 {
        self as u64
    }

    /// From the number on the wire.
    pub fn from_number(n: u64) -> Result<Self> {
        usize::try_from(n).ok().and_then(|n| Self::ALL.get(n).copied()).ok_or(Error::Malformed { what: "role", at: 0 })
    }

    /// The word of the command line and JSON.
    pub fn code(self) -> &'static str {
        ["member", "leader", "officer", "chief", "auditor"][self as usize]
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Role {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|r| r.code() == s).ok_or(Error::Malformed { what: "role", at: 0 })
    }
}
