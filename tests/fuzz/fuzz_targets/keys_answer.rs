#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = yenban_protocol::wire::KeysAnswer::from_bytes(data);
});
