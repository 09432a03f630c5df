//! The hub of the simulation: the real one behind its own routes, without sockets.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request as HttpRequest, Response};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use yenban_core::sync::{Body as RequestBody, Method, Problem, Reply, Request};
use yenban_hub::app::Parts;
use yenban_hub::clock::ManualClock;
use yenban_hub::enrol::{CodeWanted, make_code};
use yenban_hub::folder::Folder;
use yenban_hub::init::{NewHub, init};
use yenban_hub::{Hub, backup};
use yenban_protocol::id::Role;
use yenban_protocol::upload::RECEIPT_HEADER;
use yenban_protocol::wire::MEDIA_TYPE;

use crate::chance::Chance;
use crate::disk::{Cut, Gated, Platter, Watching};

/// A hub.
pub struct HubNode {
    /// Its folder.
    pub dir: PathBuf,
    /// What its disk is.
    pub platter: Arc<Platter>,
    /// Its clock.
    pub clock: ManualClock,
    /// The hub, while it runs.
    pub hub: Option<Arc<Hub>>,
    router: Option<Router>,
    runtime: Runtime,
}

/// How much of a request reaches the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All of it.
    Whole,
    /// The road breaks after so many of its bytes.
    Cut(u64),
}

impl HubNode {
    /// A new hub at `dir`, made at `now_ms`; `template` is where one was made before in this process, copied because
    /// making keys takes longer than living through a night.
    pub fn new(dir: &Path, template: &Path, now_ms: i64, chance: &mut Chance) -> HubNode {
        let runtime = runtime();
        let clock = ManualClock::at(now_ms);
        copy_folder(template, dir);
        let platter = Platter::spin(&dir.join("hub"), chance.fork());
        let mut node = HubNode { dir: dir.join("hub"), platter, clock, hub: None, router: None, runtime };
        node.open().expect("a new hub opens");
        node
    }

    /// Makes the hub that all others of this process are copies of, with chance of its own: the first world must not be
    /// another one than the second.
    pub fn template(template: &Path, now_ms: i64) {
        if template.exists() {
            return;
        }
        yenban_hub::entropy::seeded::begin(0);
        let new = NewHub {
            dir: template.join("hub"),
            commune: "05200".into(),
            name: "Công an xã".into(),
            recovery_file: Some(template.join("recovery")),
            officer: "Hà Văn Sơn".into(),
        };
        std::fs::create_dir_all(template).expect("a folder in memory can be made");
        runtime().block_on(init(new, Arc::new(ManualClock::at(now_ms)))).expect("a hub can be made");
    }

    /// Starts the hub on whatever lies in its folder.
    ///
    /// # Errors
    /// As the hub's.
    pub fn open(&mut self) -> yenban_hub::Result<()> {
        let folder = Folder::new(self.dir.clone());
        std::fs::create_dir_all(folder.objects()).expect("a folder in memory can be made");
        let storage = Gated::over(self.platter.clone(), &folder.objects())?;
        let parts = Parts { storage: Some(Arc::new(storage)), disk: Arc::new(Watching::over(self.platter.clone())), ..Parts::default() };
        let hub = self.runtime.block_on(Hub::open_on(folder, Arc::new(self.clock.clone()), parts))?;
        self.router = Some(yenban_hub::server::router(hub.clone()));
        self.hub = Some(hub);
        Ok(())
    }

    /// Runs something with the hub, to its end.
    pub fn with<T>(&self, work: impl AsyncFnOnce(&Arc<Hub>) -> T) -> Option<T> {
        let hub = self.hub.as_ref()?;
        Some(self.runtime.block_on(work(hub)))
    }

    /// Ends the program as a power cut does.
    pub fn crash(&mut self, cut: Cut) {
        self.platter.die();
        self.stop();
        self.platter.restart(cut).expect("the folder in memory works");
    }

    /// Stops the hub and waits for its files to be closed.
    pub fn stop(&mut self) {
        self.router = None;
        if let Some(hub) = self.hub.take() {
            // A dying disk makes it fail; its threads end all the same.
            let _ = self.runtime.block_on(hub.close());
        }
    }

    /// Whether nothing was the matter with its disk since this was counted last.
    pub(crate) fn is_well(&self) -> bool {
        !self.platter.is_dead() && self.platter.hits() == 0 && !self.platter.is_small()
    }

    /// Lets a request come in; `None`: no answer came.
    pub fn answer(&self, request: &Request, reach: Reach) -> Option<Reply> {
        let router = self.router.clone()?;
        let http = http_of(request, reach)?;
        self.runtime.block_on(async {
            let response = router.oneshot(http).await.ok()?;
            let reply = reply_of(response).await?;
            (reach == Reach::Whole && !self.platter.is_dead()).then_some(reply)
        })
    }

