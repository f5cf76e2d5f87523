//! The command line of the program.

use std::path::PathBuf;

use clap::Parser;

use crate::ServerError;
use crate::commands::Command;
use crate::config::{Config, Settings};

/// What the program is told: settings, and what to do.
#[derive(Debug, Parser)]
#[command(name = "chat-server", version, about = "A chat server that speaks five dialects over WebSocket")]
pub struct Cli {
    /// A TOML file with settings; flags and the environment come before it
    #[arg(long, global = true, env = "CHAT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The settings themselves.
    #[command(flatten)]
    pub settings: Settings,
    /// What to do; nothing said, it serves.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// Puts flags, environment, file and defaults together.
    ///
    /// # Errors
    ///
    /// [`ServerError`] where the file cannot be read or says something that is no setting, or a setting lacks another.
    pub fn resolve(self) -> Result<Config, ServerError> {
        Config::resolve(self.settings, self.config.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_protocol::{Dialect, Language};
    use std::time::Duration;

    use crate::django_channels::LayerKind;
    use crate::{Auth, Database, Network, OriginPattern};

    fn resolve(arguments: &[&str]) -> Result<Config, ServerError> {
        Cli::try_parse_from([&["chat-server"], arguments].concat()).unwrap().resolve()
    }

    #[test]
    fn the_defaults_are_those_of_the_documents() {
        let config = resolve(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.database, Database::SqliteFile("chat.db".into()));
        assert_eq!(config.gateway.dialect, None);
        assert_eq!(config.gateway.max_frame_bytes, 256 * 1024);
        assert_eq!(config.gateway.limits.max_text_chars, 4096);
    }

    #[test]
    fn flags_come_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        std::fs::write(
            &path,
            "dialect = 'typed'\nlanguage = 'ru'\nping_every = '5s'\ndatabase = 'sqlite::memory:'",
        )
        .unwrap();
        let config = resolve(&["--config", path.to_str().unwrap(), "--dialect", "group"]).unwrap();
        assert_eq!(config.gateway.dialect, Some(Dialect::Group));
        assert_eq!(config.gateway.language, Language::Russian);
        assert_eq!(config.gateway.ping_every, Duration::from_secs(5));
        assert_eq!(config.database, Database::SqliteMemory);
    }

    #[test]
    fn a_file_with_a_slip_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        for (text, hint) in [
            ("lisen = '127.0.0.1:1'", "lisen"),
            ("dialect = 'klingon'", "dialect"),
            ("=", "chat.toml"),
            ("history_page = 0", "1 to 10000 messages"),
            ("history_page = 10001", "1 to 10000 messages"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = resolve(&["--config", path.to_str().unwrap()]).unwrap_err();
            assert!(crate::error::chain(&error).contains(hint), "{}", crate::error::chain(&error));
        }
        assert!(resolve(&["--config", "/nowhere/chat.toml"]).is_err());
    }

    #[test]
    fn what_commands_go_by_may_stand_before_or_after_them() {
        for arguments in
            [["--database", "sqlite:x.db", "room", "list"], ["room", "list", "--database", "sqlite:x.db"]]
        {
            assert_eq!(resolve(&arguments).unwrap().database, Database::SqliteFile("x.db".into()));
        }
    }

    #[test]
    fn messages_are_kept_for_ever_unless_told_otherwise() {
        let service = resolve(&[]).unwrap().service;
        assert_eq!((service.keep_newest, service.keep_for), (None, None));
        let service = resolve(&["--keep-messages", "1000", "--keep-for", "2years"]).unwrap().service;
        assert_eq!(service.keep_newest, Some(1000));
        assert!(service.keep_for > Some(Duration::from_hours(2 * 365 * 24)));
    }

    #[test]
    fn an_empty_list_of_origins_is_not_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        std::fs::write(&path, "allowed_origins = ['app.example']").unwrap();
        let app = [OriginPattern::Host("app.example".to_owned())];
        let origins = |arguments: &[&str]| resolve(arguments).unwrap().gateway.allowed_origins;
        assert!(origins(&["--allowed-origins", ""]).is_empty());
        assert_eq!(origins(&["--allowed-origins", "", "--config", path.to_str().unwrap()]), app);
        assert_eq!(origins(&["--allowed-origins", "app.example,"]), app);
        std::fs::write(&path, "allowed_origins = ['']").unwrap();
        assert!(origins(&["--config", path.to_str().unwrap()]).is_empty());
    }

