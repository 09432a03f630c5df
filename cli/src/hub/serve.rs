//! Running the hub until it is told to stop.

use std::sync::Arc;

use serde_json::json;
use yenban_hub::clock::SystemClock;
use yenban_hub::folder::Folder;
use yenban_hub::{Hub, HubError, access, server};
use yenban_protocol::text::Limit;

use super::{Job, wait_for};
use crate::fault::{Fault, Result};

/// `serve`.
pub(super) fn run(job: &Job<'_>) -> Result<()> {
    job.need_hub()?;
    let listen = job.values.need("listen")?;
    let good = listen.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !good {
        return Err(crate::args::invalid("listen", listen, crate::args::LISTEN));
    }
    let host_name = job.values.bounded("host-name", Limit::NAME)?;
    log_to_stderr();
    wait_for(async {
        let hub = Hub::open(Folder::new(job.dir), Arc::new(SystemClock)).await;
        let hub = hub.map_err(|error| job.fault(&error))?;
        if let Some(name) = host_name {
            hub.doors.found_as(name);
        }
        let serving = match server::serve(Arc::clone(&hub), listen).await {
            Ok(serving) => serving,
            Err(error) => {
                // Nothing was served; what closing says adds nothing to why.
                let _ = hub.close().await;
                return Err(job.fault(&error));
            }
        };
        let told = tell(job, &hub, &serving).await;
        let ended = match told {
            Ok(()) => server::signalled().await.map_err(|error: HubError| job.fault(&error)),
            Err(fault) => Err(fault),
        };
        serving.stop().await;
        hub.close().await.map_err(|error| job.fault(&error))?;
        ended?;
        job.out.line(&job.words().word("cli-hub-stopped"))
    })?
}

async fn tell(job: &Job<'_>, hub: &Hub, serving: &server::Serving) -> Result<(), Fault> {
    let address = serving.address().to_string();
    let console = console(hub, &address).await.map_err(|error| job.fault(&error))?;
    job.out.document(&json!({ "address": address, "console": console }))?;
    job.out.say("cli-hub-serving", &[("address", address.into())])?;
    job.out.say("cli-hub-console", &[("console", console.into())])
}

/// A way into the console: a link that opens once, within 30 minutes. Who comes in by it is the first chief.
pub(crate) async fn console(hub: &Hub, address: &str) -> Result<String, HubError> {
    Ok(format!("https://{address}{}", access::enter_link(hub, "").await?))
}

/// One line of JSON an event, without personal content, on standard error.
fn log_to_stderr() {
    let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).with_writer(std::io::stderr).finish();
    // A second subscriber in one process would be a test's; the first stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
