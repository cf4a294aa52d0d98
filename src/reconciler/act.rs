//! Taking steps: one call to the world each, at most so many at once.

use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::future::join_all;
use secrecy::SecretString;

use super::look::{PoolLoop, World};
use super::{COMMON_TAG, pool_tag};
use crate::domain::{BalancerName, Duration, Instance, Node, NodeId, RunId, ServerName, after};
use crate::planner::Step;
use crate::policy::Policy;
use crate::ports::{
    Balancer, CreateRequest, Deletion, Fault, Member, RegisterOptions, Removal, RunHost, RunSpec,
};
use crate::store::StoreError;

/// So many steps at once: enough for a surge, few enough that no API is flooded.
const AT_ONCE: usize = 16;

/// An act that was written down.
pub(super) struct Act {
    /// The nodes that it is about: one, those of one playbook run, or those that the same
    /// balancers lost.
    pub nodes: Vec<NodeId>,
    /// What is asked.
    pub asked: Asked,
}

/// What is asked of the world.
pub(super) enum Asked {
    /// A new instance.
    Create {
        /// What it is told of itself.
        user_data: SecretString,
    },
    /// A playbook run.
    Run(RunId),
    /// Any other step.
    Step(Step),
}

/// What came of an act.
pub(super) enum Came {
    /// The instance, from the create call.
    Created(Result<Instance, Fault>),
    /// Something that only works or doesn't.
    Done(Result<(), Fault>),
    /// What came of asking for the deletion.
    Deleted(Result<Deletion, Fault>),
    /// The instance that has the label, if one has.
    Found(Result<Option<Instance>, Fault>),
    /// Each balancer's answer.
    Balancers(Vec<(BalancerName, Result<Removal, Fault>)>),
}

/// An act with what came of it.
pub(super) struct Outcome {
    pub nodes: Vec<NodeId>,
    pub step: &'static str,
    pub came: Came,
    pub took: Duration,
}

impl PoolLoop {
    /// Takes the acts, and writes each outcome as soon as it is known. Whether any node's life
    /// went on by it.
    pub(super) async fn act(&mut self, acts: Vec<Act>) -> Result<bool, StoreError> {
        let performances: Vec<_> = acts
            .into_iter()
            .filter_map(|act| {
                let nodes: Vec<Node> =
                    act.nodes.iter().filter_map(|id| self.nodes.get(id)).cloned().collect();
                let performer =
                    Performer { world: self.world.clone(), policy: self.policy.clone() };
                (!nodes.is_empty()).then(|| performer.perform(act, nodes))
            })
            .collect();
        let mut outcomes = futures_util::stream::iter(performances).buffer_unordered(AT_ONCE);
        let mut went_on = false;
        while let Some(outcome) = outcomes.next().await {
            went_on |= self.settle(outcome).await?;
        }
        Ok(went_on)
    }
}

struct Performer {
    world: World,
    policy: Arc<Policy>,
}

impl Performer {
    async fn perform(self, act: Act, nodes: Vec<Node>) -> Outcome {
        let began = Instant::now();
        let node = &nodes[0];
        let (step, came) = match &act.asked {
            Asked::Create { user_data } => {
                let request = self.create_request(node, user_data.clone()).await;
                let created = match request {
                    Ok(request) => self.world.inventory.cloud().create(&request).await,
                    Err(fault) => Err(fault),
                };
                (Step::CreateInstance.name(), Came::Created(created))
            }
            Asked::Run(run) => {
                let started = self.world.configurator.start(&self.run_spec(*run, &nodes)).await;
                (Step::StartRun.name(), Came::Done(started))
            }
            Asked::Step(step) => (step.name(), self.take(step, &nodes).await),
        };
        Outcome { nodes: act.nodes, step, came, took: began.elapsed() }
    }

    async fn take(&self, step: &Step, nodes: &[Node]) -> Came {
        let node = &nodes[0];
        let cloud = self.world.inventory.cloud();
        match step {
            Step::CreateInstance | Step::StartRun => Came::Done(Ok(())),
            Step::BootInstance => match node.instance {
                Some(id) => Came::Done(cloud.boot(id).await),
                None => Came::Done(Ok(())),
            },
            Step::DeleteInstance => match node.instance {
                Some(id) => Came::Deleted(cloud.delete(id, &pool_tag(&node.pool)).await),
                None => Came::Deleted(Ok(Deletion::AlreadyGone)),
            },
            Step::ProveAbsence => Came::Found(cloud.find(&node.label).await),
            Step::CancelRun { run } => Came::Done(self.world.configurator.cancel(*run).await),
            Step::Register { .. }
            | Step::MakeReady { .. }
            | Step::Readmit { .. }
            | Step::DrainServer { .. }
            | Step::RemoveServer { .. } => Came::Balancers(self.tell_balancers(step, nodes).await),
        }
    }

