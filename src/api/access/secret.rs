//! A token as its holder has it: `windlass_ID_SECRET`.
//!
//! In: chance; or the text of an `Authorization` header.
//! Out: the id, by which its row is found, and SHA-256 of the secret, by which it is known.
//! Never: shows a secret, but for the one time that a new one is handed over.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::ports::Chance;
use crate::store::TokenId;

/// Every token begins with this, so that scanners of repositories can know one.
const PREFIX: &str = "windlass_";

/// A secret's length: nobody guesses 256 bits, so a plain hash is enough.
const SECRET_BYTES: usize = 32;

/// A new token.
#[derive(Debug)]
pub struct FreshToken {
    /// Its id.
    pub id: TokenId,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// The whole of it, for its holder.
    pub text: SecretString,
}

impl FreshToken {
    /// One that nobody could foresee.
    pub fn make(chance: &dyn Chance) -> Self {
        let (mut id, mut secret) = ([0; 6], [0; SECRET_BYTES]);
        chance.fill(&mut id);
        chance.fill(&mut secret);
        let id = TokenId::of(id);
        let text = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret));
        Self { id, hash: Sha256::digest(secret).into(), text: SecretString::from(text) }
    }
}

/// A token that somebody showed.
pub(super) struct ShownToken {
    /// Its id.
    pub id: TokenId,
    hash: [u8; 32],
}

impl ShownToken {
    /// Reads a token; `None` where it has not the form of one.
    pub fn read(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?;
        let is_whole = secret.len() == SECRET_BYTES;
        let id = id.parse().ok()?;
        is_whole.then(|| Self { id, hash: Sha256::digest(secret).into() })
    }

    /// Whether it is the one of this hash, in a time that tells nothing about either.
    pub fn is(&self, hash: &[u8; 32]) -> bool {
        self.hash.ct_eq(hash).into()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::ports::SystemChance;

    #[test]
    fn a_token_is_known_again_and_no_other_one_is() {
        let (one, other) = (FreshToken::make(&SystemChance), FreshToken::make(&SystemChance));
        let shown = ShownToken::read(one.text.expose_secret()).expect("its own form");
        assert_eq!(shown.id, one.id);
        assert!(shown.is(&one.hash) && !shown.is(&other.hash));
        let text = one.text.expose_secret();
        assert_eq!(text.len(), "windlass_".len() + 12 + 1 + 43);
        let cut = &text[..text.len() - 1];
        for wrong in ["", "windlass_", "x", cut, &format!("{text}A"), &text.replace('_', "-")] {
            assert!(ShownToken::read(wrong).is_none(), "{wrong}");
        }
        assert!(!format!("{one:?}").contains(&text[22..]), "a secret must not show");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(windlass_)?[ -~]{0,80}") {
            let _ = ShownToken::read(&text);
        }
    }
}
