//! Reading any text as a time.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::timestamps(data));
