//! Times of day for people, in their own zone.
//!
//! A server can say any time at all: what no calendar has is shown as the nearest that one has.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The zone in which times are shown.
#[derive(Debug, Clone)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    /// The user's.
    pub(crate) fn of_user() -> Self {
        Self(TimeZone::system())
    }

    #[cfg(test)]
    pub(crate) fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// `12:03:04`
    pub(crate) fn time(&self, unix_ms: u64) -> String {
        self.at(unix_ms).strftime("%H:%M:%S").to_string()
    }

    /// `12:03`
    pub(crate) fn minute(&self, unix_ms: u64) -> String {
        self.at(unix_ms).strftime("%H:%M").to_string()
    }

    pub(crate) fn date(&self, unix_ms: u64) -> Date {
        self.at(unix_ms).date()
    }

    fn at(&self, unix_ms: u64) -> jiff::Zoned {
        let latest = Timestamp::MAX.as_millisecond();
        // A day short of the end of the calendar: no zone can push it over.
        let ms = i64::try_from(unix_ms).unwrap_or(latest).min(latest - 86_400_000);
        Timestamp::from_millisecond(ms).unwrap_or_default().to_zoned(self.0.clone())
    }
}

/// `Friday, 13 November 2026`
pub(crate) fn long_date(date: Date) -> String {
    date.strftime("%A, %-d %B %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_can_be_shown() {
        let zone = Zone::utc();
        assert_eq!(zone.time(0), "00:00:00");
        assert_eq!(zone.minute(1_800_000_000_000), "08:00");
        assert_eq!(long_date(zone.date(1_800_000_000_000)), "Friday, 15 January 2027");
        for ms in [u64::MAX, i64::MAX as u64, 1 << 60] {
            assert_eq!(zone.time(ms).len(), 8);
        }
    }
}
