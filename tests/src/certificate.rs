//! A certificate of the tests' own, and who vouches for it.
//!
//! Needs `openssl`, of Debian's package of that name.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A certificate for `localhost`, by an authority that nobody knows.
#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// Makes both.
    #[must_use]
    pub fn for_localhost() -> Self {
        let this = Self { folder: tempfile::tempdir().expect("a temporary directory can be made") };
        this.request(["/CN=an authority of tests", "authority.key", "authority.pem"], &[]);
        this.request(
            ["/CN=localhost", "key.pem", "certificate.pem"],
            &[
                "-CA",
                "authority.pem",
                "-CAkey",
                "authority.key",
                "-addext",
                "subjectAltName=DNS:localhost",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ],
        );
        this
    }

    /// Makes a key and a certificate for it.
    fn request(&self, [subject, key, certificate]: [&str; 3], further: &[&str]) {
        let output = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "2", "-subj", subject, "-keyout", key, "-out", certificate])
            .args(further)
            .current_dir(&self.folder)
            .output()
            .expect("openssl can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The certificate of who vouches for it.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// The certificate itself.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}
