//! Telling the dialect of any first frame.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::recognize(data));
