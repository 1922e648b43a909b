//! What becomes of one thing, be it a snapshot, a chunk or a record: the one place that decides.
//!
//! ```text
//!               on hold          nothing wants it gone     something does
//!  live         held             kept                      tombstoned
//!  tombstoned   restored, held   restored                  waits; destroyed when its grace is over
//!  damaged      held             destroyed                 destroyed
//! ```
//!
//! Damaged is a snapshot of which a chunk is gone since its destruction was begun, which was then
//! interrupted. It cannot be restored; a hold keeps what is left of it.

use super::{
    due::{Due, Hold, Item},
    policy::Policy,
    span::Moment,
    tombstones::{Cause, Reason},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Hold,
    Restore,
    Tombstone,
    Wait,
    Destroy,
}

impl Verdict {
    /// Whether it is on its way out of the store, or leaves it now.
    pub(super) fn is_leaving(self) -> bool {
        matches!(self, Self::Tombstone | Self::Wait | Self::Destroy)
    }
}

/// Whether a thing can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Whole,
    Damaged,
}

pub(super) struct Judge<'a> {
    policies: &'a [Policy],
    now: Moment,
    holds: Vec<Hold>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(policies: &'a [Policy], now: Moment) -> Self {
        let in_force = |policy: &Policy| {
            let hold = policy.legal_hold.clone().filter(|hold| hold.is_in_force(now))?;
            Some(Hold { policy: policy.name.clone(), hold })
        };
        Self { policies, now, holds: policies.iter().filter_map(in_force).collect() }
    }

    pub(super) fn policies(&self) -> &'a [Policy] {
        self.policies
    }

    pub(super) fn now(&self) -> Moment {
        self.now
    }

    pub(super) fn holds(&self) -> &[Hold] {
        &self.holds
    }

    /// A cause for each policy in which `reason` finds one, in ascending order.
    pub(super) fn causes(&self, reason: impl Fn(&Policy) -> Option<Reason>) -> Vec<Cause> {
        let cause = |policy: &Policy| {
            reason(policy).map(|reason| Cause { policy: policy.name.clone(), reason })
        };
        let mut causes: Vec<Cause> = self.policies.iter().filter_map(cause).collect();
        causes.sort();
        causes.dedup();
        causes
    }

    /// Puts `item` on the lists where it belongs.
    pub(super) fn file(&self, mut item: Item, state: State, due: &mut Due) -> Verdict {
        let verdict = self.verdict(&item, state);
        match verdict {
            Verdict::Keep | Verdict::Wait => {}
            Verdict::Hold => {
                if item.since.is_some() && state == State::Whole {
                    due.restore.push(item.what.clone());
                }
                if !item.causes.is_empty() || state == State::Damaged {
                    due.held.push(item);
                }
            }
            Verdict::Restore => due.restore.push(item.what),
            Verdict::Tombstone => due.tombstone.push(item),
            Verdict::Destroy => {
                item.cold = self.cold_stores(&item.causes);
                due.destroy.push(item);
            }
        }
        verdict
    }

    /// Where the policies that want a thing gone have it copied to first.
    pub(super) fn cold_stores(&self, causes: &[Cause]) -> Vec<String> {
        let stores = self.wanting(causes).filter_map(|policy| policy.cold.clone());
        let mut stores: Vec<String> = stores.collect();
        stores.sort();
        stores.dedup();
        stores
    }

    fn verdict(&self, item: &Item, state: State) -> Verdict {
        let is_wanted_gone = !item.causes.is_empty();
        match item.since {
            None if !is_wanted_gone => Verdict::Keep,
            _ if !self.holds.is_empty() => Verdict::Hold,
            None => Verdict::Tombstone,
            Some(_) if state == State::Damaged => Verdict::Destroy,
            Some(_) if !is_wanted_gone => Verdict::Restore,
            Some(since) if self.is_grace_over(item, since) => Verdict::Destroy,
            Some(_) => Verdict::Wait,
        }
    }

    /// The shortest grace counts, of those that want it gone.
    fn is_grace_over(&self, item: &Item, since: Moment) -> bool {
        self.wanting(&item.causes).any(|policy| policy.grace.is_over(since, self.now))
    }

    fn wanting(&self, causes: &[Cause]) -> impl Iterator<Item = &'a Policy> {
        let wants = |policy: &&Policy| causes.iter().any(|cause| cause.policy == policy.name);
        self.policies.iter().filter(wants)
    }
}
