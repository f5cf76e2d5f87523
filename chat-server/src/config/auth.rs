//! Who may connect, and how that is found out.

use std::path::{Path, PathBuf};

use chat_protocol::UserId;

use crate::ServerError;
use crate::accounts::AccountsConfig;
use crate::auth::django::signing::SecretKey;
use crate::auth::{DjangoConfig, JwtConfig, JwtKey};

use super::settings::Settings;
use super::values::{AuthMode, Secret};

/// The last of the ids that are left to another system, where one gives out ids. No database counts so far, and the ids
/// after it have room below 2^53, up to which JavaScript has them exactly.
const LAST_ID_OF_OTHERS: i64 = 1 << 52;

/// Who may connect, with all that it takes to find out.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// Everybody, under any name.
    #[default]
    Guest,
    /// Who is signed in to an account of this server.
    Session(AccountsConfig),
    /// Who is logged in to a Django project.
    Django(Box<DjangoConfig>),
    /// Who brings a signed token.
    Jwt(JwtConfig),
}

impl Auth {
    /// Puts together what the settings say about it.
    pub(super) fn resolve(settings: &Settings) -> Result<Self, ServerError> {
        match settings.auth.unwrap_or_default() {
            AuthMode::Guest => Ok(Self::Guest),
            AuthMode::Session => Ok(Self::Session(AccountsConfig::default())),
            AuthMode::Django => django(settings).map(|config| Self::Django(Box::new(config))),
            AuthMode::Jwt => jwt(settings).map(Self::Jwt),
        }
    }

    /// Up to which id those of people are another system's to give out; `None` where all are given out here.
    pub(crate) fn ids_of_others(&self) -> Option<UserId> {
        match self {
            Self::Guest | Self::Session(_) => None,
            Self::Django(_) | Self::Jwt(_) => UserId::new(LAST_ID_OF_OTHERS).ok(),
        }
    }
}

fn django(settings: &Settings) -> Result<DjangoConfig, ServerError> {
    let missing = |setting| ServerError::MissingSetting { setting, mode: "django" };
    let database = settings.django_database.clone().ok_or(missing("django_database"))?;
    let secret_key = settings.django_secret_key.as_ref().ok_or(missing("django_secret_key"))?;
    let key = |secret: &Secret| SecretKey::new(secret.reveal()).map_err(ServerError::Django);
    let mut config = DjangoConfig::new(database, key(secret_key)?);
    let fallbacks = settings.django_secret_key_fallbacks.iter().flatten();
    config.fallbacks = fallbacks.map(key).collect::<Result<_, _>>()?;
    Ok(config)
}

fn jwt(settings: &Settings) -> Result<JwtConfig, ServerError> {
    let key = match (&settings.jwt_secret, &settings.jwt_key_file) {
        (Some(secret), None) => JwtKey::secret(secret.reveal().as_bytes()),
        (None, Some(path)) => key_in(path),
        (Some(_), Some(_)) => {
            return Err(ServerError::ConflictingSettings { settings: "jwt_secret and jwt_key_file" });
        }
        (None, None) => {
            return Err(ServerError::MissingSetting { setting: "jwt_key_file or jwt_secret", mode: "jwt" });
        }
    };
    let mut config = JwtConfig::new(key.map_err(ServerError::Jwt)?);
    config.audience.clone_from(&settings.jwt_audience);
    config.issuer.clone_from(&settings.jwt_issuer);
    Ok(config)
}

/// Reads a file by its name: `.json` and `.jwks` are sets of keys, `.pem` and `.pub` public keys, all else is a secret, or
/// refused where it is one of those after all.
fn key_in(path: &PathBuf) -> Result<JwtKey, crate::auth::JwtConfigError> {
    match Path::new(path).extension().and_then(|extension| extension.to_str()) {
        Some("json" | "jwks") => JwtKey::key_set_file(path),
        Some("pem" | "pub") => JwtKey::public_key_file(path),
        _ => JwtKey::secret_file(path),
    }
}
