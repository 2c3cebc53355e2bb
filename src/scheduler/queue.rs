//! Which request is next: deficit round robin (Shreedhar and Varghese, 1995), three levels deep.
//!
//! ```text
//! class (shares) ── group (address or account) ── flow (session) ── jobs in order
//! ```
//!
//! At each level everybody who waits gets its share, whatever the others ask for; who waits alone
//! gets everything. A sender with fifty connections is one group, and shares what one polite sender
//! gets. Who has not used up its quantum of this round comes before those who have (compare RFC 8290,
//! section 4.2): so who asks for less than its share does not wait for a round of all others.
//!
//! **Owns:** the jobs that wait. **Invariants:** never more than its bound; jobs of one flow and one
//! class keep their order; every job comes out after a bounded number of others (no starvation).

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use crate::base::tally::CLASSES;
use crate::protocol::request::Class;

/// Where a job stands in the hierarchy, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its class.
    pub class: Class,
    /// The address or account that it counts for.
    pub group: u64,
    /// The session that it came from.
    pub flow: u32,
    /// Its cost, in units of about one small request; at least 1, at most [`COST_MAX`].
    pub cost: u32,
}

/// The highest cost of one job.
pub const COST_MAX: u32 = 16;

/// What a group or a flow gets in one round: a few small requests, so that rounds are short. A dear
/// request saves up for some rounds.
const QUANTUM: u32 = 4;

/// What each class gets in one round: under full load 16 urgent units for each 4 and 1 of the others.
fn share(class: Class) -> u32 {
    QUANTUM
        * match class {
            Class::Control => 16,
            Class::Interactive => 4,
            Class::Bulk => 1,
        }
}

/// The waiting jobs of one worker.
#[derive(Debug)]
pub struct Queue<J> {
    root: Ring<Class, Ring<u64, Ring<u32, Jobs<J>>>>,
    length: usize,
    by_class: [usize; CLASSES],
    bound: usize,
}

impl<J> Queue<J> {
    /// An empty queue for at most `bound` jobs.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self { root: Ring::default(), length: 0, by_class: [0; CLASSES], bound }
    }

    /// Lets a job wait; gives it back if the queue is full.
    pub fn push(&mut self, place: Place, job: J) -> Result<(), J> {
        if self.length >= self.bound {
            return Err(job);
        }
        self.length += 1;
        self.by_class[place.class.place()] += 1;
        let cost = place.cost.clamp(1, COST_MAX);
        self.root
            .child(place.class, share(place.class), Joins::Last)
            .child(place.group, QUANTUM, Joins::First)
            .child(place.flow, QUANTUM, Joins::First)
            .0
            .push_back((cost, job));
        Ok(())
    }

    /// Takes the job whose turn it is.
    pub fn pop(&mut self) -> Option<J> {
        self.root.next_cost()?;
        let class = self.root.front()?.key;
        let job = self.root.pop()?;
        self.length -= 1;
        self.by_class[class.place()] -= 1;
        Some(job)
    }

    /// Takes out all jobs of a class.
    pub fn shed(&mut self, class: Class) -> Vec<J> {
        let Some(shed) = self.root.children.remove(&class) else { return Vec::new() };
        let flows = shed.node.children.into_values().flat_map(|group| group.node.children);
        let jobs: Vec<J> = flows.flat_map(|(_, flow)| flow.node.0).map(|(_, job)| job).collect();
        self.length -= jobs.len();
        self.by_class[class.place()] -= jobs.len();
        jobs
    }

    /// Jobs that wait in each class.
    #[must_use]
    pub fn by_class(&self) -> [usize; CLASSES] {
        self.by_class
    }

    /// Jobs that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether others wait than this flow, or did a moment ago.
    #[must_use]
    pub fn has_others(&self, group: u64, flow: u32) -> bool {
        self.root.children.values().any(|class| {
            let mut groups = class.node.children.iter();
            groups.any(|(&other, own)| {
                other != group || own.node.children.keys().any(|&other| other != flow)
            })
        })
    }

    /// The lowest class in which `flow` has a job waiting.
    #[must_use]
    pub fn lowest_class_of(&self, group: u64, flow: u32) -> Option<Class> {
        Class::ALL.into_iter().rev().find(|class| {
            let flows = self.root.children.get(class).and_then(|c| c.node.children.get(&group));
            let flow = flows.and_then(|group| group.node.children.get(&flow));
            flow.is_some_and(|flow| !flow.node.0.is_empty())
        })
    }
}

