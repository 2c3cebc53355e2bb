//! People come, chat and go for as long as one likes: what has a bound stays within it, and memory
//! does not grow.
//!
//! The clients are those of the library. Each stays a while, says something now and then, and comes
//! again under another name and in another room, so that rooms fall empty and fill again. Meanwhile
//! the server's own metrics are held against the bounds that they name.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use klatch::client::{Client, Event};
use rand::Rng;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::{Work, figure};
use crate::args::Common;
use crate::error::{Failure, Result};
use crate::report::Figures;
use crate::subject::kind::{Kind, Store};
use crate::subject::{Server, Target};

/// How long a client may wait for what it said itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// What grows at first: pools, caches, the table of rooms. A third of the run is not looked at.
const WARM_UP: f64 = 1.0 / 3.0;
/// How often one looks, at most.
const LOOKS: u32 = 1_800;

/// What is bounded by what, in the server's metrics.
const BOUNDS: &[(&str, &str)] = &[
    ("klatch_rooms", "klatch_rooms_max"),
    ("klatch_requests_queued", "klatch_requests_queued_max"),
    ("klatch_outbox_fullest_bytes", "klatch_outbox_max_bytes"),
    ("klatch_held_bytes", "klatch_held_bytes_max"),
    ("klatch_connections_admitted", "klatch_connections_max"),
    ("klatch_connections_unnamed", "klatch_connections_unnamed_max"),
    ("klatch_prefixes", "klatch_prefixes_max"),
    ("klatch_store_queued", "klatch_store_queued_max"),
];

/// A long run.
#[derive(Debug, Clone, Args)]
pub(crate) struct Soak {
    /// How long.
    #[arg(long, value_name = "M", default_value_t = 30.0)]
    pub(crate) minutes: f64,

    /// Clients that are there at any time.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) clients: usize,

    /// Members of each room, about.
    #[arg(long, value_name = "M", default_value_t = 20)]
    pub(crate) members: usize,

    /// Seconds that a client stays, on average.
    #[arg(long, value_name = "S", default_value_t = 20.0)]
    pub(crate) stay: f64,

    /// Messages of each client in a second.
    #[arg(long, value_name = "N", default_value_t = 3.0)]
    pub(crate) rate: f64,
}

impl Soak {
    fn clients(&self, options: &Common) -> usize {
        options.size(self.clients, 8).max(1)
    }

    fn plan(&self, options: &Common) -> Plan {
        let members = options.size(self.members, 4).max(1);
        let lasts = if options.smoke { 1.5 } else { self.minutes * 60.0 };
        let stay = if options.smoke { 0.2 } else { self.stay };
        let rate = if options.smoke { 40.0 } else { self.rate };
        Plan {
            // Half of the rooms are empty at any time.
            rooms: 2 * self.clients(options).div_ceil(members),
            lasts: Duration::from_secs_f64(lasts),
            stay: Duration::from_secs_f64(stay),
            beat: Duration::from_secs_f64(1.0 / rate.max(0.001)),
        }
    }
}

impl Work for Soak {
    fn name(&self) -> String {
        "soak".into()
    }

    fn shape(&self, options: &Common) -> Figures {
        let plan = self.plan(options);
        Figures::from([
            ("sessions", figure(self.clients(options))),
            ("rooms", figure(plan.rooms)),
            ("minutes", plan.lasts.as_secs_f64() / 60.0),
        ])
    }

    fn servers(&self, _: &Common) -> Vec<Kind> {
        vec![Kind::Klatchd]
    }

    fn suits(&self, kind: Kind) -> bool {
        kind == Kind::Klatchd
    }

    fn by(&self) -> &'static str {
        "rss_slope_percent_per_h"
    }

    fn rounds(&self, _: &Common) -> usize {
        1
    }

    fn connections(&self, options: &Common) -> usize {
        self.clients(options)
    }

    fn run(&self, target: &Target, options: &Common) -> Result<Figures> {
        let server = Server::start(target, options.setup(self, Store::Disk), options)?;
        let (clients, plan) = (self.clients(options), self.plan(options));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let figures = runtime.block_on(live(&server, clients, plan, options));
        figures.map_err(|error| server.explain(&error.to_string()))
    }
}

