#![no_main]
use yenban_protocol::{crypto, parcel};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let key = crypto::SecretKey::from_scalar(&[7; 32]).expect("a scalar");
    for found in parcel::file(data) {
        if let Ok(outer) = found.parcel {
            let _ = parcel::Parcel::open(&outer, &key);
            let _ = parcel::open_answer(&outer, &key);
        }
    }
    // What a sender can do who knows the key: any content behind a right seal.
    let _ = parcel::read_content(data);
});