/// Something that has jobs to give out: a line of jobs, or a ring of such things.
trait Source {
    type Job;
    /// What the next job costs; `None` if there is none. It stays the next until it is taken.
    fn next_cost(&mut self) -> Option<u32>;
    fn pop(&mut self) -> Option<Self::Job>;
}

/// The jobs of one flow, in order.
#[derive(Debug)]
struct Jobs<J>(VecDeque<(u32, J)>);

impl<J> Default for Jobs<J> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<J> Source for Jobs<J> {
    type Job = J;

    fn next_cost(&mut self) -> Option<u32> {
        self.0.front().map(|&(cost, _)| cost)
    }

    fn pop(&mut self) -> Option<J> {
        self.0.pop_front().map(|(_, job)| job)
    }
}

/// Sources that take turns. One that has no more stays until its turn comes: what is left of its
/// quantum is good for the rest of the round.
#[derive(Debug)]
struct Ring<K, S> {
    /// Those with something left of it, before all others.
    early: VecDeque<Turn<K>>,
    order: VecDeque<Turn<K>>,
    children: HashMap<K, Child<S>>,
    tickets: u64,
}

/// A place in a line; void if its source has got a later one.
#[derive(Debug, Clone, Copy)]
struct Turn<K> {
    key: K,
    ticket: u64,
}

#[derive(Debug)]
struct Child<S> {
    node: S,
    quantum: u32,
    deficit: u32,
    /// Whether it has had its quantum of this round: what it has now is that of the next one.
    spent: bool,
    ticket: u64,
}

/// Where a source joins that had no jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joins {
    First,
    Last,
}

impl<K, S> Default for Ring<K, S> {
    fn default() -> Self {
        let (early, order) = (VecDeque::new(), VecDeque::new());
        Self { early, order, children: HashMap::new(), tickets: 0 }
    }
}

impl<K: Copy + Eq + Hash, S: Source> Ring<K, S> {
    /// Who is next.
    fn front(&mut self) -> Option<Turn<K>> {
        loop {
            let line = if self.early.is_empty() { &mut self.order } else { &mut self.early };
            let turn = *line.front()?;
            if self.children.get(&turn.key).is_some_and(|child| child.ticket == turn.ticket) {
                return Some(turn);
            }
            line.pop_front();
        }
    }

    /// Gives a source a place in a line, the only one that counts.
    fn enlist(&mut self, key: K, joins: Joins) {
        self.tickets += 1;
        let ticket = self.tickets;
        let line = if joins == Joins::First { &mut self.early } else { &mut self.order };
        line.push_back(Turn { key, ticket });
        if let Some(child) = self.children.get_mut(&key) {
            child.ticket = ticket;
        }
    }
}

impl<K: Copy + Eq + Hash, S: Source + Default> Ring<K, S> {
    /// The child `key`; one without jobs joins before or behind the others.
    fn child(&mut self, key: K, quantum: u32, joins: Joins) -> &mut S {
        let new =
            || Child { node: S::default(), quantum, deficit: quantum, spent: false, ticket: 0 };
        let child = self.children.entry(key).or_insert_with(new);
        let is_new = child.ticket == 0;
        let has_some_left = !child.spent && child.deficit > 0;
        let had_none = child.node.next_cost().is_none();
        if is_new || (joins == Joins::First && had_none && has_some_left) {
            self.enlist(key, joins);
        }
        &mut self.children.entry(key).or_insert_with(new).node
    }
}

impl<K: Copy + Eq + Hash, S: Source> Source for Ring<K, S> {
    type Job = S::Job;

