//! Catching up, as a table of stories: what comes in, and what the reader is told.

use super::*;
use crate::client::event::SOFT;
use crate::protocol::reply::{EntryKind, Page, RoomKind};

fn state(epoch: u64, seq: u64, first: u64) -> RoomState {
    RoomState {
        room: "ops".into(),
        kind: RoomKind::Public,
        with: None,
        epoch: Epoch(epoch),
        seq: Seq(seq),
        first: Seq(first),
        topic: "".into(),
        members: 1,
        role: crate::protocol::reply::Role::Member,
        announcement: false,
        slow_ms: 0,
        keep_ms: None,
        keep_entries: None,
        keep_bytes: None,
        read: None,
    }
}

fn entry(seq: u64) -> Entry {
    let text = seq.to_string().into();
    Entry::new(Seq(seq), 0, EntryKind::Message, "al".into(), text)
}

fn page(epoch: u64, seqs: std::ops::RangeInclusive<u64>, first: u64, head: u64) -> HistoryPage {
    let more = *seqs.end() < head;
    let entries = Page(seqs.map(entry).collect());
    HistoryPage { epoch: Epoch(epoch), entries, first: Seq(first), head: Seq(head), more }
}

struct Story {
    room: Room,
    backlog: Backlog,
}

impl Story {
    /// A room of epoch 1 that was left at seq 5.
    fn new() -> Self {
        Self { room: Room::new(&state(1, 5, 1)), backlog: Backlog::default() }
    }

    fn enter(&mut self, state: &RoomState) -> &mut Self {
        self.room.enter(state, &mut self.backlog);
        self
    }

    fn live(&mut self, seqs: std::ops::RangeInclusive<u64>) -> &mut Self {
        for seq in seqs {
            let event = wire::Event::of(&"ops".into(), entry(seq)).and_then(Event::stored).unwrap();
            self.room.live(Seq(seq), event, true, &mut self.backlog);
        }
        self
    }

    fn page(&mut self, page: HistoryPage) -> &mut Self {
        self.room.page(page, &mut self.backlog);
        self
    }

    /// What page is asked for, as the seq it comes after.
    #[track_caller]
    fn asks(&mut self, after: Option<u64>) -> &mut Self {
        let wants = self.room.wants_page(Moment(1), &self.backlog);
        assert_eq!(wants, after.map(Seq));
        if wants.is_some() {
            self.room.fetching();
        }
        self
    }

    #[track_caller]
    #[expect(clippy::wildcard_enum_match_arm, reason = "a story has no others")]
    fn tells(&mut self, want: &str) -> &mut Self {
        let mut told = Vec::new();
        while let Some(event) = self.backlog.pop() {
            told.push(match event {
                Event::Message(message) => message.seq.0.to_string(),
                Event::Gap { from, to, .. } => format!("gap {}-{}", from.0, to.0),
                Event::Reset { epoch, .. } => format!("reset {}", epoch.0),
                other => format!("{other:?}"),
            });
        }
        assert_eq!(told.join(" "), want);
        self
    }
}

#[test]
fn an_entry_of_a_newer_kind_has_its_place_and_tells_nothing() {
    let mut newer = page(1, 6..=8, 1, 8);
    newer.entries.0[1].kind = EntryKind::Unknown;
    Story::new()
        .enter(&state(1, 8, 1))
        .asks(Some(5))
        .page(newer)
        .tells("6 8")
        .live(9..=9)
        .tells("9");
}

#[test]
fn live_entries_in_order_are_told_at_once() {
    Story::new().live(6..=8).tells("6 7 8").asks(None);
}

#[test]
fn an_entry_that_comes_twice_is_told_once() {
    Story::new().live(6..=7).live(5..=8).tells("6 7 8");
}

#[test]
fn missed_entries_come_before_the_live_ones() {
    let mut story = Story::new();
    story.enter(&state(1, 8, 1)).asks(Some(5)).live(9..=10).tells("");
    story.page(page(1, 6..=8, 1, 8)).tells("6 7 8 9 10").asks(None);
}

#[test]
fn entries_that_come_both_live_and_in_the_page_are_told_once() {
    let mut story = Story::new();
    story.enter(&state(1, 8, 1)).asks(Some(5)).live(9..=11);
    story.page(page(1, 6..=10, 1, 10)).tells("6 7 8 9 10 11").asks(None);
}

