//! The operator's end: the same calls on a stopped hub (its lock is taken) and on a running one (over its socket).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::socket::Reply;
use super::{Answered, BackedUp, Checked, ConsoleLink, EnrolMade, EnrolWanted, ListKind, Operation, Revoked, perform};
use crate::alert::{AlertSent, AlertWanted};
use crate::app::Hub;
use crate::clock::{Stopwatch, SystemClock};
use crate::courier::{Answer as CourierAnswer, ParcelTaken};
use crate::error::{HubError, Result};
use crate::exchange::bundle::BundleTotals;
use crate::exchange::{ExportTotals, Format, Scope as ExportScope};
use crate::folder::Folder;
use crate::limits::LOCK_WAIT;
use crate::retention::{ItemOrder, ItemOrdered};
use crate::sms::SmsTaken;
use crate::store::{ImportTotals, ListQuery, Totals};

/// Longest answer taken from a hub, bytes.
const ANSWER_MAX: u64 = 1 << 30;
const RETRY: Duration = Duration::from_millis(50);

enum Carrier {
    Here(Arc<Hub>),
    Socket(BufReader<UnixStream>),
}

/// Works on a hub.
pub struct Admin {
    carrier: Carrier,
}

impl Admin {
    /// Works on the hub in `dir`, running or not. While another command holds the lock, waits a little.
    pub async fn open(dir: &Path) -> Result<Self> {
        let folder = Folder::new(dir);
        if !folder.exists() {
            return Err(HubError::folder(dir, "no hub here: make one with `yenban hub init`"));
        }
        let waited = Stopwatch::start();
        loop {
            if let Ok(stream) = UnixStream::connect(folder.control_socket()).await {
                return Ok(Self { carrier: Carrier::Socket(BufReader::new(stream)) });
            }
            match Hub::open_within(folder.clone(), Arc::new(SystemClock), Duration::ZERO).await {
                Ok(hub) => return Ok(Self::here(hub)),
                // Held by a hub that is only starting, or by another command: its socket or its end comes soon.
                Err(HubError::Locked(_)) if waited.elapsed() < LOCK_WAIT => tokio::time::sleep(RETRY).await,
                Err(e) => return Err(e),
            }
        }
    }

    /// Works on a hub of this process.
    pub fn here(hub: Arc<Hub>) -> Self {
        Self { carrier: Carrier::Here(hub) }
    }

    /// Whether the hub runs in another process.
    pub fn is_remote(&self) -> bool {
        matches!(self.carrier, Carrier::Socket(_))
    }

    /// Does any operation.
    pub async fn call(&mut self, operation: Operation) -> Result<Value> {
        match &mut self.carrier {
            Carrier::Here(hub) => perform(hub, operation).await,
            Carrier::Socket(stream) => exchange(stream, &operation).await,
        }
    }

    async fn ask<T: DeserializeOwned>(&mut self, operation: Operation) -> Result<T> {
        let value = self.call(operation).await?;
        serde_json::from_value(value).map_err(|e| HubError::Answer(e.to_string()))
    }

    /// Makes an enrolment code.
    pub async fn enrol(&mut self, wanted: EnrolWanted) -> Result<EnrolMade> {
        self.ask(Operation::Enrol(wanted)).await
    }

    /// Sends an alert.
    pub async fn alert(&mut self, wanted: AlertWanted) -> Result<AlertSent> {
        self.ask(Operation::Alert(wanted)).await
    }

    /// Revokes a device.
    pub async fn revoke(&mut self, device: &str, lost: bool) -> Result<Revoked> {
        self.ask(Operation::Revoke { device: device.to_owned(), lost }).await
    }

    /// A one-use way into the console for an officer; `None` when the hub does not run and so has no console.
    pub async fn console(&mut self, officer: &str) -> Result<Option<ConsoleLink>> {
        match self.is_remote() {
            true => self.ask(Operation::Console { officer: officer.to_owned() }).await.map(Some),
            false => Ok(None),
        }
    }

    /// The figures.
    pub async fn status(&mut self) -> Result<Totals> {
        self.ask(Operation::Status).await
    }

    /// A list, as JSON rows; `T` is the row's type of [`crate::store`], or [`Value`].
    pub async fn list<T: DeserializeOwned>(&mut self, what: ListKind, query: ListQuery, purpose: &str) -> Result<Vec<T>> {
        self.ask(Operation::List { what, query, purpose: purpose.to_owned() }).await
    }

