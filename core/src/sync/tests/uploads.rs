//! The upload side of the hub in memory: tus as the protocol says it, with the ways in which it can go wrong.

use std::collections::{BTreeMap, BTreeSet};

use yenban_protocol::crypto::{Hash, sha256};
use yenban_protocol::id::LogId;
use yenban_protocol::upload::{CHUNK_TYPE, METADATA_HASH, OBJECTS_PATH, ObjectState, ObjectsAnswer, ObjectsQuestion, UPLOADS_PATH};

use crate::sync::{Method, Problem, Reply, Request};

/// A file at the hub.
#[derive(Default)]
struct Upload {
    bytes: Vec<u8>,
    length: u64,
    verified: bool,
}

/// What the hub knows of files.
#[derive(Default)]
pub(super) struct Uploads {
    /// Which files entries name: put there by the test, as the hub would read it in the entry.
    pub named: BTreeMap<Hash, (LogId, u64)>,
    have: BTreeMap<Hash, Upload>,
    pub erased: BTreeSet<Hash>,
    /// Files whose last byte the hub's disk spoils, so many times.
    pub spoils: BTreeMap<Hash, u32>,
    /// Answers "somebody else is at it" so many times.
    pub locked: u32,
    pub too_large: BTreeSet<Hash>,
    pub full: bool,
    /// Files with which the hub fails without a word of when to come again.
    pub failing: BTreeSet<Hash>,
    /// Answers "later" so many times.
    pub busy: u32,
    /// Bytes that a file got which were there already.
    pub doubled: u64,
    /// Every request about files, as (method, what, offset).
    pub heard: Vec<(Method, Option<Hash>, u64)>,
}

/// What an upload is answered with; `Complete` wants a receipt beside it.
pub(super) enum Said {
    Reply(Reply),
    Complete(Reply, Hash),
    Answer(ObjectsAnswer, Vec<Hash>),
}

impl Uploads {
    pub(super) fn verified(&self, hash: &Hash) -> Option<&[u8]> {
        self.have.get(hash).filter(|u| u.verified).map(|u| u.bytes.as_slice())
    }

    /// Of one log, what receipts may name.
    pub(super) fn objects(&self, log: LogId, asked: &[Hash]) -> Vec<(Hash, u64)> {
        let of_log = |hash: &&Hash| self.named.get(*hash).is_some_and(|(l, _)| *l == log);
        asked.iter().filter(of_log).filter_map(|hash| Some((*hash, self.verified(hash)?.len() as u64))).collect()
    }

    /// Loses the bytes of a file, as a broken disk does.
    pub(super) fn lose(&mut self, hash: &Hash) {
        self.have.remove(hash);
    }

    /// Loses begun uploads, as their time is over.
    pub(super) fn expire(&mut self) {
        self.have.retain(|_, upload| upload.verified);
    }

    pub(super) fn is_about(request: &Request) -> bool {
        request.path.starts_with(UPLOADS_PATH) || request.path == OBJECTS_PATH
    }

