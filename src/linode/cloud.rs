//! What the reconciler may ask of Linode.
//!
//! In: one wish.
//! Out: the instance, or that it is gone, or a fault.
//! Never: adopts or deletes what does not carry our tags.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::LinodeCloud;
use super::classify::{
    CreateRefusal, create_refusal, doubt_of_silence, fault_of, fault_of_silence, is_already_booted,
    is_no_such_thing, unreadable,
};
use super::limits::Class;
use super::listing::list;
use super::survey::TRYING;
use super::transport::{Answer, Call, Deadline, NoAnswer};
use super::wire::{AccountSettings, CreateBody, RawInstance, RawType};
use crate::domain::{Dollars, Instance, InstanceId, InstanceLabel};
use crate::ports::{Cloud, CreateRequest, Deletion, Fault};

/// Plans with their prices, as last read.
pub(super) type PriceList = Mutex<HashMap<String, (Instant, RawType)>>;

/// How long a price is believed. Prices change a few times in a decade.
const PRICES_HOLD_FOR: Duration = Duration::from_secs(24 * 3600);

#[async_trait]
impl Cloud for LinodeCloud {
    async fn instances(&self, tag: &str) -> Result<Vec<Instance>, Fault> {
        let filter = json!({ "tags": tag });
        let mut instances =
            list(&self.api, &filter, self.api.deadline(), "listing instances").await?;
        instances.retain(|instance| instance.tags.iter().any(|own| own == tag));
        Ok(instances)
    }

    async fn find(&self, label: &InstanceLabel) -> Result<Option<Instance>, Fault> {
        self.look_for(label, self.api.deadline()).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<Instance, Fault> {
        let act = format!("creating {}", request.label);
        let body = CreateBody::of(request)
            .map_err(|problem| Fault::permanent(format!("{act}: {problem}")))?;
        let call = Call {
            method: Method::POST,
            class: Class::Create,
            path: &["linode", "instances"],
            query: &[],
            filter: None,
            body: Some(serde_json::to_vec(&body).expect("text and numbers always become JSON")),
        };
        let until = self.api.deadline();
        let refusal = match self.api.send(call, until).await {
            Ok(answer) => match made(&answer) {
                Some(instance) => return Ok(instance),
                None => create_refusal(&self.api, &answer, &act),
            },
            Err(NoAnswer::Lost { why }) => CreateRefusal::MayExist { why },
            Err(silence) => CreateRefusal::Refused(fault_of_silence(&silence, &act)),
        };
        match refusal {
            CreateRefusal::Refused(fault) => Err(fault),
            CreateRefusal::LabelTaken => self.adopt(request, "the label is taken", until).await,
            CreateRefusal::MayExist { why } => self.adopt(request, &why, until).await,
        }
    }

    async fn boot(&self, id: InstanceId) -> Result<(), Fault> {
        let act = format!("booting instance {id}");
        let path = ["linode", "instances", &id.to_string(), "boot"];
        let answer = self.change(Method::POST, &path, self.api.deadline(), &act).await?;
        match answer.is_success() || is_already_booted(&answer) {
            true => Ok(()),
            false => Err(fault_of(&self.api, &answer, &act)),
        }
    }

    async fn delete(&self, id: InstanceId, tag: &str) -> Result<Deletion, Fault> {
        let act = format!("deleting instance {id}");
        let path = ["linode", "instances", &id.to_string()];
        // There is no conditional delete, so the tags are read as late as can be.
        let until = self.api.deadline();
        let Some(instance) = self.read::<RawInstance>(&path, until, &act).await? else {
            return Ok(Deletion::AlreadyGone);
        };
        if !instance.tags.iter().any(|own| own == tag) {
            return Ok(Deletion::NotOurs);
        }
        if let Some(lock) = instance.deletion_lock() {
            let lock = self.api.presentable(lock);
            return Err(Fault::Denied {
                message: format!("{act}: it is locked (`{lock}`): take the lock off in Linode"),
            });
        }
        let answer = self.change(Method::DELETE, &path, until, &act).await?;
        match answer.status {
            200..300 => Ok(Deletion::Accepted),
            404 if is_no_such_thing(&answer) => Ok(Deletion::AlreadyGone),
            _ => Err(fault_of(&self.api, &answer, &act)),
        }
    }

    async fn hourly_price(&self, instance_type: &str, region: &str) -> Result<Dollars, Fault> {
        let act = format!("reading the price of {instance_type}");
        let plan = self.plan(instance_type, &act).await?;
        plan.hourly_in(region)
            .ok_or_else(|| Fault::permanent(format!("{act}: it has no hourly price in {region}")))
    }

    async fn verify_access(&self) -> Result<(), Fault> {
        match self.access().await?.may("linodes", "read_write") {
            true => Ok(()),
            false => Err(Fault::Denied {
                message: format!(
                    "{TRYING}: it may look at Linodes but not make them: make one with the scope \
                     `linodes:read_write`"
                ),
            }),
        }
    }
}

impl LinodeCloud {
    /// Whether the account lets Network Helper configure new instances at boot.
    ///
    /// Without it a VLAN address that the create call names takes no effect, unless the
    /// instance's user data sets it. Needs the scope `account:read_only`.
    pub async fn network_helper_enabled(&self) -> Result<bool, Fault> {
        let act = "reading the account's settings";
        let until = self.api.deadline();
        let settings = self.read::<AccountSettings>(&["account", "settings"], until, act).await?;
        settings
            .map(|settings| settings.network_helper)
            .ok_or_else(|| Fault::permanent(format!("{act}: this API has none")))
    }

