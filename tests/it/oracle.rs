//! Who may do what, tried at random against a small model written apart from the server's own code.
//!
//! `KLATCH_ORACLE_STEPS=100000` makes it long; `KLATCH_ORACLE_SEED` repeats a run.

use std::time::Duration;

use klatch::protocol::event::Event;
use klatch::protocol::reply::Role;
use klatch::protocol::request::{
    Ban, Configure, Create, History, Invite, Join, Kick, Leave, Members, Mute, Params, Rank,
    Register, Rooms, Say, Standings, Topic, Typing,
};
use klatch::protocol::status::Code;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::support::{TestClient, TestServer};

const NAMES: [&str; 6] = ["ann", "bob", "cleo", "dora", "gus", "rita"];
const GUEST: usize = 4;
const ADMIN: usize = 5;
const ROOM: &str = "den";

/// What the model knows of somebody.
#[derive(Debug, Clone, Copy, Default)]
struct Person {
    inside: bool,
    /// It comes back by itself.
    home: bool,
    invited: bool,
    rank: u8,
    banned: Option<u64>,
    muted: Option<u64>,
}

/// The model: times are in seconds, and `u64::MAX` is for good.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    private: bool,
    announcement: bool,
    people: [Person; 6],
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Join,
    Leave,
    Say,
    Topic,
    Typing,
    Members,
    History,
    Standings,
    Invite(usize),
    Kick(usize),
    Ban(usize, Option<u64>),
    Mute(usize, Option<u64>),
    Rank(usize, u8),
    Private(bool),
    Announcement(bool),
    /// Whether the list of rooms has it.
    See,
}

type Verdict = Result<(), Code>;

impl Model {
    fn rank(&self, who: usize) -> u8 {
        if who == ADMIN { 2 } else { self.people[who].rank }
    }

    fn strength(&self, who: usize) -> u8 {
        if who == ADMIN { 3 } else { self.people[who].rank }
    }

    fn banned(&self, who: usize) -> bool {
        who != ADMIN && self.people[who].banned.is_some_and(|until| until > self.now)
    }

    fn muted(&self, who: usize) -> bool {
        self.people[who].muted.is_some_and(|until| until > self.now)
    }

    /// Whether the room is there for somebody.
    fn sees(&self, who: usize) -> bool {
        who == ADMIN || self.plainly_sees(who)
    }

    /// Whether it is, for who does not administer.
    fn plainly_sees(&self, who: usize) -> bool {
        let person = &self.people[who];
        !self.private || person.home || person.invited || person.rank > 0
    }

    fn inside(&self, who: usize) -> Verdict {
        if self.people[who].inside {
            return Ok(());
        }
        Err(if self.plainly_sees(who) { Code::NotMember } else { Code::NotFound })
    }

    fn in_charge(&self, who: usize, rank: u8) -> Verdict {
        if who != ADMIN {
            self.inside(who)?;
        }
        if self.rank(who) >= rank { Ok(()) } else { Err(Code::Denied) }
    }

    fn against(&self, who: usize, whom: usize) -> Verdict {
        let may = self.strength(who) > self.strength(whom) || who == whom;
        if may { Ok(()) } else { Err(Code::Denied) }
    }

    fn until(&self, seconds: Option<u64>) -> Option<u64> {
        match seconds {
            Some(0) => None,
            Some(seconds) => Some(self.now + seconds),
            None => Some(u64::MAX),
        }
    }

    fn put_out(&mut self, whom: usize) {
        let person = &mut self.people[whom];
        (person.inside, person.home, person.invited) = (false, false, false);
    }

