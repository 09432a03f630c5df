#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = yenban_protocol::alert::Alert::read(&mut yenban_protocol::cbor::Reader::new(data));
});
