#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (Some(n), Some(rest)) = (data.first(), data.get(1..)) else { return };
    let columns = miniz_oxide::deflate::compress_to_vec(rest, 0);
    let _ = yenban_protocol::pack::unpack(&columns, &vec![0; 16 * usize::from(*n)]);
});
