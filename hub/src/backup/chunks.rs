//! The sealed stream of a backup: chunks under one key, numbered, the last of which says that it is the last.

use std::io::{Read, Write};

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use yenban_protocol::crypto::TAG_BYTES;

/// Plain bytes of one chunk.
const CHUNK_BYTES: usize = 1 << 20;

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    bytes.into()
}

/// Seals what is written to it.
pub(super) struct Sealer<W: Write> {
    out: W,
    cipher: ChaCha20Poly1305,
    plain: Vec<u8>,
    number: u64,
}

impl<W: Write> Sealer<W> {
    pub(super) fn new(out: W, cipher: ChaCha20Poly1305) -> Self {
        Self { out, cipher, plain: Vec::with_capacity(CHUNK_BYTES), number: 0 }
    }

    fn chunk(&mut self, last: bool) -> std::io::Result<()> {
        let payload = Payload { msg: &self.plain, aad: &[u8::from(last)] };
        let sealed = self.cipher.encrypt(&nonce(self.number), payload).map_err(|_| std::io::Error::other("sealing failed"))?;
        let length = u32::try_from(sealed.len()).map_err(std::io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&sealed)?;
        self.plain.clear();
        self.number += 1;
        Ok(())
    }

    /// Seals the last chunk.
    pub(super) fn finish(mut self) -> std::io::Result<W> {
        self.chunk(true)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.plain.len() == CHUNK_BYTES {
            self.chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.plain.len());
        self.plain.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Gives what a [`Sealer`] took.
pub(super) struct Unsealer<R: Read> {
    source: R,
    cipher: ChaCha20Poly1305,
    plain: Vec<u8>,
    at: usize,
    number: u64,
    ended: bool,
}

impl<R: Read> Unsealer<R> {
    pub(super) fn new(source: R, cipher: ChaCha20Poly1305) -> Self {
        Self { source, cipher, plain: Vec::new(), at: 0, number: 0, ended: false }
    }

    fn chunk(&mut self) -> std::io::Result<()> {
        let damaged = || std::io::Error::other("the backup is damaged or was cut short");
        let mut length = [0; 4];
        self.source.read_exact(&mut length).map_err(|_| damaged())?;
        let length = u32::from_be_bytes(length) as usize;
        if !(TAG_BYTES..=CHUNK_BYTES + TAG_BYTES).contains(&length) {
            return Err(damaged());
        }
        let mut sealed = vec![0; length];
        self.source.read_exact(&mut sealed).map_err(|_| damaged())?;
        let open = |last: bool| self.cipher.decrypt(&nonce(self.number), Payload { msg: &sealed, aad: &[u8::from(last)] });
        (self.plain, self.ended) = match open(false) {
            Ok(plain) => (plain, false),
            Err(_) => (open(true).map_err(|_| damaged())?, true),
        };
        if self.ended && self.source.read(&mut [0])? != 0 {
            return Err(damaged());
        }
        self.at = 0;
        self.number += 1;
        Ok(())
    }
}

impl<R: Read> Read for Unsealer<R> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.plain.len() {
            if self.ended {
                return Ok(0);
            }
            self.chunk()?;
        }
        let n = target.len().min(self.plain.len() - self.at);
        target[..n].copy_from_slice(&self.plain[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
