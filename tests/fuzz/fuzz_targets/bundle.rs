#![no_main]
use yenban_protocol::bundle::tar::Scanner;
use yenban_protocol::bundle::{Trust, judge};
use yenban_protocol::crypto::SoftwareVerifier;
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut scanner = Scanner::default();
    for piece in data.chunks(700) {
        scanner.feed(piece);
    }
    let _ = judge(&scanner.finish(), Trust { root: None, witness: &[] }, &SoftwareVerifier);
});
