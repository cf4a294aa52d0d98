//! Checks what is left once all is well.

use super::bill::wrong_bill;
use super::invariant::Invariant;
use super::judge::Judge;
use super::moment::End;

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
        for what in &end.store {
            self.accuse(Invariant::StoreIsWhole, at, what.clone());
        }
    }
}
