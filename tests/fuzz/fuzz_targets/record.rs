#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let at = data.len() / 2;
    let part = |bytes: &[u8]| yenban_protocol::chain::Part { class: yenban_protocol::chain::Class::DUTY, bytes: bytes.to_vec() };
    let (first, second) = (part(&data[..at]), part(&data[at..]));
    let _ = yenban_protocol::record::Record::from_parts(&[Some(&first), Some(&second)]);
});
