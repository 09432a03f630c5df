#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = yenban_protocol::enrol::EnrolAnswer::from_bytes(data);
});
