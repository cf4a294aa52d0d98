//! The board of annotations: as little idempotent as Grafana's, down at times, with answers lost.

use async_trait::async_trait;

use super::model::Model;
use super::world::SimWorld;
use crate::domain::{Notice, Timestamp};
use crate::ports::{Annotations, Closing, Fault};

/// An annotation that was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct SimAnnotation {
    /// What it is about.
    pub subject: String,
    /// What it tells.
    pub notice: Notice,
    /// Until when it reaches; none: it is a point in time.
    pub until: Option<Timestamp>,
}

impl Model {
    /// Whether the board takes a call, and whether its answer arrives.
    fn board_answers(&mut self, call: &str, subject: &str) -> Result<bool, Fault> {
        let thing = format!("{call} {subject}");
        if self.board_down_until.is_some_and(|until| self.now < until) {
            return Err(Fault::transient("no connection to the board"));
        }
        let rate = self.faults.notifier_error;
        if self.strikes("notifier_error", rate, "board fails", &thing) {
            return Err(Fault::transient("the board answers 502"));
        }
        let rate = self.faults.notifier_answer_lost;
        Ok(!self.strikes("notifier_answer_lost", rate, "board's answer lost", &thing))
    }
}

fn lost() -> Fault {
    Fault::InDoubt { message: "the board's answer got lost".into() }
}

#[async_trait]
impl Annotations for SimWorld {
    async fn find(&self, subject: &str) -> Result<Option<String>, Fault> {
        self.lives().await;
        let mut model = self.model();
        if !model.board_answers("find", subject)? {
            return Err(lost());
        }
        let place = model.annotations.iter().position(|one| one.subject == subject);
        Ok(place.map(|place| place.to_string()))
    }

    async fn post(&self, notice: &Notice) -> Result<String, Fault> {
        self.reaches("post").await;
        let drawn = {
            let mut model = self.model();
            let answers = model.board_answers("post", &notice.subject)?;
            model.annotations.push(SimAnnotation {
                subject: notice.subject.clone(),
                notice: notice.clone(),
                until: notice.ended_at,
            });
            answers.then(|| (model.annotations.len() - 1).to_string()).ok_or_else(lost)
        };
        self.returns("post").await;
        drawn
    }

    async fn close(&self, name: &str, notice: &Notice) -> Result<Closing, Fault> {
        self.reaches("close").await;
        let closed = {
            let mut model = self.model();
            let answers = model.board_answers("close", &notice.subject)?;
            let place = name.parse().ok();
            let drawn = place.and_then(|place: usize| model.annotations.get_mut(place));
            let closing = match drawn {
                Some(drawn) => {
                    drawn.until = notice.ended_at;
                    Closing::Closed
                }
                None => Closing::Gone,
            };
            answers.then_some(closing).ok_or_else(lost)
        };
        self.returns("close").await;
        closed
    }
}
