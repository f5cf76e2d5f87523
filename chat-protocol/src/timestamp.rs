//! Points in time, in the two spellings that the documents use.

use core::fmt;

use thiserror::Error;

/// Why a text is no timestamp, or a number is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// Not of the form that was asked for.
    #[error("it is not of the form {expected}")]
    Form {
        /// The form that was asked for, by example.
        expected: &'static str,
    },
    /// Outside the years 1 to 9999.
    #[error("it is outside the years 1 to 9999")]
    Range,
}

/// A point in time, in microseconds since 1970-01-01T00:00:00Z, from year 1 to year 9999.
///
/// ```
/// use chat_protocol::Timestamp;
///
/// let posted = Timestamp::from_rfc3339("2024-03-09T13:04:33.253530Z")?;
/// assert_eq!(posted.to_string(), "2024-03-09T13:04:33.253530Z");
/// assert_eq!(posted.run_together().to_string(), "2024-03-09T13:04:33253530Z");
/// assert_eq!(Timestamp::from_run_together("2024-03-09T13:04:33253530Z")?, posted);
/// # Ok::<(), chat_protocol::TimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const MICROS: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl Timestamp {
    /// The first moment of year 1.
    pub const MIN: Self = Self(-62_135_596_800 * MICROS);
    /// The last microsecond of year 9999.
    pub const MAX: Self = Self(253_402_300_800 * MICROS - 1);

    /// The point in time so many microseconds after (or, negative, before) 1970.
    ///
    /// # Errors
    ///
    /// [`TimestampError::Range`] outside the years 1 to 9999.
    pub const fn from_micros(micros: i64) -> Result<Self, TimestampError> {
        if micros < Self::MIN.0 || micros > Self::MAX.0 {
            return Err(TimestampError::Range);
        }
        Ok(Self(micros))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 date-time: `T` or a space between date and time, up to nine digits of fraction (cut to six),
    /// and `Z` or an offset.
    ///
    /// # Errors
    ///
    /// [`TimestampError`] for any other text; a leap second (`:60`) is not supported.
    pub fn from_rfc3339(text: &str) -> Result<Self, TimestampError> {
        let form = TimestampError::Form { expected: "2025-10-03T03:00:00Z" };
        parse_rfc3339(text.as_bytes()).ok_or(form)?
    }

    /// Reads the form of the `command` document, `%Y-%m-%dT%H:%M:%S%fZ`: seconds and microseconds run together.
    ///
    /// # Errors
    ///
    /// [`TimestampError`] for any other text.
    pub fn from_run_together(text: &str) -> Result<Self, TimestampError> {
        let form = TimestampError::Form { expected: "2024-03-09T13:04:33253530Z" };
        parse_run_together(text.as_bytes()).ok_or(form)?
    }

    /// Shows this in the form of the `command` document, `2024-03-09T13:04:33253530Z`.
    #[must_use]
    pub const fn run_together(self) -> RunTogether {
        RunTogether(self)
    }

    fn civil(self) -> Civil {
        let seconds = self.0.div_euclid(MICROS);
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
        let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        Civil {
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            micro: self.0.rem_euclid(MICROS),
        }
    }
}

/// RFC 3339 in UTC as Django REST framework writes it: six digits of fraction, or none where it is a whole second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Timestamp {
    pub(crate) fn text(self) -> Text {
        let civil = self.civil();
        let mut text = Text::of(&civil);
        if civil.micro != 0 {
            text.push(b'.');
            text.fraction(civil.micro);
        }
        text.push(b'Z');
        text
    }
}

/// A [`Timestamp`] in the form of the `command` document; made by [`Timestamp::run_together`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunTogether(Timestamp);

impl fmt::Display for RunTogether {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl RunTogether {
    pub(crate) fn text(self) -> Text {
        let civil = self.0.civil();
        let mut text = Text::of(&civil);
        text.fraction(civil.micro);
        text.push(b'Z');
        text
    }
}

/// The text of a time as it is put together: formatting seven numbers one by one would cost more than all the rest of a
/// frame.
pub(crate) struct Text {
    bytes: [u8; Self::LONGEST],
    length: usize,
}

impl Text {
    /// `2024-03-09T13:04:33.253530Z`
    const LONGEST: usize = 27;

