//! Reading any frame in the dialect `remetente`.

#![no_main]

use chat_protocol::Dialect;

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::decode(Dialect::Remetente, data));
