//! Checks what is left once all is well.

use std::collections::BTreeMap;

use super::bill::wrong_bill;
use super::invariant::Invariant;
use super::judge::Judge;
use super::moment::End;
use crate::domain::NoticePhase;

impl Judge<'_> {
    /// Checks the end of a life.
    pub fn see_end(&mut self, end: &End) {
        let at = end.at;
        let (count, all) = match &end.settled {
            Ok((serving, standby)) => (serving.0, serving.0 + standby.0),
            Err(why) => {
                self.accuse(Invariant::Settles, at, why.clone());
                return;
            }
        };
        if end.instances != all {
            let what = format!("{} instances, and {all} are wanted", end.instances);
            self.accuse(Invariant::NoOrphan, at, what);
        }
        for (index, (serving, entries)) in end.servers.iter().enumerate() {
            if (*serving, *entries) != (count, all) {
                let what = format!(
                    "of {entries} servers on balancer {index} {serving} serve, and {count} of {all} \
                     are wanted"
                );
                self.accuse(Invariant::NoOrphan, at, what);
            }
        }
        for act in &end.acts {
            self.accuse(Invariant::SettledPlansNothing, at, format!("still to do: {act}"));
        }
        for note in &end.notes {
            self.accuse(Invariant::SettledPlansNothing, at, format!("still noted: {note}"));
        }
        for what in wrong_bill(&end.account, &end.nodes, end.costs) {
            self.accuse(Invariant::BillIsRight, at, what);
        }
        self.see_annotations(end);
        for what in &end.store {
            self.accuse(Invariant::StoreIsWhole, at, what.clone());
        }
    }

    fn see_annotations(&mut self, end: &End) {
        let mut drawn: BTreeMap<&str, u32> = BTreeMap::new();
        for one in &end.annotations {
            *drawn.entry(&one.subject).or_default() += 1;
            if one.notice.phase != NoticePhase::Happened && one.until.is_none() {
                let what = format!("{} is annotated, and never closed", one.subject);
                self.accuse(Invariant::AnnotatedOnce, end.at, what);
            }
        }
        let changes = end.changes.iter().map(|change| format!("decision:{change}"));
        let missing = changes.filter(|change| !drawn.contains_key(change.as_str()));
        let missing = missing.map(|change| (change, 0));
        let twice = drawn.iter().filter(|(_, count)| 1 < **count);
        for (subject, count) in missing.chain(twice.map(|(one, count)| (one.to_string(), *count))) {
            let what = format!("{subject} is annotated {count} times");
            self.accuse(Invariant::AnnotatedOnce, end.at, what);
        }
    }
}
