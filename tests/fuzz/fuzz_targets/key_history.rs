#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = yenban_protocol::signed::Signed::<yenban_protocol::keys::KeyHistory>::trusted(data);
});