/// What everybody does.
#[derive(Debug, Clone, Copy)]
struct Plan {
    rooms: usize,
    lasts: Duration,
    stay: Duration,
    beat: Duration,
}

/// What the clients have done together.
#[derive(Debug, Default, Clone, Copy)]
struct Done {
    logins: usize,
    acked: usize,
    lost: usize,
}

/// Lets everybody come and go, and looks at the server meanwhile.
async fn live(server: &Server, clients: usize, plan: Plan, options: &Common) -> Result<Figures> {
    let address = server.address();
    let (keeper, _events) =
        Client::builder(&address.to_string()).plain().name("keeper").connect().await?;
    for room in 0..plan.rooms {
        keeper.create(&format!("room-{room}"), None).await?;
        keeper.leave(&format!("room-{room}")).await?;
    }
    keeper.quit().await?;
    let end = Instant::now() + plan.lasts;
    let mut people = JoinSet::new();
    for number in 0..clients {
        people.spawn(person(address, number, plan, end));
    }
    let mut looks = interval(plan.lasts / LOOKS);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let begin = Instant::now();
    let (mut samples, mut over, mut done) = (Vec::new(), 0, Done::default());
    loop {
        tokio::select! {
            Some(outcome) = people.join_next() => {
                let one = outcome?.map_err(Failure::new)?;
                done.logins += one.logins;
                done.acked += one.acked;
                done.lost += one.lost;
            }
            _ = looks.tick(), if !people.is_empty() => {
                let bytes = server.resident_bytes()?;
                samples.push((begin.elapsed().as_secs_f64(), bytes as f64));
                over += over_bounds(&metrics(address).await?)?;
                options.progress.tick(|| {
                    let mib = bytes as f64 / f64::from(1 << 20);
                    format!("{:.0} s, {mib:.1} MiB", begin.elapsed().as_secs_f64())
                });
            }
            else => break,
        }
    }
    samples.retain(|(at, _)| *at > WARM_UP * plan.lasts.as_secs_f64());
    Ok(Figures::from([
        ("rss_slope_percent_per_h", slope(&samples) * 3_600.0 * 100.0),
        ("rss_bytes", samples.last().map_or(0.0, |(_, bytes)| *bytes)),
        ("logins", figure(done.logins)),
        ("acked", figure(done.acked)),
        ("lost", figure(done.lost)),
        ("over_bounds", figure(over)),
    ]))
}