    fn next_cost(&mut self) -> Option<u32> {
        loop {
            let key = self.front()?.key;
            let is_early = !self.early.is_empty();
            let child = self.children.get_mut(&key)?;
            child.spent &= is_early;
            match child.node.next_cost() {
                Some(cost) if child.deficit >= cost => return Some(cost),
                // Its turn is over; it begins the next one with a quantum more. So this goes round
                // COST_MAX / QUANTUM times at most.
                Some(_) => {
                    child.deficit += child.quantum;
                    self.enlist(key, Joins::Last);
                }
                None if is_early => {
                    if child.deficit == 0 {
                        (child.deficit, child.spent) = (child.quantum, true);
                    }
                    self.enlist(key, Joins::Last);
                }
                // Credit is not saved up by being idle.
                None => drop(self.children.remove(&key)),
            }
        }
    }

    fn pop(&mut self) -> Option<S::Job> {
        let cost = self.next_cost()?;
        let key = self.front()?.key;
        let child = self.children.get_mut(&key)?;
        child.deficit -= cost;
        child.node.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(class: Class, group: u64, flow: u32) -> Place {
        Place { class, group, flow, cost: 1 }
    }

    fn chat(group: u64, flow: u32) -> Place {
        place(Class::Interactive, group, flow)
    }

    /// How often each group is served among the next `count` jobs.
    fn served(queue: &mut Queue<u64>, count: usize) -> HashMap<u64, usize> {
        let mut counts = HashMap::new();
        for _ in 0..count {
            *counts.entry(queue.pop().expect("a job")).or_default() += 1;
        }
        counts
    }

    #[test]
    fn fifty_connections_of_one_address_get_one_share() {
        let mut queue = Queue::new(10_000);
        for job in 0..5_000 {
            queue.push(chat(1, job % 50), 1).unwrap();
        }
        for _ in 0..100 {
            queue.push(chat(2, 1_000), 2).unwrap();
        }
        let counts = served(&mut queue, 160);
        assert_eq!((counts[&1], counts[&2]), (80, 80));
    }

    #[test]
    fn a_single_request_waits_for_one_quantum_of_each_other_at_most() {
        let mut queue = Queue::new(10_000);
        for job in 0..5_000 {
            queue.push(chat(u64::from(job % 10), job % 10), 0).unwrap();
        }
        queue.pop();
        queue.push(chat(99, 99), 99).unwrap();
        let position = (1..5_000).find(|_| queue.pop() == Some(99)).unwrap();
        assert!(position <= 10 * QUANTUM, "{position}");
    }

    #[test]
    fn who_asks_for_less_than_its_share_waits_for_nobody() {
        let mut queue = Queue::new(100_000);
        for job in 0..50_000_u32 {
            queue.push(chat(u64::from(job % 1_000), job % 1_000), 0).unwrap();
        }
        // All have used up what they get before others.
        (0..1_000 * QUANTUM).for_each(|_| assert_eq!(queue.pop(), Some(0)));
        for _ in 0..QUANTUM {
            queue.push(chat(5_000, 5_000), 1).unwrap();
            assert_eq!(queue.pop(), Some(1));
            assert_eq!(queue.pop(), Some(0));
        }
        // Now it has too: the others have their round.
        queue.push(chat(5_000, 5_000), 1).unwrap();
        let position = (1..50_000).find(|_| queue.pop() == Some(1)).unwrap();
        assert!((3_000..=1_000 * QUANTUM).contains(&position), "{position}");
    }

    #[test]
    fn nothing_is_left_of_those_who_have_no_more() {
        let mut queue = Queue::new(100);
        for round in 0..50_u32 {
            (0..10).for_each(|group| queue.push(chat(group, round % 7), 1).unwrap());
            while queue.pop().is_some() {}
        }
        let ring = &queue.root;
        assert!(ring.children.is_empty() && ring.early.is_empty() && ring.order.is_empty());
    }

    #[test]
    fn urgent_classes_come_first_and_bulk_is_not_starved() {
        let mut queue = Queue::new(10_000);
        for _ in 0..3_000 {
            queue.push(place(Class::Bulk, 1, 1), 3).unwrap();
            queue.push(chat(1, 1), 2).unwrap();
            queue.push(place(Class::Control, 1, 1), 1).unwrap();
        }
        let counts = served(&mut queue, 21 * 16 * 4);
        assert_eq!((counts[&1], counts[&2], counts[&3]), (1024, 256, 64));
    }

    #[test]
    fn cost_counts_not_requests() {
        let mut queue = Queue::new(10_000);
        for _ in 0..1_000 {
            queue.push(Place { cost: 16, ..chat(1, 1) }, 1).unwrap();
            queue.push(Place { cost: 1, ..chat(2, 2) }, 2).unwrap();
        }
        let counts = served(&mut queue, 170);
        assert_eq!((counts[&1], counts[&2]), (10, 160));
    }

    #[test]
    fn a_class_can_be_shed_and_the_others_go_on() {
        let mut queue = Queue::new(10);
        queue.push(place(Class::Bulk, 1, 1), 1).unwrap();
        queue.push(chat(1, 1), 2).unwrap();
        queue.push(place(Class::Bulk, 2, 2), 3).unwrap();
        queue.push(chat(2, 2), 4).unwrap();
        let mut shed = queue.shed(Class::Bulk);
        shed.sort_unstable();
        assert_eq!((shed, queue.len(), queue.by_class()[Class::Bulk.place()]), (vec![1, 3], 2, 0));
        assert!(queue.shed(Class::Bulk).is_empty());
        queue.push(place(Class::Bulk, 1, 1), 5).unwrap();
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(rest, [2, 4, 5]);
        assert!(queue.is_empty());
    }

    #[test]
    fn the_bound_holds_and_the_job_comes_back() {
        let mut queue = Queue::new(2);
        assert_eq!(queue.push(chat(1, 1), 1), Ok(()));
        assert_eq!(queue.push(chat(1, 1), 2), Ok(()));
        assert_eq!(queue.push(chat(2, 2), 3), Err(3));
        assert_eq!(queue.pop(), Some(1));
        assert_eq!(queue.push(chat(2, 2), 3), Ok(()));
    }

    #[test]
    fn who_waits_alone_is_known() {
        let mut queue = Queue::new(10);
        queue.push(chat(1, 1), 1).unwrap();
        assert!(!queue.has_others(1, 1));
        assert!(queue.has_others(1, 2) && queue.has_others(2, 1));
        queue.push(place(Class::Bulk, 1, 2), 2).unwrap();
        assert!(queue.has_others(1, 1));
        while queue.pop().is_some() {}
        assert!(!queue.has_others(9, 9));
    }

    #[test]
    fn the_lowest_class_of_a_flow_is_known() {
        let mut queue = Queue::new(10);
        assert_eq!(queue.lowest_class_of(1, 1), None);
        queue.push(chat(1, 1), 1).unwrap();
        assert_eq!(queue.lowest_class_of(1, 1), Some(Class::Interactive));
        queue.push(place(Class::Bulk, 1, 1), 1).unwrap();
        assert_eq!(queue.lowest_class_of(1, 1), Some(Class::Bulk));
        assert_eq!(queue.lowest_class_of(1, 2), None);
    }

    proptest! {
        /// Nothing is lost, nothing comes twice, and each flow's jobs of one class keep their order.
        #[test]
        fn every_job_comes_out_once_and_in_its_flow_s_order(
            jobs in proptest::collection::vec((0_usize..3, 0_u64..4, 0_u32..3, 1_u32..40), 0..300),
            pops in proptest::collection::vec(any::<bool>(), 0..300),
        ) {
            let mut queue = Queue::new(1_000);
            let mut out = Vec::new();
            let mut pops = pops.into_iter();
            let total = jobs.len();
            for (number, (class, group, flow, cost)) in jobs.into_iter().enumerate() {
                let flow = flow + 10 * u32::try_from(group).unwrap();
                let place = Place { class: Class::ALL[class], group, flow, cost };
                queue.push(place, (place.class, flow, number)).unwrap();
                if pops.next() == Some(true) {
                    out.extend(queue.pop());
                }
            }
            out.extend(std::iter::from_fn(|| queue.pop()));
            prop_assert_eq!(out.len(), total);
            prop_assert!(queue.is_empty());
            let mut last = HashMap::new();
            for (class, flow, number) in out {
                let before = last.insert((class, flow), number);
                prop_assert!(before.is_none_or(|before| before < number));
            }
        }
    }
}