    /// Something is done to somebody.
    fn measure(&mut self, who: usize, deed: Deed) -> Verdict {
        match deed {
            Deed::Invite(whom) => {
                self.in_charge(who, 1)?;
                (self.people[whom].invited, self.people[whom].banned) = (true, None);
            }
            Deed::Kick(whom) => {
                self.in_charge(who, 1)?;
                self.against(who, whom)?;
                if !self.people[whom].inside {
                    return Err(Code::NotFound);
                }
                self.put_out(whom);
            }
            Deed::Ban(whom, seconds) => {
                self.in_charge(who, 1)?;
                self.against(who, whom)?;
                self.people[whom].banned = self.until(seconds);
                if self.people[whom].banned.is_some() {
                    self.put_out(whom);
                    self.people[whom].rank = 0;
                }
            }
            Deed::Mute(whom, seconds) => {
                self.in_charge(who, 1)?;
                self.against(who, whom)?;
                self.people[whom].muted = self.until(seconds);
            }
            Deed::Rank(whom, rank) => {
                self.in_charge(who, 2)?;
                self.against(who, whom)?;
                self.people[whom].rank = rank;
                if rank > 0 {
                    self.people[whom].banned = None;
                }
            }
            _ => unreachable!("nobody is concerned"),
        }
        Ok(())
    }

    fn act(&mut self, who: usize, deed: Deed) -> Verdict {
        if !self.sees(who) {
            return Err(Code::NotFound);
        }
        match deed {
            Deed::See => {}
            Deed::Join => {
                if self.banned(who) {
                    return Err(if self.private { Code::NotFound } else { Code::Denied });
                }
                let person = &mut self.people[who];
                person.inside = true;
                // A guest is at home nowhere.
                person.home = who != GUEST;
                person.invited |= who == GUEST && self.private;
            }
            Deed::Leave => {
                self.inside(who)?;
                (self.people[who].inside, self.people[who].home) = (false, false);
            }
            Deed::Members | Deed::History | Deed::Typing => self.inside(who)?,
            Deed::Say | Deed::Topic => {
                self.inside(who)?;
                let silent = self.muted(who) || (self.announcement && self.rank(who) == 0);
                if silent {
                    return Err(Code::Denied);
                }
            }
            Deed::Standings => self.in_charge(who, 1)?,
            Deed::Invite(_) | Deed::Kick(_) | Deed::Ban(..) | Deed::Mute(..) | Deed::Rank(..) => {
                self.measure(who, deed)?;
            }
            Deed::Private(private) => {
                self.in_charge(who, 2)?;
                if private && !self.private {
                    for whom in 0..NAMES.len() {
                        if self.people[whom].inside {
                            self.people[whom].invited = true;
                        }
                    }
                }
                self.private = private;
            }
            Deed::Announcement(on) => {
                self.in_charge(who, 2)?;
                self.announcement = on;
            }
        }
        Ok(())
    }
}

/// The server's verdict on the same.
fn ask(client: &mut TestClient, deed: Deed) -> Verdict {
    let (after, limit, timeout_ms) = (None, None, None);
    let room = || ROOM.into();
    let name = |whom: usize| NAMES[whom].into();
    let ms = |seconds: Option<u64>| seconds.map(|seconds| seconds * 1_000);
    let configure = Configure::of(room());
    let verdict = match deed {
        Deed::Join => code(client, &Join { room: room(), timeout_ms }),
        Deed::Leave => code(client, &Leave { room: room(), timeout_ms }),
        Deed::Say => {
            code(client, &Say { room: room(), text: "hi".into(), re: None, key: None, timeout_ms })
        }
        Deed::Topic => {
            code(client, &Topic { room: room(), topic: Some("news".into()), timeout_ms })
        }
        Deed::Typing => code(client, &Typing { room: room(), active: true, timeout_ms }),
        Deed::Members => code(client, &Members { room: room(), after, limit, timeout_ms }),
        Deed::History => {
            let (before, after, limit) = (None, None, Some(1));
            code(
                client,
                &History { room: room(), before, after, around: None, at: None, limit, timeout_ms },
            )
        }
        Deed::Standings => code(client, &Standings { room: room(), after, limit, timeout_ms }),
        Deed::Invite(whom) => code(client, &Invite { room: room(), name: name(whom), timeout_ms }),
        Deed::Kick(whom) => {
            code(client, &Kick { room: room(), name: name(whom), text: None, timeout_ms })
        }
        Deed::Ban(whom, seconds) => {
            let (name, ms, text) = (name(whom), ms(seconds), None);
            code(client, &Ban { room: room(), name, ms, text, timeout_ms })
        }
        Deed::Mute(whom, seconds) => {
            code(client, &Mute { room: room(), name: name(whom), ms: ms(seconds), timeout_ms })
        }
        Deed::Rank(whom, rank) => {
            let role = [Role::Member, Role::Moderator, Role::Owner][usize::from(rank)];
            code(client, &Rank { room: room(), name: name(whom), role, timeout_ms })
        }
        Deed::Private(private) => code(client, &Configure { private: Some(private), ..configure }),
        Deed::Announcement(on) => code(client, &Configure { announcement: Some(on), ..configure }),
        Deed::See => {
            let list = client.request(&Rooms { after: None, limit: None, timeout_ms }).unwrap();
            let listed = list.rooms.0.iter().any(|info| &*info.room == ROOM);
            if listed { Ok(()) } else { Err(Code::NotFound) }
        }
    };
    // Nobody looks at the events here.
    client.take_event(|_| false);
    verdict
}

