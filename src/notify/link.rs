//! Where a notice leads.

use crate::domain::Notice;

/// Makes links to the console.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// Where a browser finds the console, without a slash at the end; none: there are no links.
    pub external_url: Option<String>,
}

impl Links {
    /// The pool's page at the moment when it began.
    pub fn to(&self, notice: &Notice) -> Option<String> {
        let url = self.external_url.as_deref()?;
        Some(format!("{url}/#pool={}&at={}", notice.pool, notice.began_at))
    }
}
