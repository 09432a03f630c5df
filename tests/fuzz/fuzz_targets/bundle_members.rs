#![no_main]
use yenban_protocol::bundle::{CustodyFile, LogFile, Manifest, read_statements};
use yenban_protocol::signed::Signed;
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = CustodyFile::from_bytes(data);
    let _ = LogFile::from_bytes(data);
    let _ = Signed::<Manifest>::trusted(data);
    let _ = read_statements(data);
});
