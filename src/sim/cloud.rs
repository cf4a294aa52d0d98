//! The cloud: instances with unique labels that take their time to come, to be seen and to go.

use std::net::Ipv4Addr;

use async_trait::async_trait;

use super::chance::roll;
use super::model::Model;
use super::servers::SimServer;
use super::world::SimWorld;
use crate::domain::{
    Dollars, Duration, Instance, InstanceId, InstanceLabel, InstanceStatus, ServerAdmin, Timestamp,
    after,
};
use crate::ports::{Cloud, CreateRequest, Deletion, Fault};
use crate::reconciler::COMMON_TAG;

/// What the cloud is like, to every call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CloudMood {
    /// It answers.
    #[default]
    Well,
    /// 500 to everything.
    ServerErrors,
    /// 429 to everything.
    TooManyRequests,
    /// The plan is sold out; all else works.
    SoldOut,
    /// One plan is sold out; all else works.
    SoldOutOf(&'static str),
    /// What is created never comes to run.
    NothingBoots,
    /// Every create call makes its instance and loses the answer, or answers 500; listings show
    /// what it made an hour later.
    LosesCreates,
    /// Listings lack every other instance.
    ListsHalf,
    /// Listings lack every tenth instance.
    ListsMost,
    /// Listings are empty.
    ListsNothing,
}

/// One instance.
#[derive(Clone, Debug)]
pub(super) struct SimInstance {
    pub id: InstanceId,
    pub label: String,
    pub tags: Vec<String>,
    pub region: String,
    pub instance_type: String,
    pub address: Option<Ipv4Addr>,
    pub created_at: Timestamp,
    /// Listings show it from here on.
    pub listed_at: Timestamp,
    /// When it runs; `None`: never.
    pub running_at: Option<Timestamp>,
    /// It waits to be started instead of running.
    pub is_offline: bool,
    /// When it is gone, once somebody deletes it.
    pub gone_at: Option<Timestamp>,
    /// Whether that was not our doing.
    pub vanished: bool,
}

impl SimInstance {
    pub fn exists(&self, now: Timestamp) -> bool {
        self.gone_at.is_none_or(|gone| now < gone)
    }

    /// Whether its guest is at work; one that is being deleted is not.
    pub fn runs(&self, now: Timestamp) -> bool {
        let started = self.running_at.is_some_and(|at| at <= now);
        started && !self.is_offline && self.gone_at.is_none()
    }

    pub fn is_ours(&self) -> bool {
        self.tags.iter().any(|tag| tag == COMMON_TAG) && self.address.is_some()
    }

    fn shown(&self, now: Timestamp) -> Instance {
        let status = match self.running_at {
            _ if self.gone_at.is_some() => InstanceStatus::Deleting,
            _ if now < after(self.created_at, Duration::from_secs(5)) => {
                InstanceStatus::Provisioning
            }
            Some(at) if at <= now && self.is_offline => InstanceStatus::Offline,
            Some(at) if at <= now => InstanceStatus::Running,
            Some(_) | None => InstanceStatus::Booting,
        };
        Instance {
            id: self.id,
            label: self.label.clone(),
            status,
            tags: self.tags.clone(),
            region: self.region.clone(),
            instance_type: self.instance_type.clone(),
            created_at: Some(self.created_at),
        }
    }
}

impl Model {
    /// Whether a call does not even reach the cloud's business.
    fn cloud_fails(&mut self, call: &str, thing: &str) -> Option<Fault> {
        let retry_after = Some(self.length(&format!("{call} retry"), thing, 1, 20));
        let too_many = Fault::Transient { message: "429 Too Many Requests".into(), retry_after };
        match self.cloud_mood {
            CloudMood::ServerErrors => return Some(Fault::transient("500 Internal Server Error")),
            CloudMood::TooManyRequests => return Some(too_many),
            CloudMood::Well | CloudMood::SoldOut | CloudMood::SoldOutOf(_) => {}
            CloudMood::NothingBoots | CloudMood::LosesCreates => {}
            CloudMood::ListsHalf | CloudMood::ListsMost | CloudMood::ListsNothing => {}
        }
        if !self.strikes("cloud_error", self.faults.cloud_error, call, thing) {
            return None;
        }
        let storm = self.happens(0.5, &format!("{call} kind"), thing);
        Some(if storm { too_many } else { Fault::transient("502 Bad Gateway") })
    }

    fn list(&mut self) -> Result<Vec<Instance>, Fault> {
        if let Some(fault) = self.cloud_fails("list", "") {
            return Err(fault);
        }
        let now = self.now;
        let seen = self.instances.values().filter(|one| one.listed_at <= now && one.exists(now));
        let is_listed = |index: usize| match self.cloud_mood {
            CloudMood::ListsHalf => index.is_multiple_of(2),
            CloudMood::ListsMost => !index.is_multiple_of(10),
            CloudMood::ListsNothing => false,
            _ => true,
        };
        let listed = seen.enumerate().filter(|(index, _)| is_listed(*index));
        Ok(listed.map(|(_, one)| one.shown(now)).collect())
    }

