//! From and until when a certificate is good.
//!
//! In: a certificate in DER.
//! Out: its two times; nothing where it is not built as RFC 5280 says.
//! Never: judges anything else of it; rustls and the caller do.
//!
//! Source: RFC 5280, 4.1: `Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version
//! OPTIONAL, serialNumber, signature, issuer, validity SEQUENCE { notBefore, notAfter }, …`; 4.1.2.5:
//! times are `YYMMDDHHMMSSZ` (years 1950 to 2049) or `YYYYMMDDHHMMSSZ`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::Timestamp;

/// From and until when a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From then on.
    pub from: Timestamp,
    /// Not from then on.
    pub until: Timestamp,
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// From and until when this certificate is good.
pub fn validity(certificate: &[u8]) -> Option<Validity> {
    let (SEQUENCE, certificate, _) = element(certificate)? else { return None };
    let (SEQUENCE, signed, _) = element(certificate)? else { return None };
    let (tag, _, rest) = element(signed)?;
    // Without a version the first element is the serial number already.
    let mut rest = if tag == VERSION { element(rest)?.2 } else { rest };
    // Behind it: signature and issuer.
    for _ in 0..2 {
        rest = element(rest)?.2;
    }
    let (SEQUENCE, times, _) = element(rest)? else { return None };
    let (from_tag, from, times) = element(times)?;
    let (until_tag, until, _) = element(times)?;
    Some(Validity { from: time(from_tag, from)?, until: time(until_tag, until)? })
}

/// An element's tag and content, and what comes behind it. Source: X.690, 8.1.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match (tag, text.len()) {
        (UTC_TIME, 12) if text.get(..2)? < "50" => format!("20{text}"),
        (UTC_TIME, 12) => format!("19{text}"),
        (GENERALIZED_TIME, 14) => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl req -x509 -newkey ed25519 -nodes -subj /CN=localhost -days 3650`, in DER.
    const CERTIFICATE: &[u8] = include_bytes!("../../tests/data/certificate.der");

    #[test]
    fn both_times_of_a_real_certificate_are_read() {
        let Validity { from, until } = validity(CERTIFICATE).expect("a real one");
        assert_eq!((until - from).total(jiff::Unit::Hour).expect("hours"), 3_650.0 * 24.0);
        let time = |tag, text: &str| time(tag, text.as_bytes()).map(|time| time.to_string());
        assert_eq!(time(UTC_TIME, "491231235959Z").as_deref(), Some("2049-12-31T23:59:59Z"));
        assert_eq!(time(UTC_TIME, "500101000000Z").as_deref(), Some("1950-01-01T00:00:00Z"));
        let far = time(GENERALIZED_TIME, "20500101000000Z");
        assert_eq!(far.as_deref(), Some("2050-01-01T00:00:00Z"));
        assert_eq!(time(UTC_TIME, "491331235959Z"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(
            from in 0..CERTIFICATE.len(), length in 0..9_usize, patch: Vec<u8>,
        ) {
            let upto = (from + length).min(CERTIFICATE.len());
            let mut bytes = CERTIFICATE[..from].to_vec();
            bytes.extend(patch);
            bytes.extend(&CERTIFICATE[upto..]);
            let _ = validity(&bytes);
        }
    }
}
