#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wiretare_fuzz::tcp_segments(data));
