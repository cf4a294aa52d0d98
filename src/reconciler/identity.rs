//! What a new instance is told of itself: its name and its SSH host key, so that the first
//! connection to it is to it.

use secrecy::SecretString;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};

use crate::domain::InstanceLabel;

/// A host key: the public half for our record, the whole for the instance alone.
pub(super) struct Identity {
    /// `ssh-ed25519 AAAA…`, without a comment.
    pub public_key: String,
    /// cloud-init user data that holds the private half.
    pub user_data: SecretString,
}

/// Makes an identity from 32 random bytes.
pub(super) fn identity(label: &InstanceLabel, seed: &[u8; 32]) -> Identity {
    let keypair = KeypairData::from(Ed25519Keypair::from_seed(seed));
    let key = PrivateKey::new(keypair, "").expect("an ed25519 key needs no more than its seed");
    let public_key = key.public_key().to_openssh().expect("a public key has a text form");
    let private = key.to_openssh(LineEnding::LF).expect("a private key has a text form");
    let indented: String = private.lines().map(|line| format!("    {line}\n")).collect();
    let user_data = format!(
        "#cloud-config\n\
         hostname: {label}\n\
         ssh_deletekeys: true\n\
         ssh_keys:\n  \
           ed25519_private: |\n{indented}  \
           ed25519_public: {public_key}\n"
    );
    Identity { public_key, user_data: SecretString::from(user_data) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_user_data_holds_the_key_whose_public_half_we_keep() {
        let label = InstanceLabel::new("web-0123456789ab").expect("a legal label");
        let identity = identity(&label, &[7; 32]);
        let text = identity.user_data.expose_secret();
        assert!(text.starts_with("#cloud-config\n"), "cloud-init knows it by its first line");
        let private: String = text
            .lines()
            .skip_while(|line| !line.contains("BEGIN OPENSSH"))
            .take_while(|line| line.starts_with("    "))
            .map(|line| format!("{}\n", line.trim()))
            .collect();
        let key = PrivateKey::from_openssh(&private).expect("an OpenSSH private key");
        let public = key.public_key().to_openssh().expect("a text form");
        assert_eq!(public, identity.public_key);
        assert!(text.contains(&format!("ed25519_public: {public}")));
    }
}
