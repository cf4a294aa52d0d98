//! Reads a whole collection of instances, or fails: never a part of it.
//!
//! In: a filter.
//! Out: every instance that the API lists for it, once.
//! Never: trusts the filter (list filters have been seen to return everything; whoever asks
//! checks what comes back), or pages that changed while they were read.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::Value;

use super::classify::{fault_of, fault_of_silence, unreadable};
use super::limits::Class;
use super::transport::{Api, Call, Deadline};
use super::wire::{Page, RawInstance};
use crate::domain::Instance;
use crate::ports::Fault;

/// Instances a page: the most that the API gives.
const PAGE_SIZE: u32 = 500;

/// Pages read at once: 5,000 instances take three rounds, and the API sees no storm.
const AT_ONCE: usize = 4;

/// How often a listing that changes underneath is read before we give up for this time.
const READINGS: usize = 3;

/// Every instance that matches `filter`.
///
/// Pages are no snapshot. A listing counts when all its pages agree on the number of results and
/// that many different instances came; else it is read again, a few times.
pub(super) async fn list(
    api: &Api,
    filter: &Value,
    until: Deadline,
    act: &str,
) -> Result<Vec<Instance>, Fault> {
    let filter = HeaderValue::from_str(&filter.to_string())
        .map_err(|_| Fault::permanent(format!("{act}: only plain ASCII text can be looked for")))?;
    for _ in 0..READINGS {
        let first = page(api, &filter, 1, until, act).await?;
        let rest: Vec<_> = stream::iter(2..=first.pages)
            .map(|number| page(api, &filter, number, until, act))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let (pages, results) = (first.pages, first.results);
        let settled = rest.iter().all(|page| (page.pages, page.results) == (pages, results));
        let every = std::iter::once(first).chain(rest).flat_map(|page| page.data);
        let by_id: BTreeMap<_, _> =
            every.map(Instance::from).map(|instance| (instance.id, instance)).collect();
        if settled && by_id.len() == results as usize {
            return Ok(by_id.into_values().collect());
        }
    }
    Err(Fault::transient(format!("{act}: the listing changed each time while it was read")))
}

async fn page(
    api: &Api,
    filter: &HeaderValue,
    number: u32,
    until: Deadline,
    act: &str,
) -> Result<Page<RawInstance>, Fault> {
    let call = Call {
        method: Method::GET,
        class: Class::Collection,
        path: &["linode", "instances"],
        query: &[("page", number.to_string()), ("page_size", PAGE_SIZE.to_string())],
        filter: Some(filter.clone()),
        body: None,
    };
    let answer = api.look(call, until).await.map_err(|silence| fault_of_silence(&silence, act))?;
    if !answer.is_success() {
        return Err(fault_of(api, &answer, act));
    }
    answer.json().map_err(|why| unreadable(&why, act))
}
