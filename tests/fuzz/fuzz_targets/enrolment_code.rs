#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(code) = yenban_protocol::enrol::EnrolmentCode::from_text(text) {
            assert_eq!(yenban_protocol::enrol::EnrolmentCode::from_text(&code.to_text()), Ok(code));
        }
    }
});
