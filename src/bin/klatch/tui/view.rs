//! The app as cells of the terminal.
//!
//! ```text
//! rooms │ topic              │ members
//!       │ scrollback         │
//! status line
//! > input
//! ```
//!
//! **Invariant:** no cell holds a character that acts on a terminal: each text passes
//! [`clean`] on its way here, and [`seal`] looks at all cells once more.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use ratatui::Frame as Screen;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::app::{App, Link};
use super::chat::{Chat, Scroll};
use super::layout::{Frame, Row};
use super::wrap::cut;
use crate::clean;

/// Columns of the lists at both sides.
const SIDE: u16 = 20;
/// Below these widths the lists are left out.
const ROOMS_FROM: u16 = 60;
const MEMBERS_FROM: u16 = 90;
const PROMPT: &str = "> ";

/// Where everything is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    rooms: Rect,
    topic: Rect,
    pub(super) scrollback: Rect,
    members: Rect,
    status: Rect,
    input: Rect,
}

/// Divides the screen.
pub(super) fn places(area: Rect, with_members: bool) -> Places {
    let [main, status, input] =
        Layout::vertical([Constraint::Min(1), Constraint::Length(1), Constraint::Length(1)])
            .areas(area);
    let rooms = if area.width >= ROOMS_FROM { SIDE } else { 0 };
    let members = if with_members && area.width >= MEMBERS_FROM { SIDE } else { 0 };
    let [rooms, middle, members] = Layout::horizontal([
        Constraint::Length(rooms),
        Constraint::Min(1),
        Constraint::Length(members),
    ])
    .areas(main);
    let [topic, scrollback] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(middle);
    Places { rooms, topic, scrollback, members, status, input }
}

/// Draws everything.
pub(super) fn draw(app: &App, screen: &mut Screen<'_>) {
    let places = places(screen.area(), app.has_members());
    if places.rooms.width > 0 {
        screen.render_widget(rooms(app, places.rooms), places.rooms);
    }
    screen.render_widget(topic(app, places.topic.width), places.topic);
    screen.render_widget(scrollback(app, places.scrollback), places.scrollback);
    if places.members.width > 0 {
        screen.render_widget(people(app.chat(), places.members), places.members);
    }
    screen.render_widget(status(app, places.status.width), places.status);
    input(app, screen, places.input);
    seal(screen.buffer_mut());
}

impl App {
    /// Whether the list of members is shown for this page.
    pub(super) fn has_members(&self) -> bool {
        self.show_members && self.chat().joined && self.chat().with.is_none()
    }
}

/// Replaces what must not reach a terminal, should a text ever come here uncleaned.
pub(super) fn seal(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol().chars().any(clean::is_unsafe) {
            cell.set_symbol("?");
        }
    }
}

fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

fn rooms(app: &App, area: Rect) -> Paragraph<'static> {
    let width = usize::from(area.width.saturating_sub(1));
    let height = usize::from(area.height);
    // The room that is shown is always in sight.
    let from = (app.current + 1).saturating_sub(height);
    let line = |(index, chat): (usize, &Chat)| {
        let count = if chat.unread > 0 { format!(" {}", chat.unread) } else { String::new() };
        let name = cut(&clean::line(&chat.title()), width.saturating_sub(count.len()));
        let gap = width.saturating_sub(Span::raw(name.as_str()).width() + count.len());
        let style = match () {
            () if index == app.current => Style::new().add_modifier(Modifier::REVERSED),
            () if chat.mentioned => bold().fg(Color::Yellow),
            () if chat.unread > 0 => bold(),
            () if !chat.joined && index > 0 => dim(),
            () => Style::new(),
        };
        Line::styled(format!("{name}{}{count}", " ".repeat(gap)), style)
    };
    let lines: Vec<_> = app.chats.iter().enumerate().skip(from).take(height).map(line).collect();
    Paragraph::new(lines).block(Block::new().borders(Borders::RIGHT).border_style(dim()))
}

fn people(chat: &Chat, area: Rect) -> Paragraph<'static> {
    let width = usize::from(area.width.saturating_sub(2));
    let height = usize::from(area.height);
    let mut lines = vec![Line::styled(super::members(chat.count), dim())];
    let name = |name: &Arc<str>| {
        let shown = cut(&clean::line(name), width);
        Line::styled(shown, Style::new().fg(colour(name)))
    };
    lines.extend(chat.members.iter().map(name));
    if lines.len() > height {
        lines.truncate(height.saturating_sub(1));
        lines.push(Line::styled("…", dim()));
    }
    let block = Block::new().borders(Borders::LEFT).border_style(dim());
    Paragraph::new(lines).block(block.padding(ratatui::widgets::Padding::left(1)))
}

fn topic(app: &App, width: u16) -> Line<'static> {
    let chat = app.chat();
    let title = clean::line(&chat.title()).into_owned();
    let text = if chat.topic.is_empty() {
        String::new()
    } else {
        format!(" · {}", clean::line(&chat.topic))
    };
    let text = cut(&text, usize::from(width).saturating_sub(title.len() + 1));
    Line::from(vec![Span::styled(format!(" {title}"), bold()), Span::styled(text, dim())])
}

