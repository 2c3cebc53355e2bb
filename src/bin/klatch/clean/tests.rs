//! What people have done to terminals by text, and that it does not reach ours.

use super::*;

/// Attacks, one a line of the table: a name and the bytes as they would come.
const ATTACKS: &[(&str, &str)] = &[
    ("colour", "\x1b[31mred"),
    ("reset", "\x1bc"),
    ("clear screen", "\x1b[2J\x1b[H"),
    ("clear scrollback", "\x1b[3J"),
    ("cursor up, overwrite", "\x1b[1A\x1b[2Kroot: all is well"),
    ("cursor position report", "\x1b[6n"),
    ("device attributes", "\x1b[c"),
    ("device status", "\x1b[5n"),
    ("answerback", "\x05"),
    ("window title", "\x1b]0;title\x07"),
    ("window title, ST", "\x1b]2;title\x1b\\"),
    ("title report", "\x1b[21t"),
    ("resize", "\x1b[8;1;1t"),
    ("clipboard write (OSC 52)", "\x1b]52;c;cm0gLXJmIH4=\x07"),
    ("clipboard read", "\x1b]52;c;?\x07"),
    ("hyperlink (OSC 8)", "\x1b]8;;http://evil\x1b\\bank\x1b]8;;\x1b\\"),
    ("notification (OSC 9)", "\x1b]9;hello\x07"),
    ("notification (OSC 777)", "\x1b]777;notify;a;b\x07"),
    ("iTerm file (OSC 1337)", "\x1b]1337;File=inline=1:AAAA\x07"),
    ("iTerm command mark (OSC 133)", "\x1b]133;A\x07"),
    ("palette (OSC 4)", "\x1b]4;0;rgb:ff/ff/ff\x07"),
    ("working directory (OSC 7)", "\x1b]7;file:///etc\x07"),
    ("sixel (DCS)", "\x1bPq#0;2;0;0;0\x1b\\"),
    ("DECRQSS", "\x1bP$qm\x1b\\"),
    ("DECUDK function keys", "\x1bP0;1|17/0a\x1b\\"),
    ("kitty graphics (APC)", "\x1b_Gf=100;AAAA\x1b\\"),
    ("tmux passthrough", "\x1bPtmux;\x1b\x1b]52;c;x\x07\x1b\\"),
    ("screen title (SOS k)", "\x1bktitle\x1b\\"),
    ("privacy message", "\x1b^secret\x1b\\"),
    ("alternate screen", "\x1b[?1049h"),
    ("mouse reporting", "\x1b[?1000h"),
    ("bracketed paste off", "\x1b[?2004l"),
    ("paste end", "\x1b[201~rm -rf ~\n"),
    ("hide cursor", "\x1b[?25l"),
    ("insert mode", "\x1b[4h"),
    ("scroll region", "\x1b[1;1r"),
    ("line drawing charset", "\x1b(0"),
    ("shift out", "\x0elqqqk"),
    ("shift in", "\x0f"),
    ("screen alignment", "\x1b#8"),
    ("media copy (print)", "\x1b[5i"),
    ("C1 CSI", "\u{9b}31m"),
    ("C1 OSC", "\u{9d}0;title\u{9c}"),
    ("C1 DCS", "\u{90}q\u{9c}"),
    ("C1 APC", "\u{9f}G\u{9c}"),
    ("C1 NEL", "a\u{85}b"),
    ("bell", "\x07"),
    ("backspace overstrike", "evil\x08\x08\x08\x08good"),
    ("carriage return overwrite", "evil\rgood"),
    ("vertical tab", "a\x0bb"),
    ("form feed", "a\x0cb"),
    ("NUL", "a\0b"),
    ("DEL", "a\x7fb"),
    ("XOFF", "\x13"),
    ("CAN and SUB", "\x18\x1a"),
    ("a lone escape at the end", "text\x1b"),
    ("line separator", "a\u{2028}<root> b"),
    ("paragraph separator", "a\u{2029}<root> b"),
    ("right-to-left override", "photo_\u{202e}gpj.exe"),
    ("left-to-right override", "\u{202d}abc"),
    ("embedding without an end", "\u{202b}abc"),
    ("pop", "\u{202c}\u{202c}"),
    ("isolate without an end", "\u{2067}abc"),
    ("pop isolate", "\u{2069}"),
    ("right-to-left mark", "a\u{200f}b"),
    ("arabic letter mark", "a\u{61c}b"),
    ("zero-width space in a name", "ro\u{200b}ot"),
    ("word joiner", "ro\u{2060}ot"),
    ("byte order mark", "\u{feff}root"),
    ("soft hyphen", "ro\u{ad}ot"),
    ("hangul filler as an empty name", "\u{3164}"),
    ("tags (hidden ASCII)", "hi\u{e0068}\u{e0069}"),
    ("interlinear annotation", "a\u{fff9}b\u{fffa}c\u{fffb}"),
    ("private use", "\u{e0b0}\u{f8ff}"),
    ("variation selector (mongolian)", "a\u{180e}b"),
];

fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !('\u{202a}'..='\u{202e}').contains(&c)
        && !('\u{2066}'..='\u{2069}').contains(&c)
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
}

#[test]
fn no_attack_reaches_the_terminal() {
    assert!(ATTACKS.len() >= 50);
    for (name, attack) in ATTACKS {
        let shown = line(attack);
        assert!(shown.chars().all(is_harmless), "{name}: {shown:?}");
        assert_ne!(shown, *attack, "{name}: it must be seen that something was there");
        let shown = lines(attack);
        assert!(shown.chars().all(|c| c == '\n' || is_harmless(c)), "{name}: {shown:?}");
        assert_eq!(line(&line(attack)), line(attack), "{name}: cleaning twice changes nothing");
    }
}

#[test]
fn every_single_character_is_harmless_after_cleaning() {
    for c in '\0'..=char::MAX {
        let text = c.to_string();
        assert!(line(&text).chars().all(is_harmless), "U+{:04X}", u32::from(c));
    }
}

#[test]
fn what_was_there_is_shown() {
    assert_eq!(line("\x1b[31mred\x7f"), "␛[31mred␡");
    assert_eq!(line("a\u{9b}b\u{202e}c"), "a<U+009B>b<U+202E>c");
    assert_eq!(line("one\ntwo\tthree"), "one␊two    three");
    assert_eq!(lines("one\ntwo\r\n"), "one\ntwo␍\n");
}

#[test]
fn ordinary_text_of_all_scripts_is_left_alone() {
    for text in ["naïve café", "日本語", "👩‍👩‍👧 family", "שלום", "नमस्ते", "❤️", "می‌خواهم", ""]
    {
        assert!(matches!(line(text), Cow::Borrowed(same) if same == text), "{text}");
    }
}

#[test]
fn what_is_sent_loses_only_what_the_server_refuses() {
    assert_eq!(
        outgoing("\x1b[31mred\x1b[0m\tand\nmore\u{2028}"),
        "␛[31mred␛[0m\tand\nmore<U+2028>"
    );
    for text in ["\u{200f}שלום", "\u{202e}x", "\u{feff}", "a\tb\nc"] {
        assert!(matches!(outgoing(text), Cow::Borrowed(same) if same == text), "{text}");
    }
    for (name, attack) in ATTACKS {
        let refused = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!outgoing(attack).contains(refused), "{name}");
    }
}

#[test]
fn a_letter_cannot_climb_over_its_neighbours() {
    let zalgo = format!("a{}b", "\u{301}".repeat(100));
    assert_eq!(line(&zalgo), format!("a{}b", "\u{301}".repeat(MARKS)));
}