#[test]
fn pages_follow_until_nothing_is_missing() {
    let mut story = Story::new();
    story.enter(&state(1, 12, 1)).asks(Some(5)).asks(None).live(13..=13);
    story.page(page(1, 6..=8, 1, 13)).tells("6 7 8").asks(Some(8));
    story.page(page(1, 9..=12, 1, 13)).tells("9 10 11 12 13").asks(None);
}

#[test]
fn a_hole_in_the_live_entries_is_filled_from_history() {
    let mut story = Story::new();
    story.live(6..=6).live(9..=9).tells("6").asks(Some(6));
    story.page(page(1, 7..=9, 1, 9)).tells("7 8 9").asks(None);
}

#[test]
fn what_the_server_does_not_have_any_more_is_a_gap() {
    let mut story = Story::new();
    story.enter(&state(1, 20, 15)).tells("gap 6-14").asks(Some(14));
    story.page(page(1, 17..=20, 17, 20)).tells("gap 15-16 17 18 19 20").asks(None);
}

#[test]
fn a_history_that_is_all_gone_is_one_gap() {
    Story::new().enter(&state(1, 20, 21)).tells("gap 6-20").asks(None).live(21..=21).tells("21");
}

#[test]
fn another_epoch_is_a_reset_and_starts_from_its_seq() {
    let mut story = Story::new();
    story.live(9..=9).enter(&state(2, 3, 1)).tells("reset 2").asks(None);
    story.live(4..=5).tells("4 5");
}

#[test]
fn a_seq_that_goes_back_is_a_reset() {
    Story::new().enter(&state(1, 2, 1)).tells("reset 1").live(3..=3).tells("3");
}

#[test]
fn another_epoch_in_a_page_is_a_reset() {
    let mut story = Story::new();
    story.enter(&state(1, 8, 1)).asks(Some(5));
    story.page(page(2, 1..=2, 1, 2)).tells("reset 2").asks(None).live(3..=3).tells("3");
}

#[test]
fn an_empty_page_ends_the_asking_with_a_gap() {
    let mut story = Story::new();
    story.enter(&state(1, 8, 1)).asks(Some(5)).live(9..=9);
    let nothing = HistoryPage { entries: Page(Vec::new()), ..page(1, 6..=6, 1, 8) };
    story.page(nothing).tells("gap 6-8 9").asks(None);
}

#[test]
fn a_reader_that_fell_behind_is_told_everything_in_the_end() {
    let mut story = Story::new();
    let first = SOFT as u64;
    story.live(6..=5 + first).live(6 + first..=1_000);
    let told: Vec<_> = (6..=5 + first).map(|seq| seq.to_string()).collect();
    // Nothing is asked for while the backlog is full.
    story.asks(None).tells(&told.join(" "));
    // The first of those held back can be told now; the rest comes by page.
    story.room.drain(&mut story.backlog);
    let held: Vec<_> = (6 + first..6 + first + HELD as u64).map(|seq| seq.to_string()).collect();
    story.tells(&held.join(" ")).asks(Some(5 + first + HELD as u64));
}

#[test]
fn a_page_larger_than_the_free_space_is_told_in_parts() {
    let mut story = Story::new();
    story.live(6..=505).enter(&state(1, 520, 1));
    story.page(page(1, 506..=520, 1, 520));
    assert_eq!(story.backlog.free(), 0);
    while story.backlog.pop().is_some() {}
    story.asks(Some(517)).page(page(1, 518..=520, 1, 520)).tells("518 519 520").asks(None);
}

#[test]
fn a_refused_page_is_asked_for_later_or_told_as_a_gap() {
    let mut story = Story::new();
    story.enter(&state(1, 8, 1)).asks(Some(5));
    story.room.page_refused(Some(Duration::ZERO), Moment(1), &mut story.backlog);
    story.asks(None);
    let later = story.room.retry_at().expect("a time to retry");
    assert_eq!(later, Moment(1).after(RETRY));
    assert_eq!(story.room.wants_page(later, &story.backlog), Some(Seq(5)));
    story.room.page_refused(None, later, &mut story.backlog);
    story.tells("gap 6-8").asks(None).live(9..=9).tells("9");
}
