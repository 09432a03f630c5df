#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let key = yenban_protocol::crypto::SecretKey::from_scalar(&[7; 32]).expect("a scalar");
    let _ = yenban_protocol::segment::open(data, &key);
});
