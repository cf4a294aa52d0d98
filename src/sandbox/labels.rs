//! The forms that names must have.
//!
//! In: a label or tag as a client sent it.
//! Out: nothing, or the sentence that the API answers.
//! Never: looks whether a label is taken.

/// Labels of Linodes: 3 to 64 letters, digits, `-`, `_`, `.`; a letter first, a letter or digit
/// last; none of `--`, `__`, `..`. Source: the API document, text and pattern together.
pub fn check_linode_label(label: &str) -> Result<(), &'static str> {
    if !(3..=64).contains(&label.chars().count()) {
        return Err("Label must be between 3 and 64 characters");
    }
    let fits = label.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let starts = label.starts_with(|c: char| c.is_ascii_alphabetic());
    let ends = label.ends_with(|c: char| c.is_ascii_alphanumeric());
    let doubled = ["--", "__", ".."].iter().any(|pair| label.contains(pair));
    if fits && starts && ends && !doubled {
        return Ok(());
    }
    Err("Label must begin with a letter, end with an alphanumeric character and contain only \
         letters, numbers, single dashes, underscores and periods")
}

/// Labels of VLANs: 1 to 64 letters, digits and `-`, without `--`.
pub fn check_vlan_label(label: &str) -> Result<(), &'static str> {
    let length = (1..=64).contains(&label.chars().count());
    let fits = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if length && fits && !label.contains("--") {
        return Ok(());
    }
    Err(
        "Must include only ASCII letters, numbers, and dashes; no two dashes in a row; 1-64 characters",
    )
}

/// Tags: 3 to 50 characters of any kind.
pub fn check_tag(tag: &str) -> Result<(), String> {
    if (3..=50).contains(&tag.chars().count()) {
        return Ok(());
    }
    Err(format!("Tag '{tag}' must be between 3 and 50 characters"))
}

/// An address with its prefix, as `10.0.0.5/24`.
pub fn check_cidr(text: &str) -> Result<(), &'static str> {
    let parsed = text.split_once('/').and_then(|(address, prefix)| {
        let address: std::net::IpAddr = address.parse().ok()?;
        let prefix: u8 = prefix.parse().ok()?;
        (prefix <= if address.is_ipv4() { 32 } else { 128 }).then_some(())
    });
    parsed.ok_or("Must be a valid IPv4 or IPv6 address in CIDR notation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linode_labels_follow_the_document() {
        for good in ["web", "w-1", "web_1.a-B", &"a".repeat(64)] {
            assert_eq!(check_linode_label(good), Ok(()), "{good}");
        }
        for bad in [
            "ab",
            "1web",
            "web-",
            "we--b",
            "we__b",
            "we..b",
            "we b",
            "wéb",
            "-web",
            &"a".repeat(65),
        ] {
            assert!(check_linode_label(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn vlan_labels_are_letters_digits_and_single_dashes() {
        for good in ["a", "app-1", &"v".repeat(64)] {
            assert_eq!(check_vlan_label(good), Ok(()), "{good}");
        }
        for bad in ["", "a--b", "a_b", "a.b", &"v".repeat(65)] {
            assert!(check_vlan_label(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tags_are_limited_by_length_alone() {
        assert_eq!(check_tag("windlass:pool=web"), Ok(()));
        assert_eq!(check_tag("ab"), Err("Tag 'ab' must be between 3 and 50 characters".into()));
        assert!(check_tag(&"x".repeat(51)).is_err());
    }

    #[test]
    fn a_vlan_address_carries_its_prefix() {
        for good in ["10.0.0.1/24", "fd00::1/64"] {
            assert_eq!(check_cidr(good), Ok(()), "{good}");
        }
        for bad in ["10.0.0.1", "10.0.0.1/33", "10.0.0/24", "x/8", ""] {
            assert!(check_cidr(bad).is_err(), "{bad}");
        }
    }
}
