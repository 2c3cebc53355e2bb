//! Numbers, sizes and times.

use std::time::Duration;

use bytesize::ByteSize;

use super::{Form, Written};

/// A whole number.
pub(in crate::config) struct Number<const MIN: u64, const MAX: u64>;

impl<T, const MIN: u64, const MAX: u64> Form<T> for Number<MIN, MAX>
where
    T: TryFrom<u64> + TryInto<i64> + Copy,
{
    fn expected() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }

    fn read(written: &Written) -> Result<T, String> {
        within(written.number(str::parse, "this is not a whole number")?, MIN, MAX)
    }

    fn show(value: &T) -> toml::Value {
        toml::Value::Integer((*value).try_into().unwrap_or(i64::MAX))
    }
}

/// A number of bytes, at least `MIN`.
pub(in crate::config) struct Size<const MIN: u64>;

impl<T, const MIN: u64> Form<T> for Size<MIN>
where
    T: TryFrom<u64> + TryInto<u64> + Copy,
{
    fn expected() -> String {
        let [least, most] = [MIN, SIZE_MAX].map(|bytes| with_unit(bytes, &SIZE_UNITS));
        format!("a size with its unit or a plain number of bytes, from \"{least}\" to \"{most}\"")
    }

    fn read(written: &Written) -> Result<T, String> {
        let parse = |text: &str| text.parse::<ByteSize>().map(|size| size.as_u64());
        within(written.number(parse, "this is not a size")?, MIN, SIZE_MAX)
    }

    fn show(value: &T) -> toml::Value {
        let bytes = (*value).try_into().unwrap_or(u64::MAX);
        toml::Value::String(with_unit(bytes, &SIZE_UNITS))
    }
}

/// A length of time, longer than nothing.
pub(in crate::config) struct Span;

impl Form<Duration> for Span {
    fn expected() -> String {
        "a time with its unit, such as \"250ms\", \"5s\", \"10m\" or \"24h\"".into()
    }

    fn read(written: &Written) -> Result<Duration, String> {
        let span = humantime::parse_duration(written.text()?).map_err(|_| "this is not a time")?;
        if span.subsec_nanos() % 1_000_000 != 0 {
            return Err("this is finer than a millisecond".into());
        }
        if span.is_zero() || span > SPAN_MAX {
            return Err("this is not between 1ms and a year".into());
        }
        Ok(span)
    }

    fn show(value: &Duration) -> toml::Value {
        let millis = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
        toml::Value::String(with_unit(millis, &SPAN_UNITS))
    }
}

/// A TiB: nothing in a chat daemon has use for more, and sums stay far from overflow.
const SIZE_MAX: u64 = 1 << 40;
/// A year, for the same reasons.
const SPAN_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

const SIZE_UNITS: [(u64, &str); 5] =
    [(1 << 40, " TiB"), (1 << 30, " GiB"), (1 << 20, " MiB"), (1 << 10, " KiB"), (1, " B")];
const SPAN_UNITS: [(u64, &str); 4] = [(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];

/// `number` in the largest unit that leaves no fraction: read back, it is the same.
fn with_unit(number: u64, units: &[(u64, &str)]) -> String {
    let fits = units.iter().find(|(unit, _)| number.is_multiple_of(*unit));
    fits.map_or_else(|| number.to_string(), |(unit, name)| format!("{}{name}", number / unit))
}

fn within<T: TryFrom<u64>>(number: u64, min: u64, max: u64) -> Result<T, String> {
    let number = Some(number).filter(|number| (min..=max).contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| "this is out of range".into())
}