    /// Date and time up to the second.
    fn of(civil: &Civil) -> Self {
        let mut text = Self { bytes: [0; Self::LONGEST], length: 0 };
        text.pair(civil.year / 100);
        text.pair(civil.year % 100);
        let parts = [
            (b'-', civil.month),
            (b'-', civil.day),
            (b'T', civil.hour),
            (b':', civil.minute),
            (b':', civil.second),
        ];
        for (separator, number) in parts {
            text.push(separator);
            text.pair(number);
        }
        text
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    /// Two digits.
    fn pair(&mut self, number: i64) {
        // In one byte, division costs next to nothing.
        let number = u8::try_from(number).unwrap_or_default();
        if let Some(places) = self.bytes.get_mut(self.length..self.length + 2) {
            places.copy_from_slice(&[b'0' + number / 10, b'0' + number % 10]);
            self.length += 2;
        }
    }

    /// The microseconds, in six digits.
    fn fraction(&mut self, micro: i64) {
        self.pair(micro / 10_000);
        self.pair(micro / 100 % 100);
        self.pair(micro % 100);
    }

    pub(crate) fn as_str(&self) -> &str {
        // Always: these are digits and separators.
        self.bytes.get(..self.length).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// A date and time of day in UTC, within the ranges of a calendar.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micro: i64,
}

impl Civil {
    fn into_timestamp(self, offset_minutes: i64) -> Option<Result<Timestamp, TimestampError>> {
        let in_ranges = (1..=12).contains(&self.month)
            && (1..=days_of_month(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60;
        if !in_ranges {
            return None;
        }
        let days = days_from_civil(self.year, self.month, self.day);
        let minutes = self.hour * 60 + self.minute - offset_minutes;
        let seconds = days * SECONDS_PER_DAY + minutes * 60 + self.second;
        Some(Timestamp::from_micros(seconds * MICROS + self.micro))
    }
}

type Parsed = Option<Result<Timestamp, TimestampError>>;

fn parse_rfc3339(text: &[u8]) -> Parsed {
    let mut digits = Digits(text);
    let civil = digits.date_and_minute()?;
    let second = digits.number(2)?;
    let micro = if digits.byte(b'.').is_some() { digits.fraction()? } else { 0 };
    let offset_minutes = digits.offset()?;
    digits.end()?;
    Civil { second, micro, ..civil }.into_timestamp(offset_minutes)
}

fn parse_run_together(text: &[u8]) -> Parsed {
    let mut digits = Digits(text);
    let civil = digits.date_and_minute()?;
    let second = digits.number(2)?;
    let micro = digits.number(6)?;
    digits.byte(b'Z')?;
    digits.end()?;
    Civil { second, micro, ..civil }.into_timestamp(0)
}

/// What is left of a text that is read from its front.
struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Takes this byte, or leaves everything as it is.
    fn byte(&mut self, wanted: u8) -> Option<()> {
        if *self.0.first()? != wanted {
            return None;
        }
        self.next().map(|_| ())
    }

    fn digit(&mut self) -> Option<i64> {
        let digit = self.0.first().filter(|byte| byte.is_ascii_digit())? - b'0';
        self.next()?;
        Some(i64::from(digit))
    }

    fn number(&mut self, length: usize) -> Option<i64> {
        (0..length).try_fold(0, |number, _| Some(number * 10 + self.digit()?))
    }

    fn date_and_minute(&mut self) -> Option<Civil> {
        let year = self.number(4)?;
        self.byte(b'-')?;
        let month = self.number(2)?;
        self.byte(b'-')?;
        let day = self.number(2)?;
        self.byte(b'T').or_else(|| self.byte(b't')).or_else(|| self.byte(b' '))?;
        let hour = self.number(2)?;
        self.byte(b':')?;
        let minute = self.number(2)?;
        self.byte(b':')?;
        Some(Civil { year, month, day, hour, minute, second: 0, micro: 0 })
    }

    /// One to nine digits after a point, as microseconds; what is finer is cut off.
    fn fraction(&mut self) -> Option<i64> {
        let mut nanos = self.digit()? * 100_000_000;
        let mut unit = 10_000_000;
        while unit > 0 {
            let Some(digit) = self.digit() else { break };
            nanos += digit * unit;
            unit /= 10;
        }
        Some(nanos / 1000)
    }

    fn offset(&mut self) -> Option<i64> {
        let sign = match self.next()? {
            b'Z' | b'z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = self.number(2)?;
        self.byte(b':')?;
        let minutes = self.number(2)?;
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March, so that the leap day is
/// the last of its year.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month <= 2 { year - 1 } else { year };
    let era = march_year.div_euclid(400);
    let year_of_era = march_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    #[test]
    fn the_documents_examples() {
        let command = at(1_709_989_473_253_530);
        assert_eq!(command.to_string(), "2024-03-09T13:04:33.253530Z");
        assert_eq!(command.run_together().to_string(), "2024-03-09T13:04:33253530Z");
        assert_eq!(Timestamp::from_run_together("2024-03-06T07:32:00252499Z"), Ok(at(1_709_710_320_252_499)));
        assert_eq!(Timestamp::from_rfc3339("2025-10-03T03:00:00Z"), Ok(at(1_759_460_400_000_000)));
    }

    #[test]
    fn whole_seconds() {
        let whole = at(1_709_989_473_000_000);
        assert_eq!(whole.to_string(), "2024-03-09T13:04:33Z");
        assert_eq!(whole.run_together().to_string(), "2024-03-09T13:04:33000000Z");
    }

    #[test]
    fn both_ends_of_the_range() {
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        for end in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(Timestamp::from_rfc3339(&end.to_string()), Ok(end));
        }
        assert_eq!(Timestamp::from_rfc3339("0001-01-01T00:00:00+00:01"), Err(TimestampError::Range));
        assert_eq!(Timestamp::from_micros(i64::MAX), Err(TimestampError::Range));
    }

    #[test]
    fn offsets_fractions_and_leap_days() {
        let same = Timestamp::from_rfc3339("2024-02-29T23:30:00Z").unwrap();
        for text in [
            "2024-03-01T01:00:00+01:30",
            "2024-02-29 23:30:00+00:00",
            "2024-02-29t18:30:00.0-05:00",
            "2024-02-29T23:30:00.000000999z",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), Ok(same), "{text}");
        }
        assert_eq!(Timestamp::from_rfc3339("2024-02-29T23:30:00.5Z").unwrap().as_micros() % MICROS, 500_000);
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "2024",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567890Z",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00Zx",
            "٢٠٢٤-01-01T00:00:00Z",
        ] {
            assert!(Timestamp::from_rfc3339(text).is_err(), "{text}");
        }
        for text in ["2024-03-09T13:04:33.253530Z", "2024-03-09T13:04:33Z", "2024-03-09T13:04:3325353Z"] {
            assert!(Timestamp::from_run_together(text).is_err(), "{text}");
        }
    }
}