    async fn tell_balancers(
        &self,
        step: &Step,
        nodes: &[Node],
    ) -> Vec<(BalancerName, Result<Removal, Fault>)> {
        let member = |node: &Node| Member {
            server: ServerName::of(&node.label),
            address: SocketAddrV4::new(node.address, self.policy.join.port),
        };
        let members: Vec<Member> = nodes.iter().map(member).collect();
        let named = |balancer: &&Arc<dyn Balancer>| step.balancers().contains(balancer.name());
        join_all(self.world.balancers.iter().filter(named).map(|balancer| {
            let members = &members;
            async move {
                let answer = self.tell(step, balancer.as_ref(), members).await;
                (balancer.name().clone(), answer)
            }
        }))
        .await
    }

    async fn tell(
        &self,
        step: &Step,
        balancer: &dyn Balancer,
        members: &[Member],
    ) -> Result<Removal, Fault> {
        let (backend, member) = (&self.policy.join.backend, &members[0]);
        match step {
            Step::Register { .. } => {
                balancer.register(backend, member, &self.register_options()).await?;
            }
            Step::Readmit { .. } => {
                balancer.restore(backend, members, &self.register_options()).await?;
            }
            Step::MakeReady { .. } => balancer.make_ready(backend, member).await?,
            Step::DrainServer { .. } => balancer.drain(backend, member).await?,
            Step::RemoveServer { sessions, .. } => {
                return balancer.remove(backend, member, *sessions).await;
            }
            Step::CreateInstance | Step::BootInstance | Step::StartRun => {}
            Step::CancelRun { .. } | Step::DeleteInstance | Step::ProveAbsence => {}
        }
        Ok(Removal::Gone)
    }

    fn register_options(&self) -> RegisterOptions {
        let join = &self.policy.join;
        RegisterOptions {
            check_interval: join.check.interval,
            rise: join.check.rise,
            fall: join.check.fall,
            max_connections: join.max_connections,
            slow_start: join.slow_start,
        }
    }

    async fn create_request(
        &self,
        node: &Node,
        user_data: SecretString,
    ) -> Result<CreateRequest, Fault> {
        let template = &self.policy.node;
        let file = &template.ssh.authorized_keys_file;
        let keys = tokio::fs::read_to_string(file).await.map_err(|cause| {
            Fault::transient(format!(
                "the public keys in {} can't be read ({cause}); nobody could log in",
                file.display()
            ))
        })?;
        let key = |line: &str| !line.is_empty() && !line.starts_with('#');
        let authorized_keys: Vec<String> =
            keys.lines().map(str::trim).filter(|line| key(line)).map(String::from).collect();
        Ok(CreateRequest {
            label: node.label.clone(),
            instance_type: node.instance_type.clone(),
            region: node.region.clone(),
            image: template.image.clone(),
            tags: vec![pool_tag(&node.pool), COMMON_TAG.into()],
            vlan: template.vlan.label.clone(),
            address: node.address,
            prefix: template.vlan.cidr.prefix(),
            firewall: template.firewall,
            authorized_keys,
            user_data,
        })
    }

    fn run_spec(&self, run: RunId, nodes: &[Node]) -> RunSpec {
        let configure = &self.policy.configure;
        let ssh = &self.policy.node.ssh;
        let now = self.world.clock.now();
        let deadline = nodes.iter().filter_map(|node| node.state.deadline()).min();
        RunSpec {
            id: run,
            playbook: configure.playbook.clone(),
            hosts: nodes
                .iter()
                .map(|node| RunHost {
                    label: node.label.clone(),
                    address: node.address,
                    host_keys: node.host_keys.clone(),
                })
                .collect(),
            user: ssh.user.clone(),
            port: ssh.port,
            private_key_file: ssh.private_key_file.clone(),
            variables: configure.variables.clone(),
            deadline: deadline.unwrap_or_else(|| after(now, configure.timeout)),
            timeout: configure.timeout,
            pool: self.policy.pool.to_string(),
        }
    }
}