    /// `holds` says whether the entry that names a file was accepted. `arrives` is how much of the body came.
    pub(super) fn handle(&mut self, request: &Request, body: &[u8], holds: &dyn Fn(&(LogId, u64)) -> bool) -> Said {
        if request.path == OBJECTS_PATH {
            let asked = ObjectsQuestion::from_bytes(body).unwrap().objects;
            self.heard.push((request.method, None, asked.len() as u64));
            let states = asked.iter().map(|hash| self.state(hash, holds)).collect();
            return Said::Answer(ObjectsAnswer { states, receipts: Vec::new() }, asked);
        }
        let header = |name: &str| request.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        assert_eq!(header("tus-resumable"), Some("1.0.0"));
        let hash = match request.path.strip_prefix(&format!("{UPLOADS_PATH}/")) {
            Some(hex) => hash_of(hex.as_bytes()),
            None => {
                let metadata = header("upload-metadata").unwrap().strip_prefix(METADATA_HASH).unwrap().trim();
                hash_of(&data_encoding::BASE64.decode(metadata.as_bytes()).unwrap())
            }
        };
        let offset = header("upload-offset").map_or(0, |v| v.parse().unwrap());
        self.heard.push((request.method, Some(hash), offset));
        if self.busy > 0 {
            self.busy -= 1;
            return Said::Reply(Reply { retry_after_ms: Some(5_000), ..problem(503, "busy") });
        }
        if self.failing.contains(&hash) {
            return Said::Reply(problem(500, "internal"));
        }
        if self.locked > 0 {
            self.locked -= 1;
            return Said::Reply(problem(423, "locked"));
        }
        if self.erased.contains(&hash) {
            return Said::Reply(problem(410, "erased"));
        }
        if !self.named.get(&hash).is_some_and(holds) {
            return Said::Reply(problem(404, "not_named"));
        }
        match request.method {
            Method::Post => self.create(hash, header("upload-length").unwrap().parse().unwrap()),
            Method::Patch => {
                assert_eq!(header("content-type"), Some(CHUNK_TYPE));
                self.patch(hash, offset, body)
            }
            Method::Delete if self.have.get(&hash).is_some_and(|u| u.verified) => Said::Reply(problem(403, "complete")),
            Method::Delete => {
                self.have.remove(&hash);
                Said::Reply(Reply { status: 204, ..Reply::default() })
            }
            Method::Get => Said::Reply(problem(404, "not_found")),
        }
    }

    fn state(&self, hash: &Hash, holds: &dyn Fn(&(LogId, u64)) -> bool) -> ObjectState {
        match self.have.get(hash) {
            _ if self.erased.contains(hash) => ObjectState::Erased,
            _ if !self.named.get(hash).is_some_and(holds) => ObjectState::NotNamed,
            Some(upload) if upload.verified => ObjectState::Verified,
            Some(upload) => ObjectState::Partial(upload.bytes.len() as u64),
            None => ObjectState::Partial(0),
        }
    }

    fn create(&mut self, hash: Hash, length: u64) -> Said {
        if self.full {
            return Said::Reply(problem(507, "no_room"));
        }
        if self.too_large.contains(&hash) {
            return Said::Reply(problem(413, "too_large"));
        }
        self.have.entry(hash).or_insert(Upload { length, ..Upload::default() });
        self.standing(hash)
    }

    fn standing(&self, hash: Hash) -> Said {
        let upload = &self.have[&hash];
        let reply = Reply { status: 201, upload_offset: Some(upload.bytes.len() as u64), ..Reply::default() };
        if upload.verified { Said::Complete(reply, hash) } else { Said::Reply(reply) }
    }

    fn patch(&mut self, hash: Hash, offset: u64, body: &[u8]) -> Said {
        let Some(upload) = self.have.get_mut(&hash) else { return Said::Reply(problem(404, "no_upload")) };
        let have = upload.bytes.len() as u64;
        if upload.verified {
            return Said::Reply(problem(403, "complete"));
        }
        if offset != have {
            self.doubled += body.len() as u64;
            return Said::Reply(Reply { upload_offset: Some(have), ..problem(409, "offset") });
        }
        upload.bytes.extend_from_slice(body);
        let now = upload.bytes.len() as u64;
        assert!(now <= upload.length, "more than was announced");
        let reply = Reply { status: 204, upload_offset: Some(now), ..Reply::default() };
        if now < upload.length {
            return Said::Reply(reply);
        }
        let spoilt = self.spoils.get_mut(&hash).filter(|left| **left > 0);
        if let Some(left) = spoilt {
            *left -= 1;
            return Said::Reply(problem(422, "wrong_hash"));
        }
        upload.verified = sha256(&upload.bytes) == hash;
        if upload.verified { Said::Complete(reply, hash) } else { Said::Reply(problem(422, "wrong_hash")) }
    }
}

fn hash_of(hex: &[u8]) -> Hash {
    data_encoding::HEXLOWER.decode(hex).unwrap().try_into().unwrap()
}

fn problem(status: u16, code: &str) -> Reply {
    Reply { status, problem: Some(Problem { code: code.into(), detail: "no".into() }), ..Reply::default() }
}
