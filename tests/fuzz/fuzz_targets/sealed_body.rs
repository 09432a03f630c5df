#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(body) = yenban_protocol::seal::SealedBody::from_bytes(data) {
        assert_eq!(body.to_bytes(), data, "one encoding");
    }
});
