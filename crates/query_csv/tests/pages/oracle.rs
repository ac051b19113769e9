//! What the rows of an answer and the sum of a column should be, by slow and plain means: `serde_json`, chrono, the csv
//! crate, bigdecimal, and decimals as fractions of integers. It shares no code with the crate.

use bigdecimal::{BigDecimal, Zero};
use chrono::{NaiveDateTime, Timelike};
use query_csv::Column;
use serde_json::{Map, Value};

use crate::layouts::SORT_KEY;
use crate::reading::{CONSTANTS, joined_values};

/// The rows, or `None` when a record cannot be written.
pub fn rows(answer: &Value, columns: &[Column]) -> Option<String> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for item in answer["Items"].as_array().expect("items") {
        let item = item.as_object().expect("an item");
        let cells = columns.iter().map(|column| cell(item, column)).collect::<Option<Vec<_>>>()?;
        // Also what no column shows is checked.
        sort_key(item)?;
        csv.write_record(cells).expect("a row");
    }
    Some(String::from_utf8(csv.into_inner().expect("rows")).expect("UTF-8"))
}

/// The sum of a number attribute, or `None` when a record has another value there. Records that lack it add nothing.
pub fn sum(answer: &Value, attribute: &str) -> Option<String> {
    let mut sum = BigDecimal::zero();
    for item in answer["Items"].as_array().expect("items") {
        let number = decimal(item.as_object().expect("an item"), attribute)?;
        if !number.is_empty() {
            sum += number.parse::<BigDecimal>().expect("a number");
        }
    }
    Some(sum.normalized().to_plain_string())
}

/// The times of the first and the last record of an answer whose records can be written.
pub fn times(answer: &Value) -> Option<[String; 2]> {
    let items = answer["Items"].as_array().expect("items");
    let time = |item: &Value| Some(sort_key(item.as_object()?)?.0);
    Some([time(items.first()?)?, time(items.last()?)?])
}

/// How many records lack an attribute.
pub fn lacking(answer: &Value, attribute: &str) -> u64 {
    let lacks = |item: &&Value| {
        let value = &item[attribute];
        value.is_null() || value.get("NULL").is_some() || value["S"] == ""
    };
    answer["Items"].as_array().expect("items").iter().filter(lacks).count() as u64
}

fn cell(item: &Map<String, Value>, column: &Column) -> Option<String> {
    Some(match column {
        Column::Constant(index) => CONSTANTS[*index].to_owned(),
        Column::Text(name) => shown(text(item, name)?),
        Column::Decimal(name) => decimal(item, name)?,
        Column::Timestamp(name) => {
            let time = text(item, name)?;
            if time.is_empty() { time } else { is_time(&time).then_some(time)? }
        }
        Column::SortKeyTime => sort_key(item)?.0,
        Column::SortKeyId => shown(sort_key(item)?.1),
        Column::Joined { attribute, value } => match text(item, attribute)? {
            id if id.is_empty() => id,
            id => joined_values(attribute, &id)[*value].clone(),
        },
    })
}

/// The text, behind a `'` if a spreadsheet would run it.
fn shown(text: String) -> String {
    let runs = text.starts_with(|first: char| "=+-@＝＋－＠\t\r\n\0".contains(first));
    if runs { format!("'{text}") } else { text }
}

/// The value of an attribute by its type; null when it is absent.
fn value<'a>(item: &'a Map<String, Value>, name: &str, kind: &str) -> Option<&'a Value> {
    let Some(value) = item.get(name) else { return Some(&Value::Null) };
    match value.as_object()?.iter().next()? {
        (found, _) if found == "NULL" => Some(&Value::Null),
        (found, value) if found == kind => Some(value),
        _ => None,
    }
}

fn text(item: &Map<String, Value>, name: &str) -> Option<String> {
    Some(value(item, name, "S")?.as_str().unwrap_or_default().to_owned())
}

fn sort_key(item: &Map<String, Value>) -> Option<(String, String)> {
    let key = text(item, SORT_KEY)?;
    let (time, id) = key.split_once('#')?;
    is_time(time).then(|| (time.to_owned(), id.to_owned()))
}

/// A time that chrono parses and writes again in the same form, which it does not do for odd spaces. chrono accepts second
/// 60 as a leap second, which it keeps as nanoseconds beyond a second; no writer of this form makes one. The length
/// excludes years before 0.
fn is_time(text: &str) -> bool {
    let format = "%Y-%m-%dT%H:%M:%S%.3fZ";
    let is_same =
        |time: NaiveDateTime| time.nanosecond() < 1_000_000_000 && time.format(format).to_string() == text;
    text.len() == 24 && NaiveDateTime::parse_from_str(text, format).is_ok_and(is_same)
}

/// The digits as sent, or with the exponent written out.
fn decimal(item: &Map<String, Value>, name: &str) -> Option<String> {
    let number = value(item, name, "N")?.as_str().unwrap_or_default();
    if number.is_empty() {
        return item.get(name).is_none_or(|value| value.get("NULL").is_some()).then(String::new);
    }
    if !number.starts_with('+') && !number.contains(['e', 'E']) {
        return plain(number);
    }
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i32 = exponent.parse().ok().filter(|exponent| (-200..=200).contains(exponent))?;
    let mantissa = mantissa.strip_prefix('+').unwrap_or(mantissa);
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    is_number(whole, fraction).then_some(())?;
    // Zeros on both sides, so that the point can be put anywhere.
    let zeros = "0".repeat(400);
    let all = format!("{zeros}{whole}{fraction}{zeros}");
    let point = usize::try_from(400 + i32::try_from(whole.len()).ok()? + exponent).ok()?;
    let whole = all[..point].trim_start_matches('0');
    let shown = (i32::try_from(fraction.len()).ok()? - exponent).max(0);
    let fraction = &all[point..point + usize::try_from(shown).ok()?];
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Whether these are the digits before and behind the point of a number.
fn is_number(whole: &str, fraction: &str) -> bool {
    whole.len() + fraction.len() > 0
        && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
}

/// A number without exponent, tidied where DynamoDB would not send it so.
fn plain(number: &str) -> Option<String> {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    is_number(whole, fraction).then_some(())?;
    if whole.is_empty() {
        return Some(format!("{sign}0.{fraction}"));
    }
    if digits.ends_with('.') {
        let whole = whole.trim_start_matches('0');
        return Some(format!("{sign}{}", if whole.is_empty() { "0" } else { whole }));
    }
    Some(number.to_owned())
}