    fn create(&mut self, request: &CreateRequest) -> Result<Instance, Fault> {
        let (label, plan) = (request.label.as_str(), request.instance_type.as_str());
        if let Some(fault) = self.cloud_fails("create", label) {
            return Err(fault);
        }
        let in_doubt = Fault::InDoubt { message: "no answer to the create call".into() };
        if self.strikes("call_lost", self.faults.call_lost, "create lost", label) {
            return Err(in_doubt);
        }
        if self.cloud_mood == CloudMood::SoldOut
            || matches!(self.cloud_mood, CloudMood::SoldOutOf(gone) if gone == plan)
            || self.strikes("sold_out", self.faults.sold_out, "sold out", label)
        {
            let message = "this plan is sold out in this region".into();
            return Err(Fault::OutOfCapacity { message });
        }
        if self.strikes("refused", self.faults.refused, "refused", label) {
            return Err(Fault::permanent("400 the image is not allowed here"));
        }
        let now = self.now;
        let holder = self.instances.values().find(|one| one.label == label && one.exists(now));
        let made = match holder.map(|holder| holder.shown(now)) {
            Some(known) if known.tags == request.tags => known,
            Some(_) => return Err(Fault::permanent("400 Label must be unique")),
            None => self.make(request),
        };
        if self.cloud_mood == CloudMood::LosesCreates {
            return Err(in_doubt);
        }
        if self.strikes("answer_lost", self.faults.answer_lost, "create answer", label) {
            return Err(in_doubt);
        }
        Ok(made)
    }

    fn make(&mut self, request: &CreateRequest) -> Instance {
        let label = request.label.to_string();
        let never_boots = self.cloud_mood == CloudMood::NothingBoots
            || self.strikes("never_boots", self.faults.never_boots, "never boots", &label);
        let lags = self.strikes("listing_lags", self.faults.listing_lags, "listing", &label);
        let lag = match self.cloud_mood {
            CloudMood::LosesCreates => Duration::from_secs(3_600),
            _ if lags => self.length("lag", &label, 1, 50),
            _ => Duration::ZERO,
        };
        let slow = self.strikes("slow_boot", self.faults.slow_boot, "slow boot", &label);
        let (shortest, longest) = if slow { (60, 900) } else { self.paces.boot };
        let boot = self.length("boot", &label, shortest, longest);
        // From the label and not counted up: whichever create call comes first, ids stay.
        let id = InstanceId((roll(self.seed, &format!("id of {label}")) * 1e9) as u64);
        let instance = SimInstance {
            id,
            label: label.clone(),
            tags: request.tags.clone(),
            region: request.region.clone(),
            instance_type: request.instance_type.clone(),
            address: Some(request.address),
            created_at: self.now,
            listed_at: after(self.now, lag),
            running_at: (!never_boots).then(|| after(self.now, boot)),
            is_offline: self.strikes(
                "comes_up_offline",
                self.faults.comes_up_offline,
                "offline",
                &label,
            ),
            gone_at: None,
            vanished: false,
        };
        let shown = instance.shown(self.now);
        self.instances.insert(id, instance);
        self.tally.instances_ever += 1;
        *self.tally.created_by_label.entry(label).or_default() += 1;
        self.tally.most_instances = self.tally.most_instances.max(self.our_instances());
        shown
    }

    /// An instance that runs and that nobody asked us for; it has no address on our VLAN.
    pub(super) fn plant(&mut self, label: &str, tags: &[&str]) {
        let id = InstanceId((roll(self.seed, &format!("id of {label}")) * 1e9) as u64);
        let instance = SimInstance {
            id,
            label: label.into(),
            tags: tags.iter().map(ToString::to_string).collect(),
            region: "eu-central".into(),
            instance_type: "g6-standard-2".into(),
            address: None,
            created_at: self.now,
            listed_at: self.now,
            running_at: Some(self.now),
            is_offline: false,
            gone_at: None,
            vanished: false,
        };
        self.instances.insert(id, instance);
    }

    fn boot(&mut self, id: InstanceId) -> Result<(), Fault> {
        if let Some(fault) = self.cloud_fails("boot", &id.to_string()) {
            return Err(fault);
        }
        let Some(instance) = self.instances.get_mut(&id) else {
            return Err(Fault::permanent("404 Not found"));
        };
        instance.is_offline = false;
        Ok(())
    }

