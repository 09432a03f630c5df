//! The control socket of a running hub: lines of JSON, one operation each, one answer each. Whoever may open the
//! socket is the operator: it lies in the hub's folder (0700) and has mode 0600.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::{Operation, perform};
use crate::app::Hub;
use crate::error::{HubError, Problem, Refusal, Result};
use crate::folder::PRIVATE_MODE;
use crate::limits::{CONTROL_CONNECTIONS_MAX, CONTROL_LINE_MAX};

/// One answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// It was done.
    Done(Value),
    /// It was not.
    Problem(Problem),
}

/// A control socket being served.
pub struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Control {
    /// Stops serving and removes the socket. An operation under way is finished by the store's own transaction.
    pub async fn stop(self) {
        self.task.abort();
        // Ends by the abort; there is nothing to learn from it.
        let _ = self.task.await;
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Serves the control socket. The folder's lock is held, so a socket that lies there is a dead one.
pub fn listen(hub: Arc<Hub>) -> Result<Control> {
    let path = hub.folder.control_socket();
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).map_err(HubError::file(&path))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(PRIVATE_MODE)).map_err(HubError::file(&path))?;
    let task = tokio::spawn(async move {
        let room = Arc::new(Semaphore::new(CONTROL_CONNECTIONS_MAX));
        loop {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else { continue };
            let hub = Arc::clone(&hub);
            tokio::spawn(async move {
                if let Err(e) = converse(&hub, stream).await {
                    tracing::debug!(error = %e, "control connection ended");
                }
                drop(permit);
            });
        }
    });
    Ok(Control { path, task })
}

async fn converse(hub: &Arc<Hub>, stream: UnixStream) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = Vec::new();
        let n = (&mut read).take(CONTROL_LINE_MAX as u64 + 1).read_until(b'\n', &mut line).await?;
        if n == 0 {
            return Ok(());
        }
        let reply = match answer(hub, &line).await {
            Ok(done) => Reply::Done(done),
            Err(e) => Reply::Problem(Problem::for_operator(&e)),
        };
        let mut bytes = serde_json::to_vec(&reply)?;
        bytes.push(b'\n');
        write.write_all(&bytes).await?;
        if line.len() > CONTROL_LINE_MAX {
            return Ok(());
        }
    }
}

async fn answer(hub: &Arc<Hub>, line: &[u8]) -> Result<Value> {
    if line.len() > CONTROL_LINE_MAX {
        return Err(Refusal::TooLarge(format!("a line of at most {CONTROL_LINE_MAX} bytes is taken here")).into());
    }
    let operation: Operation = serde_json::from_slice(line).map_err(|e| Refusal::Malformed(e.to_string()))?;
    perform(hub, operation).await
}
