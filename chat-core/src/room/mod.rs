//! What a room decides: pure functions and boards, told the time, knowing no storage and no sockets.

pub(crate) mod presence;
pub(crate) mod reading;
pub(crate) mod typing;
pub(crate) mod view;