    fn delete(&mut self, id: InstanceId, tag: &str) -> Result<Deletion, Fault> {
        let thing = id.to_string();
        if let Some(fault) = self.cloud_fails("delete", &thing) {
            return Err(fault);
        }
        let now = self.now;
        let Some(instance) = self.instances.get(&id).filter(|one| one.exists(now)) else {
            return Ok(Deletion::AlreadyGone);
        };
        if !instance.tags.iter().any(|known| known == tag) {
            return Ok(Deletion::NotOurs);
        }
        if self.strikes("call_lost", self.faults.call_lost, "delete lost", &thing) {
            return Err(Fault::InDoubt { message: "no answer to the delete call".into() });
        }
        if self.instances[&id].gone_at.is_none() {
            self.begin_deletion(id);
        }
        if self.strikes("answer_lost", self.faults.answer_lost, "delete answer", &thing) {
            return Err(Fault::InDoubt { message: "no answer to the delete call".into() });
        }
        Ok(Deletion::Accepted)
    }

    fn begin_deletion(&mut self, id: InstanceId) {
        let instance = &self.instances[&id];
        let (label, address) = (instance.label.clone(), instance.address);
        if instance.is_ours() {
            self.tally.deleted += 1;
        } else {
            self.tally.deleted_strangers += 1;
        }
        if let Some(address) = address {
            self.cut_sessions_at(address, &label);
        }
        let (shortest, longest) = self.paces.deletion;
        let gone_at = after(self.now, self.length("deletion", &label, shortest, longest));
        self.instances.get_mut(&id).expect("it was found above").gone_at = Some(gone_at);
        self.configured.remove(&label);
    }

    /// Two machines of somebody else's: one that nothing ties to us, and one with a label such as
    /// ours are named.
    pub(super) fn plant_strangers(&mut self, like_ours: &str) {
        for (id, label) in [(1, "mail"), (2, like_ours)] {
            let id = InstanceId(id);
            let stranger = SimInstance {
                id,
                label: label.into(),
                tags: vec!["somebody-else".into()],
                region: "eu-central".into(),
                instance_type: "g6-standard-2".into(),
                address: None,
                created_at: self.now,
                listed_at: self.now,
                running_at: Some(self.now),
                is_offline: false,
                gone_at: None,
                vanished: false,
            };
            self.instances.insert(id, stranger);
        }
        for balancer in &mut self.balancers {
            balancer.servers.push(SimServer::foreign(self.now));
        }
    }

    /// What of somebody else's was changed: nothing, if all is well.
    pub(super) fn touched_strangers(&self) -> Vec<String> {
        let planted = self.instances.values().filter(|one| one.address.is_none());
        let gone = planted.filter(|one| one.gone_at.is_some() || one.is_offline);
        let mut touched: Vec<String> =
            gone.map(|one| format!("instance {} of somebody else", one.label)).collect();
        if self.instances.values().any(|one| one.address.is_none()) {
            let intact = |one: &SimServer| !one.is_ours && one.admin == ServerAdmin::Ready;
            let robbed = self.balancers.iter().filter(|one| !one.servers.iter().any(intact));
            touched.extend(robbed.map(|one| format!("somebody else's server on {}", one.name)));
        }
        touched
    }

    /// Instances of ours that exist, those on their way out included.
    pub(super) fn our_instances(&self) -> u32 {
        let now = self.now;
        self.instances.values().filter(|one| one.is_ours() && one.exists(now)).count() as u32
    }
}

#[async_trait]
impl Cloud for SimWorld {
    async fn instances(&self, tag: &str) -> Result<Vec<Instance>, Fault> {
        self.lives().await;
        let mut instances = self.model().list()?;
        instances.retain(|one| one.tags.iter().any(|known| known == tag));
        Ok(instances)
    }

    async fn find(&self, label: &InstanceLabel) -> Result<Option<Instance>, Fault> {
        self.lives().await;
        let instances = self.model().list()?;
        Ok(instances.into_iter().find(|one| one.label == label.as_str()))
    }

    async fn create(&self, request: &CreateRequest) -> Result<Instance, Fault> {
        let call = format!("create {}", request.label);
        self.reaches(&call).await;
        let answer = self.model().create(request);
        self.returns(&call).await;
        answer
    }

    async fn boot(&self, id: InstanceId) -> Result<(), Fault> {
        let call = format!("boot {id}");
        self.reaches(&call).await;
        let answer = self.model().boot(id);
        self.returns(&call).await;
        answer
    }

    async fn delete(&self, id: InstanceId, tag: &str) -> Result<Deletion, Fault> {
        let call = format!("delete {id}");
        self.reaches(&call).await;
        let answer = self.model().delete(id, tag);
        self.returns(&call).await;
        answer
    }

    async fn hourly_price(&self, _: &str, _: &str) -> Result<Dollars, Fault> {
        self.lives().await;
        if let Some(fault) = self.model().cloud_fails("price", "") {
            return Err(fault);
        }
        Ok(Dollars::new(0.036).expect("a sane price"))
    }

    async fn verify_access(&self) -> Result<(), Fault> {
        self.lives().await;
        Ok(())
    }
}
