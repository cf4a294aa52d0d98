//! `windlass schema`

use crate::policy::json_schema;

pub(super) fn schema() {
    anstream::println!("{:#}", json_schema());
}
