//! What time it is, and what time that is elsewhere. The zones come with the program.

use crate::openai::fields::nearest;
use crate::tools::{Function, ToolContext};
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Now {
    /// An IANA time zone such as Europe/Berlin or UTC; without it, the user's own
    zone: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Convert {
    /// A date and time such as 2026-03-01T15:30, 2026-03-01T15:30:00Z or 15:30 (today)
    time: String,
    /// The IANA time zone in which `time` is meant, unless it says so itself; without it, the user's own
    from: Option<String>,
    /// The IANA time zone to convert to
    to: String,
}

/// A moment as models get it.
#[derive(Serialize)]
struct Told {
    zone: String,
    /// ISO 8601, with the offset from UTC.
    datetime: String,
    weekday: String,
}

#[derive(Serialize)]
struct Converted {
    from: Told,
    to: Told,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// `time_now`.
pub(super) fn now() -> Function {
    let description = "The date, time and weekday now, in a time zone";
    Function::new("time_now", description, |_: ToolContext, Now { zone }: Now| async move {
        zone_of(zone.as_deref()).map(|zone| told(&Timestamp::now().to_zoned_datetime(zone)))
    })
}

/// `time_convert`.
pub(super) fn convert() -> Function {
    let description = "Converts a date and time from one time zone to another";
    Function::new("time_convert", description, |_: ToolContext, asked: Convert| async move {
        let to = zone_of(Some(&asked.to))?;
        let (from, note) = moment(&asked.time, asked.from.as_deref())?;
        Ok::<_, String>(Converted { to: told(&from.with_time_zone(to)), from: told(&from), note })
    })
}

/// A moment from what a model wrote, and what is to be known of it.
fn moment(text: &str, zone: Option<&str>) -> Result<(ZonedDateTime, Option<&'static str>), String> {
    let text = text.trim();
    if let Ok(zoned) = text.parse::<ZonedDateTime>() {
        return Ok((zoned, None));
    }
    let zone = zone_of(zone)?;
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok((moment.to_zoned_datetime(zone), None));
    }
    let today = || Timestamp::now().to_zoned_datetime(zone.clone()).date();
    let local =
        text.parse::<DateTime>().or_else(|_| text.parse::<Time>().map(|time| today().to_datetime(time)));
    let local = local.map_err(|_| {
        format!("`{}` is no date and time; write it as 2026-03-01T15:30, or 15:30 for today", start(text))
    })?;
    let local = zone.to_ambiguous_zoned_datetime(local);
    let note = local.is_ambiguous().then_some(
        "the clocks are changed at that time, so that it comes twice or not at all there: the usual reading is taken",
    );
    Ok((local.compatible().map_err(|error| error.to_string())?, note))
}

/// A zone by its name, or by its city alone; the machine's own without one.
fn zone_of(name: Option<&str>) -> Result<TimeZone, String> {
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(TimeZone::try_system().unwrap_or(TimeZone::UTC));
    };
    if let Ok(zone) = TimeZone::get(name) {
        return Ok(zone);
    }
    let known: Vec<String> = jiff::tz::db().available().map(|known| known.to_string()).collect();
    let city = name.replace(' ', "_");
    let ends =
        |known: &&String| known.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city));
    if let Some(zone) = known.iter().find(ends).and_then(|known| TimeZone::get(known).ok()) {
        return Ok(zone);
    }
    let near = nearest(&start(name), known.iter().map(String::as_str));
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Err(format!("there is no time zone `{}`{near}", start(name)))
}

fn told(moment: &ZonedDateTime) -> Told {
    Told {
        zone: moment.time_zone().iana_name().unwrap_or("local").to_owned(),
        datetime: moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        weekday: moment.strftime("%A").to_string(),
    }
}

/// Enough of a word to know it again.
fn start(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn converted(time: &str, from: &str, to: &str) -> String {
        let (moment, _) = moment(time, Some(from)).unwrap();
        told(&moment.with_time_zone(zone_of(Some(to)).unwrap())).datetime
    }

    #[test]
    fn a_time_is_the_same_moment_everywhere() {
        assert_eq!(converted("2026-07-01T12:00", "Europe/Berlin", "Asia/Tokyo"), "2026-07-01T19:00:00+09:00");
        assert_eq!(converted("2026-01-01 00:30", "UTC", "america/new_york"), "2025-12-31T19:30:00-05:00");
        // What says its zone itself is not moved.
        assert_eq!(converted("2026-07-01T12:00:00Z", "Asia/Tokyo", "UTC"), "2026-07-01T12:00:00+00:00");
        assert!(converted("23:59", "UTC", "UTC").ends_with("T23:59:00+00:00"));
    }

    #[test]
    fn a_time_that_comes_twice_is_told() {
        assert!(moment("2026-10-25T02:30", Some("Europe/Berlin")).unwrap().1.is_some());
        assert!(moment("2026-10-25T12:30", Some("Europe/Berlin")).unwrap().1.is_none());
    }

    #[test]
    fn a_zone_may_be_its_city_and_a_wrong_one_is_named() {
        assert_eq!(zone_of(Some("New York")).unwrap().iana_name(), Some("America/New_York"));
        assert!(zone_of(Some("Europe/Berlim")).unwrap_err().contains("did you mean Europe/Berlin?"));
        assert!(moment("soon", None).unwrap_err().contains("2026-03-01T15:30"));
    }
}