fn scrollback(app: &App, area: Rect) -> Paragraph<'static> {
    let height = usize::from(area.height);
    let frame = Frame { width: usize::from(area.width), zone: &app.zone, me: &app.me };
    let rows = frame.window(app.chat(), height);
    // Few rows stand at the bottom, where the next will come.
    let mut lines = vec![Line::default(); height.saturating_sub(rows.len())];
    lines.extend(rows.into_iter().map(|row| line(row, usize::from(area.width))));
    Paragraph::new(lines)
}

fn line(row: Row, width: usize) -> Line<'static> {
    match row {
        Row::First { time, pad, from, text, mentions } => Line::from(vec![
            Span::styled(format!("{time} {}", " ".repeat(pad)), dim()),
            Span::styled(from.clone(), bold().fg(colour(from.trim_matches(['<', '>'])))),
            Span::raw(if pad > 0 || width >= 60 { "  " } else { " " }),
            Span::styled(text, said(mentions)),
        ]),
        Row::More { indent, text, mentions } => {
            let indent = if width >= 60 { indent + 1 } else { indent };
            Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(text, said(mentions))])
        }
        Row::Note { time, text } => Line::styled(format!("{time:<5}  {text}"), dim()),
        Row::Day(date) => {
            let rule = "─".repeat(width.saturating_sub(date.len() + 2) / 2);
            Line::styled(format!("{rule} {date} {rule}"), dim())
        }
        Row::Unsaid(text) => {
            Line::styled(format!("  ...  {text}"), dim().add_modifier(Modifier::ITALIC))
        }
    }
}

fn said(mentions: bool) -> Style {
    if mentions { bold().fg(Color::Yellow) } else { Style::new() }
}

/// The colour of a name: always the same, and readable on dark and light.
fn colour(name: &str) -> Color {
    const COLOURS: [Color; 6] =
        [Color::Red, Color::Green, Color::Blue, Color::Magenta, Color::Cyan, Color::LightRed];
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let index = usize::try_from(hasher.finish() % 6).unwrap_or(0);
    COLOURS[index]
}

fn status(app: &App, width: u16) -> Line<'static> {
    let (mark, link) = match &app.link {
        Link::Online => ("●", app.server.clone()),
        Link::Lost(why) => ("◌", format!("{}: reconnecting ({why})", app.server)),
        Link::Over(why) => ("○", format!("{}: {why}", app.server)),
    };
    let chat = app.chat();
    // What may be long comes last, and is cut.
    let mut parts = vec![format!("{mark} {}", clean::line(&app.me))];
    if !chat.unsaid.is_empty() {
        parts.push(format!("{} unsent", chat.unsaid.len()));
    }
    if chat.scroll != Scroll::Follow {
        parts.push("scrolled (Alt-End: newest)".into());
    }
    let typing: Vec<_> = app.typing.iter().filter(|(room, ..)| *room == chat.room).collect();
    match typing.as_slice() {
        [] => {}
        [(_, who, _)] => parts.push(format!("{} is typing", clean::line(who))),
        many => parts.push(format!("{} are typing", many.len())),
    }
    parts.push(clean::line(&link).into_owned());
    let left = cut(&format!(" {}", parts.join(" · ")), usize::from(width));
    let hint = if app.chats.len() > 2 { "Alt-↓ rooms  /help " } else { "/help " };
    let gap = usize::from(width).saturating_sub(Span::raw(left.as_str()).width());
    let hint = if gap > hint.len() { format!("{hint:>gap$}") } else { " ".repeat(gap) };
    let style = match app.link {
        Link::Online => Style::new().add_modifier(Modifier::REVERSED),
        Link::Lost(_) | Link::Over(_) => {
            Style::new().add_modifier(Modifier::REVERSED | Modifier::DIM)
        }
    };
    Line::styled(format!("{left}{hint}"), style)
}

fn input(app: &App, screen: &mut Screen<'_>, area: Rect) {
    let width = usize::from(area.width).saturating_sub(PROMPT.len() + 1).max(1);
    let input = app.composer.input();
    let scroll = input.visual_scroll(width);
    // What is typed or pasted may hold anything, too. A shown escape is one column wide, as counted.
    let text: String =
        input.value().chars().map(|c| if clean::is_unsafe(c) { '?' } else { c }).collect();
    let scrolled = u16::try_from(scroll).unwrap_or(u16::MAX);
    let [prompt, field] =
        Layout::horizontal([Constraint::Length(2), Constraint::Min(1)]).areas(area);
    screen.render_widget(Span::styled(PROMPT, dim()), prompt);
    screen.render_widget(Paragraph::new(text).scroll((0, scrolled)), field);
    let column = input.visual_cursor().saturating_sub(scroll).min(width);
    let column = field.x.saturating_add(u16::try_from(column).unwrap_or(0));
    screen.set_cursor_position(Position::new(column, field.y));
}

#[cfg(test)]
mod tests;
