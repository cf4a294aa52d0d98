//! Packs many numbers into one short string, bit for bit, NaN included.
//!
//! In: numbers. Out: base64 of their four bytes each, little end first; and back.
//! Never: loses a bit.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::de::{Deserialize as _, Deserializer, Error as _};
use serde::ser::Serializer;

/// For `#[serde(with = …)]`.
pub(super) fn serialize<S: Serializer>(values: &[f32], out: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    out.serialize_str(&STANDARD_NO_PAD.encode(bytes))
}

/// For `#[serde(with = …)]`.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
    let text = String::deserialize(from)?;
    let bytes = STANDARD_NO_PAD.decode(text).map_err(D::Error::custom)?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(D::Error::custom("a packed list ends inside a number"));
    }
    Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
