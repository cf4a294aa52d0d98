//! The balancers' door: each call may find nobody there, or be the daemon's last.

use async_trait::async_trait;

use super::model::Model;
use super::world::SimWorld;
use crate::domain::{BackendName, BackendView, BalancerName, Sessions};
use crate::ports::{Balancer, Fault, Member, RegisterOptions, Removal};

/// One balancer of the simulation.
pub struct SimBalancer {
    pub(super) world: SimWorld,
    pub(super) index: usize,
    pub(super) name: BalancerName,
}

impl SimBalancer {
    async fn call<T>(
        &self,
        verb: &str,
        member: &Member,
        act: impl FnOnce(&mut Model) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let call = format!("{verb} {} {}", self.name, member.server);
        self.world.reaches(&call).await;
        let answer = {
            let mut model = self.world.model();
            model.balancer_answers(self.index, &call).and_then(|()| act(&mut model))
        };
        self.world.returns(&call).await;
        answer
    }
}

#[async_trait]
impl Balancer for SimBalancer {
    fn name(&self) -> &BalancerName {
        &self.name
    }

    async fn view(&self, _: &BackendName) -> Result<BackendView, Fault> {
        self.world.lives().await;
        let mut model = self.world.model();
        model.balancer_answers(self.index, "view")?;
        Ok(model.view(self.index))
    }

    async fn register(
        &self,
        _: &BackendName,
        member: &Member,
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        let register = |model: &mut Model| model.register(self.index, member, options);
        self.call("register", member, register).await
    }

    async fn make_ready(&self, _: &BackendName, member: &Member) -> Result<(), Fault> {
        self.call("ready", member, |model| model.make_ready(self.index, member)).await
    }

    async fn drain(&self, _: &BackendName, member: &Member) -> Result<(), Fault> {
        let drain = |model: &mut Model| {
            model.drain(self.index, member);
            Ok(())
        };
        self.call("drain", member, drain).await
    }

    async fn remove(
        &self,
        _: &BackendName,
        member: &Member,
        sessions: Sessions,
    ) -> Result<Removal, Fault> {
        let remove = |model: &mut Model| Ok(model.remove(self.index, member, sessions));
        self.call("remove", member, remove).await
    }
}
