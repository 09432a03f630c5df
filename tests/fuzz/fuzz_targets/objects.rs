#![no_main]
use yenban_protocol::object::Head;
use yenban_protocol::upload::{ObjectsAnswer, ObjectsQuestion};
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = ObjectsQuestion::from_bytes(data);
    let _ = ObjectsAnswer::from_bytes(data);
    if let Some(head) = data.first_chunk() {
        let _ = Head::read(head).map(|head| head.recipients());
    }
});
