//! What goes when too much is held for clients: first requests that can be asked again as well later,
//! then the sessions that hold most.

use std::cmp::Reverse;
use std::rc::Rc;

use super::Reception;
use crate::base::memory::{Level, level};
use crate::fanout::link::Link;
use crate::protocol::request::Class;
use crate::protocol::status::Code;
use crate::throttle::admission::too_much;

/// A session that holds less than this is not closed: it would not help.
const WORTH_CLOSING: usize = 4_096;

impl Reception {
    /// Looks at what is held, and lets go of this worker's share until it is little enough.
    pub(super) fn shed(&self) {
        let worker = &self.worker;
        let (held, ceiling) = worker.shard.gauge().look();
        if level(held, ceiling) != Level::Full {
            return;
        }
        for job in worker.desk.shed(Class::Bulk) {
            worker.shard.tally().shed_requests.add(1);
            worker.router.give_up(job, too_much(Code::Busy, held, ceiling));
        }
        let weight = |link: &Rc<Link>| link.waiting() + link.kept();
        let mut links = worker.shard.all();
        links.retain(|link| link.closing().is_none() && weight(link) >= WORTH_CLOSING);
        links.sort_by_key(|link| Reverse(weight(link)));
        let (mut closed, mut kept) = (0, 0);
        for link in links {
            // What was read goes with the session, a moment later.
            let (held, ceiling) = worker.shard.gauge().look();
            let held = held.saturating_sub(kept);
            if level(held, ceiling) != Level::Full {
                break;
            }
            kept += link.kept() as u64;
            let code = if link.waiting() > 0 { Code::SlowConsumer } else { Code::Busy };
            worker.shard.close_behind(&link, &too_much(code, held, ceiling));
            closed += 1;
        }
        worker.shard.tally().shed_sessions.add(closed);
        log::warn!(held = held, ceiling = ceiling, closed = closed; "too much is held for clients");
    }
}
