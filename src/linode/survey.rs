//! What a token may do and what the account offers, for whoever examines a deployment.
//!
//! In: names out of a policy.
//! Out: what the API shows of them; `None` where it has no such thing.
//! Never: changes anything.

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::json;

use super::LinodeCloud;
use super::classify::{fault_of, fault_of_silence, unreadable};
use super::limits::{Class, moment_of, number};
use super::transport::{Answer, Call};
use super::wire::{Page, RawInstance};
use crate::domain::Timestamp;
use crate::ports::Fault;

/// What we are at while the token is tried.
pub(super) const TRYING: &str = "trying the Linode token";

/// What one harmless call has told of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    scopes: Vec<String>,
    /// Calls of its kind that are left in this minute, and how many there are in all; none where
    /// the API does not say.
    pub headroom: Option<(u64, u64)>,
    /// When the API answered, by its own clock, to the second.
    pub answered_at: Option<Timestamp>,
}

impl Access {
    /// What an answer may tell.
    pub fn seen(
        scopes: &[&str],
        headroom: Option<(u64, u64)>,
        answered_at: Option<Timestamp>,
    ) -> Self {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        Self { scopes, headroom, answered_at }
    }

    fn of(answer: &Answer) -> Self {
        let scopes = answer.header("x-oauth-scopes").split([' ', ',']);
        let scopes: Vec<&str> = scopes.filter(|scope| !scope.is_empty()).collect();
        let count = |name| number(&answer.headers, name).and_then(|count| count.try_into().ok());
        let headroom = count("x-ratelimit-remaining").zip(count("x-ratelimit-limit"));
        Self::seen(&scopes, headroom, moment_of(&answer.headers))
    }

    /// Whether the token may do this in that area, such as `read_only` in `linodes`. Where the API
    /// lists no scopes, the first call that needs one will tell.
    pub fn may(&self, area: &str, level: &str) -> bool {
        let covers = |scope: &String| match scope.split_once(':') {
            None => scope == "*",
            Some((own, may)) => own == area && (may == level || matches!(may, "*" | "read_write")),
        };
        self.scopes.is_empty() || self.scopes.iter().any(covers)
    }

    /// The scopes as the API lists them; empty where it lists none.
    pub fn scopes(&self) -> String {
        self.scopes.join(" ")
    }
}

/// A region, as far as we look at it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Region {
    /// What there is in it, such as `Vlans`.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// `ok`, or `outage`.
    #[serde(default)]
    pub status: String,
}

/// An image, as far as we look at it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Image {
    /// What it can do, such as `cloud-init`.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// `available`, or still being made.
    pub status: Option<String>,
    /// Whether there is a newer one to take.
    #[serde(default)]
    pub deprecated: bool,
}

/// A Cloud Firewall, as far as we look at it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Firewall {
    /// `enabled`, `disabled` or `deleted`.
    pub status: String,
}

/// A VLAN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Vlan {
    /// Its label.
    pub label: String,
    /// Where it is.
    pub region: String,
    /// The numbers of the instances on it.
    #[serde(default)]
    pub linodes: Vec<u64>,
}

#[derive(Deserialize)]
struct Profile {
    restricted: bool,
}

#[derive(Deserialize)]
struct Availability {
    plan: String,
    available: bool,
}

impl LinodeCloud {
    /// Whether the token is let in, and what it may do.
    pub async fn access(&self) -> Result<Access, Fault> {
        // A listing, because it needs the very scope that we live on; a profile would not.
        let path = ["linode", "instances"];
        let answer = self.collection(&path, 25, None, TRYING).await?;
        answer.json::<Page<RawInstance>>().map_err(|why| unreadable(&why, TRYING))?;
        Ok(Access::of(&answer))
    }

    /// Whether the token's user is restricted: such a one can't tag Linodes.
    pub async fn is_restricted(&self) -> Result<bool, Fault> {
        let act = "reading the token's profile";
        let profile = self.read::<Profile>(&["profile"], self.api.deadline(), act).await?;
        profile
            .map(|profile| profile.restricted)
            .ok_or_else(|| Fault::permanent(format!("{act}: this API has none")))
    }

    /// The region of that name.
    pub async fn region(&self, region: &str) -> Result<Option<Region>, Fault> {
        let act = format!("reading region {region}");
        self.read(&["regions", region], self.api.deadline(), &act).await
    }

    /// Whether the region says of this plan that there is none. Few plans are listed at all.
    pub async fn is_sold_out(&self, instance_type: &str, region: &str) -> Result<bool, Fault> {
        let act = format!("reading what region {region} has");
        let path = ["regions", region, "availability"];
        let rows = self.read::<Vec<Availability>>(&path, self.api.deadline(), &act).await?;
        let rows = rows.unwrap_or_default();
        Ok(rows.iter().any(|row| row.plan == instance_type && !row.available))
    }

    /// The image of that name.
    pub async fn image(&self, image: &str) -> Result<Option<Image>, Fault> {
        let act = format!("reading image {image}");
        self.read(&["images", image], self.api.deadline(), &act).await
    }

    /// The Cloud Firewall of that number. Needs the scope `firewall:read_only`.
    pub async fn firewall(&self, id: u64) -> Result<Option<Firewall>, Fault> {
        let act = format!("reading firewall {id}");
        let path = ["networking", "firewalls", &id.to_string()];
        self.read(&path, self.api.deadline(), &act).await
    }

    /// The VLANs of a region: at most ten of one account.
    pub async fn vlans(&self, region: &str) -> Result<Vec<Vlan>, Fault> {
        let act = format!("listing the VLANs of {region}");
        let filter = HeaderValue::from_str(&json!({ "region": region }).to_string());
        let filter = filter.map_err(|_| Fault::permanent(format!("{act}: no such region")))?;
        let path = ["networking", "vlans"];
        let answer = self.collection(&path, 500, Some(filter), &act).await?;
        let page = answer.json::<Page<Vlan>>().map_err(|why| unreadable(&why, &act))?;
        Ok(page.data.into_iter().filter(|vlan| vlan.region == region).collect())
    }

    /// The first page of a collection.
    async fn collection(
        &self,
        path: &[&str],
        size: u32,
        filter: Option<HeaderValue>,
        act: &str,
    ) -> Result<Answer, Fault> {
        let query = [("page", "1".to_owned()), ("page_size", size.to_string())];
        let (method, class) = (Method::GET, Class::Collection);
        let call = Call { method, class, path, query: &query, filter, body: None };
        let look = self.api.look(call, self.api.deadline()).await;
        let answer = look.map_err(|silence| fault_of_silence(&silence, act))?;
        match answer.is_success() {
            true => Ok(answer),
            false => Err(fault_of(&self.api, &answer, act)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_is_below_it_and_no_other_area() {
        let access =
            |scopes: &str| Access::seen(&scopes.split_whitespace().collect::<Vec<_>>(), None, None);
        for (scopes, area, level, may) in [
            ("*", "linodes", "read_write", true),
            ("linodes:*", "linodes", "read_write", true),
            ("linodes:read_write", "linodes", "read_only", true),
            ("linodes:read_only", "linodes", "read_only", true),
            ("linodes:read_only", "linodes", "read_write", false),
            ("events:read_only linodes:read_write", "linodes", "read_write", true),
            ("events:read_write", "linodes", "read_only", false),
            ("", "linodes", "read_write", true),
        ] {
            assert_eq!(access(scopes).may(area, level), may, "{scopes}: {area}:{level}");
        }
    }
}
