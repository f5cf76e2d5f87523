//! Writing what was read in the dialect `group`.

#![no_main]

use chat_protocol::Dialect;

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::roundtrip(Dialect::Group, data));