    #[test]
    fn an_empty_list_of_anything_else_is_not_given_either() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        let table = "[django_channels]\nhosts = ['redis://one', '', 'redis://two']";
        std::fs::write(&path, format!("trusted_proxies = ['', '10.0.0.0/8']\n{table}")).unwrap();
        let in_file = path.to_str().unwrap();

        let proxies = |arguments: &[&str]| resolve(arguments).unwrap().trusted_proxies;
        let network: [Network; 1] = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(proxies(&["--trusted-proxies", ""]), []);
        assert_eq!(proxies(&["--trusted-proxies", "10.0.0.0/8,"]), network);
        assert_eq!(proxies(&["--trusted-proxies", "", "--config", in_file]), network);

        let hosts =
            |arguments: &[&str]| resolve(arguments).unwrap().django_channels.map(|bridge| bridge.hosts.len());
        assert_eq!(hosts(&["--django-channels-hosts", ""]), None);
        assert_eq!(hosts(&["--django-channels-hosts", "redis://db,"]), Some(1));
        assert_eq!(hosts(&["--django-channels-hosts", "", "--config", in_file]), Some(2));
        assert!(resolve(&["--django-channels-hosts", "", "--django-channels-capacity", "7"]).is_err());

        let fallbacks = |keys: &str| {
            let project = ["--auth", "django", "--django-database", "sqlite:x", "--django-secret-key", "new"];
            let arguments = [&project[..], &["--django-secret-key-fallbacks", keys]].concat();
            let Auth::Django(django) = resolve(&arguments).unwrap().auth else { panic!("not {arguments:?}") };
            django.fallbacks.len()
        };
        assert_eq!([fallbacks(""), fallbacks("old,"), fallbacks("old,older")], [0, 1, 2]);
    }

    #[test]
    fn a_bridge_to_django_channels_needs_to_know_where_it_leads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        let in_file = |text: &str| {
            std::fs::write(&path, text).unwrap();
            resolve(&["--config", path.to_str().unwrap(), "--django-channels-capacity", "7"])
        };
        let table =
            "[django_channels]\nhosts = ['redis://:hush@db']\nlayer = 'pubsub'\ntype = 'say'\nexpiry = '9s'";
        let bridge = in_file(table).unwrap().django_channels.unwrap();
        assert_eq!((bridge.hosts.len(), bridge.layer), (1, LayerKind::PubSub));
        assert_eq!((&*bridge.message_type, &*bridge.prefix), ("say", "asgi"));
        assert_eq!((bridge.capacity, bridge.expiry), (7, Duration::from_secs(9)));
        assert!(!format!("{bridge:?}").contains("hush"));
        assert!(in_file("").is_err());
        assert!(in_file("[django_channels]\nhost = 'redis://db'").is_err());
        assert!(resolve(&[]).unwrap().django_channels.is_none());
    }

    #[test]
    fn nobody_is_taken_for_a_proxy_unless_told() {
        assert_eq!(resolve(&[]).unwrap().trusted_proxies, []);
        let networks = ["10.0.0.0/8", "fd00::1"].map(|network| network.parse::<Network>().unwrap());
        let flag = resolve(&["--trusted-proxies", "10.0.0.0/8,fd00::1"]).unwrap();
        assert_eq!(flag.trusted_proxies, networks);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        std::fs::write(&path, "trusted_proxies = ['10.0.0.0/8', 'fd00::1']").unwrap();
        let file = resolve(&["--config", path.to_str().unwrap()]).unwrap();
        assert_eq!(file.trusted_proxies, networks);
        std::fs::write(&path, "trusted_proxies = ['proxy.example']").unwrap();
        assert!(resolve(&["--config", path.to_str().unwrap()]).is_err());
    }

    #[test]
    fn slips_on_the_command_line_are_refused() {
        for arguments in [
            ["--listen", "here"],
            ["--trusted-proxies", "10.0.0.0/33"],
            ["--auth", "nobody"],
            ["--dialect", "klingon"],
            ["--database", "mysql:x"],
            ["--language", "de"],
            ["--ping-every", "soon"],
            ["--max-text-chars", "0"],
            ["--history-page", "0"],
            ["--history-page", "10001"],
            ["--keep-messages", "0"],
            ["--keep-for", "90"],
            ["--django-channels-hosts", "http://db"],
            ["--django-channels-group", "chat_"],
            ["--django-channels-layer", "memory"],
        ] {
            assert!(
                Cli::try_parse_from([&["chat-server"], &arguments[..]].concat()).is_err(),
                "{arguments:?}"
            );
        }
    }
}