/// One who comes again and again, until the end.
async fn person(
    address: SocketAddr,
    number: usize,
    plan: Plan,
    end: Instant,
) -> std::result::Result<Done, String> {
    let mut done = Done::default();
    while Instant::now() < end {
        let share = rand::rng().random_range(0.5..1.5);
        let until = (Instant::now() + plan.stay.mul_f64(share)).min(end);
        let name = format!("c{number}-{}", done.logins);
        let room = format!("room-{}", (number + done.logins) % plan.rooms);
        done.logins += 1;
        visit(address, &name, &room, plan.beat, until, &mut done)
            .await
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(done)
}

/// One stay: says something now and then, and must see all of it.
async fn visit(
    address: SocketAddr,
    name: &str,
    room: &str,
    beat: Duration,
    until: Instant,
    done: &mut Done,
) -> std::result::Result<(), String> {
    let told = |error: klatch::client::Error| error.to_string();
    let builder = Client::builder(&address.to_string()).plain().name(name);
    let (client, mut events) = builder.connect().await.map_err(told)?;
    client.join(room).await.map_err(told)?;
    let mut beat = interval(beat);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answers = FuturesUnordered::new();
    let (mut acked, mut seen) = (0, 0);
    loop {
        let stays = Instant::now() < until;
        if !stays && answers.is_empty() {
            break;
        }
        tokio::select! {
            event = events.next() => seen += own(&event.ok_or("the client ended")?, name)?,
            _ = beat.tick(), if stays => {
                answers.push(client.try_post(room, "what one says in a chat").map_err(told)?);
            }
            Some(outcome) = answers.next(), if !answers.is_empty() => {
                outcome.map_err(told)?;
                acked += 1;
            }
            () = sleep_until(until), if stays => {}
        }
    }
    while seen < acked {
        match timeout(PATIENCE, events.next()).await {
            Ok(Some(event)) => seen += own(&event, name)?,
            Ok(None) | Err(_) => break,
        }
    }
    done.acked += acked;
    done.lost += acked.saturating_sub(seen);
    client.quit().await.map_err(told)
}

/// How many messages of its own an event brings.
fn own(event: &Event, name: &str) -> std::result::Result<usize, String> {
    if let Event::Disconnected { why, .. } = event {
        return Err(why.to_string());
    }
    let own = matches!(event, Event::Message(message) if &*message.from == name);
    Ok(usize::from(own))
}

/// What the server says of itself.
async fn metrics(server: SocketAddr) -> Result<String> {
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get("/metrics").header(HOST, server.to_string());
    let request = request.body(Empty::<Bytes>::new())?;
    let ask = async move {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        Ok::<_, hyper::Error>((status, answer.into_body().collect().await?.to_bytes()))
    };
    let (ended, answered) = tokio::join!(connection, ask);
    let (status, body) = answered?;
    ended?;
    if !status.is_success() {
        return Err(Failure::new(format!("/metrics answers {status}")));
    }
    Ok(String::from_utf8(body.to_vec())?)
}

/// How many figures are above the bound that is told beside them.
fn over_bounds(metrics: &str) -> Result<usize> {
    let lines: Vec<(&str, &str, f64)> = metrics.lines().filter_map(sample).collect();
    let mut over = 0;
    for (name, bound) in BOUNDS {
        let mut bounds = lines.iter().filter(|(known, ..)| known == bound).peekable();
        if bounds.peek().is_none() {
            return Err(Failure::new(format!("/metrics has no {bound}")));
        }
        for (_, which, most) in bounds {
            // A bound for all, or one for each of several kinds.
            let those =
                lines.iter().filter(|(known, kind, _)| known == name && kind.contains(which));
            over += usize::from(those.map(|(.., value)| value).sum::<f64>() > *most);
        }
    }
    Ok(over)
}

/// Name, labels and value of a line of metrics.
fn sample(line: &str) -> Option<(&str, &str, f64)> {
    let (series, value) = line.rsplit_once(' ').filter(|_| !line.starts_with('#'))?;
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    Some((name, labels.trim_end_matches('}'), value.parse().ok()?))
}

/// By which part of their mean the samples grow in a second, by least squares.
fn slope(samples: &[(f64, f64)]) -> f64 {
    let count = figure(samples.len()).max(1.0);
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (at, bytes) = (mean(|(at, _)| *at), mean(|(_, bytes)| *bytes));
    let together: f64 = samples.iter().map(|(x, y)| (x - at) * (y - bytes)).sum();
    let spread: f64 = samples.iter().map(|(x, _)| (x - at).powi(2)).sum();
    if spread > 0.0 && bytes > 0.0 { together / spread / bytes } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_found() {
        let line = |step: f64| -> Vec<(f64, f64)> {
            (0..=3_600)
                .map(|s| (f64::from(s), 1e6 + step * f64::from(s % 7) + step * f64::from(s)))
                .collect()
        };
        assert!(slope(&line(0.0)).abs() < 1e-12);
        let hourly = slope(&line(10.0)) * 3_600.0;
        assert!((0.034..0.037).contains(&hourly), "{hourly}");
        assert!(slope(&[]).abs() < 1e-12 && slope(&[(1.0, 5.0)]).abs() < 1e-12);
    }

    #[test]
    fn a_figure_over_its_bound_is_found() {
        let of = |values: [u64; 8]| {
            let lines = BOUNDS.iter().zip(values).map(|((name, bound), value)| {
                let (kind, most) = if *name == "klatch_store_queued" {
                    ("{queue=\"commits\"}", 5)
                } else {
                    ("", 10)
                };
                format!("{name}{{kind=\"a\"}} 5\n{name}{kind} {value}\n{bound}{kind} {most}\n")
            });
            over_bounds(&format!("# HELP klatch_rooms Rooms\n{}", lines.collect::<String>()))
                .unwrap()
        };
        assert_eq!(of([0; 8]), 0);
        assert_eq!(of([5, 5, 5, 5, 5, 5, 5, 5]), 0, "at its bound, with what others have of it");
        assert_eq!(of([6, 5, 5, 6, 5, 5, 5, 6]), 3);
        assert!(over_bounds("klatch_rooms 1\n").is_err(), "a bound that is not told");
    }
}
