//! Who calls, and what they may do: bearer tokens and their scopes.
//!
//! In: the tokens of the options, an `Authorization` header, an operation's need.
//! Out: the caller's scopes, or a 401 in the API's words.
//! Never: prints or keeps a token outside [`SecretString`].

use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::errors::Refusal;

/// A token to accept and its scopes, as `TOKEN` or `TOKEN:SCOPES`.
#[derive(Clone, Debug)]
pub struct TokenSpec {
    secret: SecretString,
    scopes: Scopes,
}

/// What a token may do: everything (`*`), or a list such as `linodes:read_only`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scopes(Vec<String>);

impl Scopes {
    fn parse(text: &str) -> Result<Self, String> {
        let scopes: Vec<String> = text.split([',', ' ']).map(str::to_owned).collect();
        for scope in &scopes {
            let level = scope.split_once(':').map(|(_, level)| level);
            if scope != "*" && !matches!(level, Some("read_only" | "read_write" | "*")) {
                return Err(format!(
                    "`{scope}` is no scope: write `linodes:read_only`, `linodes:read_write` or `*`"
                ));
            }
        }
        Ok(Self(scopes))
    }

    /// Whether these scopes cover `needed`, for example `linodes:read_only`.
    pub fn allow(&self, needed: &str) -> bool {
        let (area, level) = needed.split_once(':').unwrap_or((needed, ""));
        self.0.iter().any(|scope| match scope.split_once(':') {
            Some((own_area, own_level)) => {
                own_area == area && (own_level == level || own_level != "read_only")
            }
            None => scope == "*",
        })
    }

    /// As the header `X-OAuth-Scopes` shows them.
    pub fn header(&self) -> String {
        self.0.join(" ")
    }
}

impl FromStr for TokenSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (secret, scopes) = text.split_once(':').unwrap_or((text, "*"));
        if secret.is_empty() || !secret.chars().all(|c| c.is_ascii_graphic()) {
            return Err("a token is at least one printable character, without spaces".into());
        }
        Ok(Self { secret: secret.into(), scopes: Scopes::parse(scopes)? })
    }
}

/// Why a file with tokens was of no use.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// The file couldn't be read.
    #[error("cannot read the token file {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// A line is no token.
    #[error("{path}:{line}: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong; never the token itself.
        why: String,
    },
}

/// Reads tokens, one a line; blank lines and lines that start with `#` are skipped.
pub fn read_token_file(path: &Path) -> Result<Vec<TokenSpec>, TokenFileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| TokenFileError::Unreadable { path: path.into(), cause })?;
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(line, text)| {
            let malformed = |why| TokenFileError::Malformed { path: path.into(), line, why };
            text.parse().map_err(malformed)
        })
        .collect()
}

/// A caller whose token is known.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Stands for the token where calls are counted.
    pub key: [u8; 32],
    /// What the token may do.
    pub scopes: Scopes,
}

/// Every token that is accepted, by its hash.
#[derive(Debug)]
pub struct Keyring(Vec<Caller>);

impl Keyring {
    /// Keeps the hashes of `tokens`.
    pub fn new(tokens: &[TokenSpec]) -> Self {
        let caller = |token: &TokenSpec| Caller {
            key: hash(token.secret.expose_secret()),
            scopes: token.scopes.clone(),
        };
        Self(tokens.iter().map(caller).collect())
    }

    /// The caller behind an `Authorization` header; 401 when it names no known token.
    pub fn identify(&self, authorization: &str) -> Result<Caller, Refusal> {
        let token = match authorization.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(Refusal::invalid_token()),
        };
        let key = hash(token);
        self.0.iter().find(|caller| caller.key == key).cloned().ok_or_else(Refusal::invalid_token)
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_it_says_and_no_more() {
        for (scopes, needed, allowed) in [
            ("*", "linodes:read_write", true),
            ("linodes:read_write", "linodes:read_only", true),
            ("linodes:read_only", "linodes:read_only", true),
            ("linodes:read_only", "linodes:read_write", false),
            ("events:read_only,linodes:*", "linodes:read_write", true),
            ("events:read_only", "linodes:read_only", false),
        ] {
            let scopes = Scopes::parse(scopes).expect("scopes of this test");
            assert_eq!(scopes.allow(needed), allowed, "{scopes:?} for {needed}");
        }
    }

    #[test]
    fn a_token_is_known_by_its_text_and_never_shown() {
        let spec: TokenSpec = "s3cret:linodes:read_only".parse().expect("a token with a scope");
        assert!(!format!("{spec:?}").contains("s3cret"));
        let keyring = Keyring::new(&[spec]);
        assert!(!format!("{keyring:?}").contains("s3cret"));
        let caller = keyring.identify("Bearer s3cret").expect("the token is on the ring");
        assert_eq!(caller.scopes.header(), "linodes:read_only");
        for wrong in ["Bearer s3cre", "Basic s3cret", "s3cret", ""] {
            assert_eq!(keyring.identify(wrong).err(), Some(Refusal::invalid_token()), "{wrong}");
        }
    }

    #[test]
    fn a_bad_scope_says_how_a_good_one_looks() {
        let error = "abc:linodes".parse::<TokenSpec>().expect_err("a scope needs a level");
        assert_eq!(
            error,
            "`linodes` is no scope: write `linodes:read_only`, `linodes:read_write` or `*`"
        );
    }
}
