//! Writing what was read in the dialect `remetente`.

#![no_main]

use chat_protocol::Dialect;

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::roundtrip(Dialect::Remetente, data));