    /// Imports hamlets, groups and members. `lang` is `vi` or `en`.
    pub async fn import(&mut self, file: &[u8], lang: &str) -> Result<ImportTotals> {
        self.ask(Operation::Import { file_base64: data_encoding::BASE64.encode(file), lang: lang.to_owned() }).await
    }

    /// Writes a file of what is held. `out` is made absolute here, for the hub may run elsewhere.
    pub async fn export(&mut self, format: Format, scope: ExportScope, out: &Path, purpose: &str) -> Result<ExportTotals> {
        let out = std::path::absolute(out).map_err(HubError::file(out))?;
        self.ask(Operation::Export { format, scope, out, purpose: purpose.to_owned() }).await
    }

    /// Writes an evidence bundle. `out` is made absolute here, for the hub may run elsewhere.
    pub async fn bundle(&mut self, scope: ExportScope, out: &Path, purpose: &str) -> Result<BundleTotals> {
        let out = std::path::absolute(out).map_err(HubError::file(out))?;
        self.ask(Operation::Bundle { scope, out, purpose: purpose.to_owned() }).await
    }

    /// Recomputes every chain and reads every file again.
    pub async fn check(&mut self) -> Result<Checked> {
        self.ask(Operation::Check).await
    }

    /// Holds an item of evidence for a case.
    pub async fn hold(&mut self, order: ItemOrder) -> Result<ItemOrdered> {
        self.ask(Operation::Hold(order)).await
    }

    /// Ends a hold.
    pub async fn release(&mut self, order: ItemOrder) -> Result<ItemOrdered> {
        self.ask(Operation::Release(order)).await
    }

    /// Destroys an item of evidence.
    pub async fn erase(&mut self, order: ItemOrder) -> Result<ItemOrdered> {
        self.ask(Operation::Erase(order)).await
    }

    /// Takes a parcel that a courier brought.
    pub async fn parcel(&mut self, parcel: &[u8]) -> Result<ParcelTaken> {
        self.ask(Operation::Parcel { parcel_base64: data_encoding::BASE64.encode(parcel) }).await
    }

    /// Answers for every device that asked through a courier.
    pub async fn courier_answers(&mut self) -> Result<Vec<CourierAnswer>> {
        self.ask(Operation::CourierAnswers).await
    }

    /// Tells the reporter of an incident what became of it; `keep` says why words about ethnicity, religion or illness
    /// stay in the line.
    pub async fn answer(&mut self, incident: &str, state: &str, note: &str, keep: &str) -> Result<Answered> {
        let [incident, state, note, keep] = [incident, state, note, keep].map(str::to_owned);
        self.ask(Operation::Fate { incident, state, note, keep }).await
    }

    /// Takes a report by message.
    pub async fn sms(&mut self, text: &str) -> Result<SmsTaken> {
        self.ask(Operation::Sms { text: text.to_owned() }).await
    }

    /// Writes a backup, sealed to the recovery key.
    pub async fn backup(&mut self, file: &Path) -> Result<BackedUp> {
        let file = std::path::absolute(file).map_err(HubError::file(file))?;
        self.ask(Operation::Backup { file }).await
    }

    /// Ends the work; a hub that was opened here is closed.
    pub async fn close(self) -> Result<()> {
        match self.carrier {
            Carrier::Here(hub) => hub.close().await,
            Carrier::Socket(_) => Ok(()),
        }
    }
}

async fn exchange(stream: &mut BufReader<UnixStream>, operation: &Operation) -> Result<Value> {
    // A hub that ends closes its socket, whether this side writes or reads just then.
    let broken = |_: std::io::Error| HubError::Ended;
    let mut line = serde_json::to_vec(operation).map_err(|e| HubError::Answer(e.to_string()))?;
    line.push(b'\n');
    stream.get_mut().write_all(&line).await.map_err(broken)?;
    let mut answer = Vec::new();
    (&mut *stream).take(ANSWER_MAX).read_until(b'\n', &mut answer).await.map_err(broken)?;
    match serde_json::from_slice(&answer) {
        Ok(Reply::Done(value)) => Ok(value),
        Ok(Reply::Problem(problem)) => Err(HubError::Told(Box::new(problem))),
        Err(e) if answer.ends_with(b"\n") => Err(HubError::Answer(e.to_string())),
        Err(_) => Err(HubError::Ended),
    }
}