    /// An enrolment code for a member of a hamlet.
    pub fn code(&self, name: &str) -> Option<String> {
        let wanted = CodeWanted {
            hamlet: "Nà Phòn".into(),
            create: true,
            role: Role::Member,
            name: name.into(),
            addresses: vec!["127.0.0.1:8443".into()],
        };
        self.with(async |hub| make_code(hub, wanted).await.ok().map(|made| made.text))?
    }

    /// Writes a backup.
    pub fn back_up(&self, file: &Path) -> bool {
        self.with(async |hub| backup::write(hub, file).await.is_ok()).unwrap_or(false)
    }

    /// Stops the hub, gives it new keys, starts it again.
    ///
    /// # Errors
    /// As the hub's.
    pub fn replace_keys(&mut self) -> yenban_hub::Result<()> {
        self.stop();
        // The keys' files lie beside what the simulated disk holds and count as durable: hub/src/keys/replace.rs cuts them off.
        yenban_hub::keys::replace(&Folder::new(self.dir.clone()), None, self.clock.now_ms())?;
        self.open()
    }

    /// Throws the folder away and restores a backup in its place.
    pub fn restore(&mut self, file: &Path, recovery: &Path) -> yenban_hub::Result<()> {
        self.stop();
        std::fs::remove_dir_all(&self.dir).expect("the folder in memory can be removed");
        self.platter.replaced();
        let clock = Arc::new(self.clock.clone());
        self.runtime.block_on(backup::restore(&self.dir, file, Some(recovery), clock))?;
        // What a restore wrote counts as durable: it happens before the hub serves.
        self.platter.replaced();
        self.open()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn http_of(request: &Request, reach: Reach) -> Option<HttpRequest<Body>> {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    let mut http = HttpRequest::builder().method(method).uri(&request.path);
    for (name, value) in &request.headers {
        http = http.header(*name, value);
    }
    let bytes = match &request.body {
        RequestBody::Bytes(bytes) => {
            if !bytes.is_empty() {
                http = http.header("content-type", MEDIA_TYPE);
            }
            Bytes::from(bytes.clone())
        }
        RequestBody::File(slice) => {
            let file = std::fs::read(&slice.path).ok()?;
            let end = (slice.offset + slice.length).min(file.len() as u64);
            Bytes::copy_from_slice(file.get(slice.offset as usize..end as usize)?)
        }
    };
    http = http.header("content-length", bytes.len());
    let body = match reach {
        Reach::Whole => Body::from(bytes),
        Reach::Cut(after) => {
            let first = bytes.slice(..(after as usize).min(bytes.len().saturating_sub(1)));
            let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            Body::from_stream(futures_util::stream::iter([Ok(first), Err(broken)]))
        }
    };
    http.body(body).ok()
}

async fn reply_of(response: Response<Body>) -> Option<Reply> {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let number = |name: &str| header(name).parse::<u64>().ok();
    let receipt = data_encoding::BASE64URL_NOPAD.decode(header(RECEIPT_HEADER).as_bytes()).ok().filter(|bytes| !bytes.is_empty());
    let mut reply = Reply {
        status,
        retry_after_ms: number("retry-after").map(|seconds| seconds * 1_000),
        upload_offset: number("upload-offset"),
        receipt,
        ..Reply::default()
    };
    let ours = header("content-type").starts_with(MEDIA_TYPE);
    let body = response.into_body().collect().await.ok()?.to_bytes();
    if ours || (body.is_empty() && (200..300).contains(&status)) {
        reply.body = body.to_vec();
        return Some(reply);
    }
    let value: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    let text = |key: &str| value.as_ref().and_then(|v| v.get(key)).and_then(|v| v.as_str()).map(str::to_owned);
    let code = text("code").unwrap_or_else(|| format!("status_{status}"));
    reply.problem = Some(Problem { code, detail: text("detail").unwrap_or_default() });
    Some(reply)
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder in memory can be made");
    for item in std::fs::read_dir(from).expect("a folder in memory can be read").flatten() {
        let (from, to) = (item.path(), to.join(item.file_name()));
        match item.file_type() {
            Ok(kind) if kind.is_dir() => copy_folder(&from, &to),
            Ok(kind) if kind.is_file() => copy_file(&from, &to).expect("a file in memory can be copied"),
            // The control socket of a hub that runs.
            _ => {}
        }
    }
}

/// Copies a file; of one without any bytes in it, a phone's reserve of 32 MiB, its length.
fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    let file = std::fs::metadata(from)?;
    if file.blocks() > 0 {
        return std::fs::copy(from, to).map(drop);
    }
    std::fs::File::create(to)?.set_len(file.len())
}
