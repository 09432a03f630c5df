//! Files of golden bytes, and the keys that everything in them was made with.

#![allow(dead_code, unreachable_pub)]

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use yenban_protocol::crypto::SecretKey;

use crate::common::Seeded;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1").join(format!("{name}.hex"))
}

/// The golden bytes; written first if they are wanted and missing.
pub fn golden(name: &str, made: &[u8]) -> Vec<u8> {
    let path = file(name);
    if !path.exists() && std::env::var_os("YENBAN_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("folder");
        let hex = HEXLOWER.encode(made);
        let lines: Vec<&str> = hex.as_bytes().chunks(96).map(|l| std::str::from_utf8(l).expect("hex")).collect();
        std::fs::write(&path, lines.join("\n") + "\n").expect("written");
    }
    let text = std::fs::read_to_string(&path).expect("a golden file; see the head of this file");
    let hex: String = text.split_whitespace().collect();
    HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal")
}

/// The golden bytes, which must also be what is written today.
pub fn exact(name: &str, made: &[u8]) -> Vec<u8> {
    let bytes = golden(name, made);
    assert!(bytes == made, "{name}: today's bytes differ from those of version 1");
    bytes
}

pub struct Keys {
    pub root: SecretKey,
    pub hub: SecretKey,
    pub device: SecretKey,
    pub seal: SecretKey,
}

pub fn keys() -> Keys {
    let mut rng = Seeded::new("golden keys");
    let mut key = || SecretKey::generate(&mut rng);
    Keys { root: key(), hub: key(), device: key(), seal: key() }
}