fn code<P: Params>(client: &mut TestClient, params: &P) -> Verdict {
    let refused = |error: klatch::protocol::status::ErrorBody| Code::from_number(error.code);
    client.request(params).map(drop).map_err(|error| refused(error).expect("a code"))
}

fn any(rng: &mut StdRng) -> Deed {
    let whom = rng.random_range(0..NAMES.len());
    let seconds = *[Some(0), Some(60), Some(600), None].choose(rng).unwrap();
    match rng.random_range(0..22) {
        0..=4 => Deed::Join,
        5 => Deed::Leave,
        6..=7 => Deed::Say,
        8 => Deed::Topic,
        9 => Deed::Typing,
        10 => Deed::Members,
        11 => Deed::History,
        12 => Deed::Standings,
        13..=14 => Deed::Invite(whom),
        15 => Deed::Kick(whom),
        16 => Deed::Ban(whom, seconds),
        17 => Deed::Mute(whom, seconds),
        18 => Deed::Rank(whom, rng.random_range(0..3)),
        19 => Deed::Private(rng.random()),
        20 => Deed::Announcement(rng.random()),
        _ => Deed::See,
    }
}

/// Everybody, online: accounts, a guest, and who administers the server.
fn everybody(server: &TestServer) -> Vec<TestClient> {
    let enter = |(number, name): (usize, &&str)| {
        let mut client = server.connect_from(&format!("127.0.1.{}", number + 1));
        client.hello();
        if number == GUEST {
            client.login(name);
            return client;
        }
        let invite = (number == ADMIN).then(|| server.first_admin.as_deref().unwrap().into());
        let register = Register {
            name: (*name).into(),
            password: "correct horse".into(),
            invite,
            device: None,
            timeout_ms: None,
        };
        client.request(&register).expect("an account");
        client.expect(|event| matches!(event, Event::Room(_)).then_some(()));
        client
    };
    NAMES.iter().enumerate().map(enter).collect()
}

#[test]
fn the_server_decides_as_the_model_does() {
    let number = |name: &str| -> Option<u64> { std::env::var(name).ok()?.parse().ok() };
    let steps: u64 = number("KLATCH_ORACLE_STEPS").unwrap_or(3_000);
    let seed: u64 = number("KLATCH_ORACLE_SEED").unwrap_or_else(rand::random);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut keys = crate::support::open_limits();
    keys.extend(["limits.refusals_per_s=1000000", "limits.refusals_burst=1000000"]);
    keys.extend(["timeouts.ping=1000000s", "timeouts.dead=2000000s", "timeouts.idle=0"]);
    let server = TestServer::at_a_standstill(&keys);
    let mut clients = everybody(&server);
    let mut model = Model::default();
    let create = Create { room: ROOM.into(), topic: None, private: None, timeout_ms: None };
    clients[0].request(&create).unwrap();
    model.people[0] = Person { inside: true, home: true, rank: 2, ..Person::default() };
    for step in 0..steps {
        if rng.random_ratio(1, 20) {
            server.advance(Duration::from_secs(30));
            model.now += 30;
        }
        let (who, deed) = (rng.random_range(0..NAMES.len()), any(&mut rng));
        let before = format!("{model:?}");
        let expected = model.act(who, deed);
        let got = ask(&mut clients[who], deed);
        assert_eq!(got, expected, "seed {seed}, step {step}: {} {deed:?} in {before}", NAMES[who]);
    }
}
