//! Believes every name.

use async_trait::async_trait;
use chat_core::{Admission, Authenticator, Handshake, Identity, Refused};
use chat_protocol::Username;

use crate::query;

/// Lets everybody in as a guest, under the name that `?user=` or `?username=` gives.
#[derive(Debug, Clone, Copy, Default)]
pub struct GuestAuthenticator;

#[async_trait]
impl Authenticator for GuestAuthenticator {
    async fn authenticate(&self, handshake: &Handshake<'_>) -> Result<Admission, Refused> {
        let query = handshake.request.uri.query().unwrap_or_default();
        for field in ["user", "username"] {
            // A blank value counts as none, as in Django's query strings.
            if let Some(name) = query::value(query, field).filter(|name| !name.is_empty()) {
                let invalid = |reason| Refused::InvalidName { field, reason };
                let name = Username::new(&name).map_err(invalid)?;
                name.check_new().map_err(invalid)?;
                return Ok(Identity::Guest { name: Some(name) }.into());
            }
        }
        Ok(Identity::Guest { name: None }.into())
    }
}