    /// Takes the instance with the request's label for the one that was asked for, if it is.
    async fn adopt(
        &self,
        request: &CreateRequest,
        why: &str,
        until: Deadline,
    ) -> Result<Instance, Fault> {
        let label = &request.label;
        let doubt = |found: &str| Fault::InDoubt {
            message: format!("creating {label}: {why}, and {found}"),
        };
        match self.look_for(label, until).await {
            Ok(Some(instance)) => match mismatch(&instance, request) {
                None => Ok(instance),
                Some(what) => Err(Fault::permanent(format!(
                    "creating {label}: an instance of that label exists that is not ours: {what}"
                ))),
            },
            // A listing may lag behind a create, so an empty one proves nothing yet.
            Ok(None) => Err(doubt("no instance has that label yet")),
            Err(fault) => Err(doubt(&format!("looking for it failed: {fault}"))),
        }
    }

    async fn look_for(
        &self,
        label: &InstanceLabel,
        until: Deadline,
    ) -> Result<Option<Instance>, Fault> {
        let filter = json!({ "label": label.as_str() });
        let found = list(&self.api, &filter, until, &format!("looking for {label}")).await?;
        Ok(found.into_iter().find(|instance| instance.label == label.as_str()))
    }

    async fn plan(&self, instance_type: &str, act: &str) -> Result<RawType, Fault> {
        let known = {
            let prices = self.prices.lock().unwrap_or_else(PoisonError::into_inner);
            prices.get(instance_type).cloned()
        };
        if let Some((read_at, plan)) = &known
            && read_at.elapsed() < PRICES_HOLD_FOR
        {
            return Ok(plan.clone());
        }
        let path = ["linode", "types", instance_type];
        match (self.read::<RawType>(&path, self.api.deadline(), act).await, known) {
            (Ok(Some(plan)), _) => {
                let mut prices = self.prices.lock().unwrap_or_else(PoisonError::into_inner);
                prices.insert(instance_type.into(), (Instant::now(), plan.clone()));
                Ok(plan)
            }
            (Ok(None), _) => Err(Fault::permanent(format!("{act}: Linode has no such plan"))),
            // Yesterday's price is a better guess than none.
            (Err(_), Some((_, plan))) => Ok(plan),
            (Err(fault), None) => Err(fault),
        }
    }

    /// Reads one object; `None` if there is none.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        path: &[&str],
        until: Deadline,
        act: &str,
    ) -> Result<Option<T>, Fault> {
        let call = call(Method::GET, path, None);
        let look = self.api.look(call, until).await;
        let answer = look.map_err(|silence| fault_of_silence(&silence, act))?;
        match answer.status {
            200..300 => answer.json().map(Some).map_err(|why| unreadable(&why, act)),
            404 if is_no_such_thing(&answer) => Ok(None),
            _ => Err(fault_of(&self.api, &answer, act)),
        }
    }

    /// Asks for a change of one object, once.
    async fn change(
        &self,
        method: Method,
        path: &[&str],
        until: Deadline,
        act: &str,
    ) -> Result<Answer, Fault> {
        let body = (method == Method::POST).then(|| b"{}".to_vec());
        let sent = self.api.send(call(method, path, body), until).await;
        sent.map_err(|silence| doubt_of_silence(&silence, act))
    }
}

fn call<'a>(method: Method, path: &'a [&'a str], body: Option<Vec<u8>>) -> Call<'a> {
    Call { method, class: Class::Other, path, query: &[], filter: None, body }
}

/// The instance that a create's answer holds.
fn made(answer: &Answer) -> Option<Instance> {
    let instance = answer.is_success().then(|| answer.json::<RawInstance>());
    instance?.ok().map(Instance::from)
}

/// Why an instance can't be the one that was asked for; `None` if it is.
fn mismatch(instance: &Instance, request: &CreateRequest) -> Option<String> {
    if let Some(tag) = request.tags.iter().find(|tag| !instance.tags.contains(tag)) {
        return Some(format!("it lacks the tag `{tag}`"));
    }
    if instance.region != request.region {
        return Some(format!("it is in another region than {}", request.region));
    }
    let other_plan = instance.instance_type != request.instance_type;
    other_plan.then(|| format!("it is of another plan than {}", request.instance_type))
}
