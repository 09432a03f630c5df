//! Phones that wait for an officer, and what is known not to have come from them.

use yenban_protocol::id::DeviceId;

use super::{CodeRow, ItemSigner, Reply};

/// What a device has and the hub has not, as far as what came tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Awaited {
    /// Entries before ones that are here.
    pub entries: u64,
    /// Files that entries name.
    pub files: u64,
}

/// What the store promises of them; part of [`HubStore`](super::HubStore) and its conformance suite.
pub trait PhoneStore: Send + Sync + 'static {
    /// An officer has compared the four words of a waiting device and they agree: it belongs to the commune from now on, and
    /// its hamlet learns of its member. `false`: it does not wait (any more), is revoked or not known; nothing is done then.
    fn confirm_device(&self, device: DeviceId, at_ms: i64, signer: ItemSigner) -> Reply<'_, bool>;

    /// Enrolment codes made at `since_ms` or later, newest first.
    fn codes(&self, since_ms: i64) -> Reply<'_, Vec<CodeRow>>;

    /// What has not come of the devices that something has not come of.
    fn awaited(&self) -> Reply<'_, Vec<(DeviceId, Awaited)>>;
}
