//! The environment, taken once and handed in.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Variables by name; one that is set to nothing counts as not set.
///
/// Has no `Debug`: the token may be among them.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The variables of this process, as they are now.
    pub fn of_this_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The given variables and no others.
    pub fn of<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// A variable's value, where it is set; what is no UTF-8 in it is replaced.
    pub fn get(&self, name: &str) -> Option<String> {
        let value = self.0.get(std::ffi::OsStr::new(name))?;
        (!value.is_empty()).then(|| value.to_string_lossy().into_owned())
    }
}
