//! The certificate of the API, read from files, and read again while we run.
//!
//! In: the paths of a certificate and its key, in PEM.
//! Out: what rustls needs; or why they can't be used, without a byte of the key.
//! Never: lets a bad certificate replace a good one.

use std::path::PathBuf;
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::validity::{Validity, validity};
use crate::domain::Timestamp;

/// A certificate in use.
#[derive(Clone, Debug)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    config: RustlsConfig,
}

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file can't be read.
    #[error("can't read {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A file holds something else.
    #[error("{} holds no {what} in PEM", file.display())]
    NotPem {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// They don't belong together, or are of a kind that nobody takes.
    #[error("{} and {} can't be used together", certificate.display(), key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        #[source]
        cause: rustls::Error,
    },
    /// It is not good now.
    #[error("the certificate in {} is good from {from} to {until} only", file.display())]
    NotGoodNow {
        /// The file.
        file: PathBuf,
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
}

impl Certificate {
    /// Reads both files. Also from and until when the certificate is good; one that is not good
    /// at `now` is used all the same: callers will complain, and know why.
    pub fn read(
        certificate: PathBuf,
        key: PathBuf,
    ) -> Result<(Self, Option<Validity>), CertificateError> {
        let (config, validity) = server_config(&certificate, &key)?;
        let config = RustlsConfig::from_config(Arc::new(config));
        Ok((Self { certificate, key, config }, validity))
    }

    /// Reads both files again. What is bad, or not good at `now`, replaces nothing.
    pub fn read_again(&self, now: Timestamp) -> Result<Option<Validity>, CertificateError> {
        let (config, validity) = server_config(&self.certificate, &self.key)?;
        if let Some(Validity { from, until }) = validity
            && (now < from || until <= now)
        {
            return Err(CertificateError::NotGoodNow {
                file: self.certificate.clone(),
                from,
                until,
            });
        }
        self.config.reload_from_config(Arc::new(config));
        Ok(validity)
    }

    /// What new connections use.
    pub(super) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }
}

fn server_config(
    certificate: &PathBuf,
    key: &PathBuf,
) -> Result<(ServerConfig, Option<Validity>), CertificateError> {
    let read = |file: &PathBuf| {
        std::fs::read(file)
            .map_err(|cause| CertificateError::Unreadable { file: file.clone(), cause })
    };
    let not_pem = |file: &PathBuf, what| CertificateError::NotPem { file: file.clone(), what };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|_| not_pem(certificate, "certificate"))?;
    let Some(first) = chain.first() else { return Err(not_pem(certificate, "certificate")) };
    let validity = validity(first);
    let private = PrivateKeyDer::from_pem_slice(&read(key)?);
    let private = private.map_err(|_| not_pem(key, "private key"))?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, private);
    let mut config = config.map_err(|cause| CertificateError::Unusable {
        certificate: certificate.clone(),
        key: key.clone(),
        cause,
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, validity))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;
    use crate::domain::{Duration, after};
    use crate::ports::{Clock, SystemClock};

    /// A new certificate and its key, made by the real openssl.
    fn make(folder: &Path, name: &str) {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=localhost"])
            .args([
                "-days",
                "30",
                "-out",
                &format!("{name}.pem"),
                "-keyout",
                &format!("{name}.key"),
            ])
            .current_dir(folder)
            .output()
            .expect("the Debian package openssl is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    #[test]
    fn a_bad_certificate_never_replaces_a_good_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let copy = |from: &str, to: &str| {
            std::fs::copy(path(from), path(to)).expect("a copy");
        };
        make(folder.path(), "one");
        make(folder.path(), "two");
        copy("one.pem", "api.pem");
        copy("one.key", "api.key");
        let now = SystemClock.now();
        let read = Certificate::read(path("api.pem"), path("api.key"));
        let (certificate, validity) = read.expect("a good pair");
        let Validity { from, until } = validity.expect("times");
        assert!(from <= after(now, Duration::from_secs(60)) && now < until, "{from} {until}");

        let first = certificate.config().get_inner();
        let stays = || Arc::ptr_eq(&first, &certificate.config().get_inner());
        copy("two.pem", "api.pem");
        let told = certificate.read_again(now).expect_err("the key is another one's");
        assert!(matches!(told, CertificateError::Unusable { .. }) && stays(), "{told}");
        std::fs::write(path("api.pem"), "no certificate").expect("ours");
        let told = certificate.read_again(now).expect_err("it is none");
        assert!(matches!(told, CertificateError::NotPem { .. }) && stays(), "{told}");
        std::fs::remove_file(path("api.pem")).expect("ours");
        let told = certificate.read_again(now).expect_err("it is gone");
        assert!(matches!(told, CertificateError::Unreadable { .. }) && stays(), "{told}");
        copy("two.pem", "api.pem");
        copy("two.key", "api.key");
        let told = certificate.read_again(after(until, Duration::from_secs(86_400)));
        let told = told.expect_err("it has expired by then");
        assert!(matches!(told, CertificateError::NotGoodNow { .. }) && stays(), "{told}");
        certificate.read_again(now).expect("a good pair");
        assert!(!stays(), "the new one is in use");
    }
}
