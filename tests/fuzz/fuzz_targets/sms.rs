#![no_main]
use yenban_protocol::{crypto, sms};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = sms::Sms::from_text(&text);
    let tidied = sms::tidied(&text);
    if let Ok(read) = sms::Sms::from_text(&tidied) {
        assert_eq!(read.to_text(), tidied);
    }
    if let Ok(bytes) = data.try_into() {
        let read = sms::Sms::from_bytes(bytes);
        assert_eq!(sms::Sms::from_text(&read.to_text()), Ok(read));
        let key = crypto::SecretKey::from_scalar(&[7; 32]).expect("a scalar");
        let public = crypto::Signer::public_key(&key);
        let _ = read.open(&key, &public, &public, &crypto::SoftwareVerifier, 0);
    }
});
