//! What each role may do in the console, as one table; and the hamlets somebody sees.
//!
//! A page names the right it needs in its signature ([`crate::console`]), so that none can forget to ask. docs/OPERATIONS.md
//! shows the same table; a test holds the two together.

use yenban_protocol::id::{HamletNo, Role};

use crate::store::WHOLE_COMMUNE;

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Read reports, patrols, check-ins, photographs of the hamlets in reach.
    Read,
    /// Say what became of an incident, ask its reporter, assign it; plan patrols and enter checkpoints.
    Answer,
    /// Warn hamlets in reach.
    Warn,
    /// Be one of the two who warn the whole commune.
    WarnAll,
    /// Make codes for phones of hamlets in reach, confirm the four words, report a phone lost.
    Phones,
    /// Open and close accounts, give roles and reach.
    Accounts,
    /// Read who read and did what, and why.
    ReadLog,
    /// See counts without content.
    Figures,
    /// Take data out as a file.
    Export,
}

impl Right {
    /// All rights, in the order of the table in docs/OPERATIONS.md.
    pub const ALL: [Right; 9] = [
        Right::Read,
        Right::Answer,
        Right::Warn,
        Right::WarnAll,
        Right::Phones,
        Right::Accounts,
        Right::ReadLog,
        Right::Figures,
        Right::Export,
    ];

    /// Its word in the documents.
    pub fn code(self) -> &'static str {
        match self {
            Right::Read => "read",
            Right::Answer => "answer",
            Right::Warn => "warn",
            Right::WarnAll => "warn-all",
            Right::Phones => "phones",
            Right::Accounts => "accounts",
            Right::ReadLog => "read-log",
            Right::Figures => "figures",
            Right::Export => "export",
        }
    }
}

/// Whether `role` may. Leaders and members work on the phone and have no way into the console; an auditor sees
/// figures and the record of reads, never content.
pub fn may(role: Role, right: Right) -> bool {
    match role {
        Role::Chief => true,
        Role::Officer => !matches!(right, Right::Accounts | Right::ReadLog),
        Role::Auditor => matches!(right, Right::ReadLog | Right::Figures),
        Role::Leader | Role::Member => false,
    }
}

/// Whether `role` may have an account.
pub fn has_account(role: Role) -> bool {
    Right::ALL.into_iter().any(|right| may(role, right))
}

/// The hamlets whose affairs somebody sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach(Vec<HamletNo>);

impl Reach {
    /// The whole commune.
    pub const WHOLE: Reach = Reach(Vec::new());

    /// These hamlets; none: the whole commune.
    pub fn of(mut hamlets: Vec<HamletNo>) -> Self {
        hamlets.sort_unstable();
        hamlets.dedup();
        Self(hamlets)
    }

    /// Whether it is the whole commune.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it sees this hamlet. What belongs to the commune as a whole is seen by everybody inside.
    pub fn sees(&self, hamlet: HamletNo) -> bool {
        self.is_whole() || hamlet == WHOLE_COMMUNE || self.0.contains(&hamlet)
    }

    /// Whether it decides about people and phones of this hamlet. Those of the commune itself (its officers) are an affair
    /// of whoever sees all of it.
    pub fn decides(&self, hamlet: HamletNo) -> bool {
        self.is_whole() || (hamlet != WHOLE_COMMUNE && self.0.contains(&hamlet))
    }

    /// The hamlets, ascending; none: the whole commune.
    pub fn hamlets(&self) -> &[HamletNo] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auditor_never_sees_content_and_a_member_has_no_door() {
        for right in [Right::Read, Right::Answer, Right::Warn, Right::WarnAll, Right::Phones, Right::Accounts, Right::Export] {
            assert!(!may(Role::Auditor, right), "{right:?}");
        }
        assert!(has_account(Role::Auditor) && has_account(Role::Officer) && has_account(Role::Chief));
        assert!(!has_account(Role::Member) && !has_account(Role::Leader));
    }

    #[test]
    fn a_reach_is_its_hamlets_and_what_is_everybodys() {
        let reach = Reach::of(vec![HamletNo(3), HamletNo(2), HamletNo(3)]);
        assert_eq!(reach.hamlets(), [HamletNo(2), HamletNo(3)]);
        assert!(reach.sees(HamletNo(2)) && reach.sees(WHOLE_COMMUNE) && !reach.sees(HamletNo(4)));
        assert!(Reach::WHOLE.sees(HamletNo(4)) && Reach::of(vec![]).is_whole());
        assert!(reach.decides(HamletNo(2)) && !reach.decides(WHOLE_COMMUNE) && !reach.decides(HamletNo(4)));
        assert!(Reach::WHOLE.decides(WHOLE_COMMUNE));
    }
}
