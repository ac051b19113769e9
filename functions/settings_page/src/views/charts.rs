//! Small charts of what a file adds up to: tables whose rows have a bar.

use decimal_sum::DecimalSum;
use usage_export::export::manifest::{Manifest, Total};
use usage_export::wording::{decimal, thousands};

/// How many bars a chart has at most. Months become years above it; small workspaces are summed up.
const MAX_BARS: usize = 13;

/// The length of the longest bar, in units of its SVG.
const FULL: f64 = 100.0;

/// A table of names and numbers, each with a bar.
#[derive(Debug)]
pub struct Chart {
    /// What it shows: `Credits by month`.
    pub title: String,
    /// Heading of the names: `Month`.
    pub of: &'static str,
    /// Whether there are credits beside the rows.
    pub has_credits: bool,
    /// The bars, in the order of the chart.
    pub bars: Vec<Bar>,
}

/// A row of a chart.
#[derive(Debug)]
pub struct Bar {
    /// What it is about: `2025-01`, `Finance`.
    pub name: String,
    /// Rows, with commas.
    pub rows: String,
    /// The exact sum of the credits, with commas; empty if the file has none.
    pub credits: String,
    /// Length of the bar, 0 to [`FULL`]. It is a picture: the numbers are exact.
    pub length: f64,
}

impl Chart {
    /// The charts of a file: by month and by workspace. None for a file without rows.
    pub fn of_manifest(manifest: &Manifest) -> Vec<Self> {
        let totals = &manifest.totals;
        if totals.total.rows == 0 {
            return Vec::new();
        }
        let months = totals.months.iter().map(|(month, total)| (month.to_string(), total.clone())).collect();
        let name_of = |id: &str| {
            let workspaces = &manifest.scope.workspaces;
            let found = workspaces.binary_search_by(|workspace| workspace.workspace_id.as_str().cmp(id));
            found.map_or("", |index| workspaces[index].name.as_str())
        };
        let workspaces = totals.workspaces.iter().map(|(id, total)| {
            let name = name_of(id);
            (if name.is_empty() { id.clone() } else { name.to_owned() }, total.clone())
        });
        vec![
            Self::new("month", "Month", by_month_or_year(months)),
            Self::new("workspace", "Workspace", largest(workspaces.collect())),
        ]
    }

    fn new(by: &str, of: &'static str, totals: Vec<(String, Total)>) -> Self {
        let has_credits = totals.iter().any(|(_, total)| total.credit_cost.is_some());
        let of_what = if has_credits { "Credits" } else { "Rows" };
        let longest = totals.iter().map(|(_, total)| weight(total)).fold(0.0, f64::max);
        let bar = |(name, total): (String, Total)| Bar {
            name,
            length: if longest > 0.0 { weight(&total) / longest * FULL } else { 0.0 },
            rows: thousands(total.rows),
            credits: total.credit_cost.map(|sum| decimal(&sum.to_string())).unwrap_or_default(),
        };
        Self {
            title: format!("{of_what} by {by}"),
            of,
            has_credits,
            bars: totals.into_iter().map(bar).collect(),
        }
    }
}

/// By month; by year if there are too many months.
fn by_month_or_year(months: Vec<(String, Total)>) -> Vec<(String, Total)> {
    if months.len() <= MAX_BARS {
        return months;
    }
    let mut years: Vec<(String, Total)> = Vec::new();
    for (month, total) in months {
        let year = month.split('-').next().unwrap_or_default();
        match years.last_mut() {
            Some((last, sum)) if last == year => add(sum, &total),
            _ => years.push((year.to_owned(), total)),
        }
    }
    // The latest years: an export has 100 at most.
    years.split_off(years.len().saturating_sub(MAX_BARS))
}

/// The largest first, and the sum of the others.
fn largest(mut totals: Vec<(String, Total)>) -> Vec<(String, Total)> {
    totals.sort_by(|(_, one), (_, other)| weight(other).total_cmp(&weight(one)));
    if totals.len() <= MAX_BARS {
        return totals;
    }
    let others = totals.split_off(MAX_BARS - 1);
    let name = format!("{} others", thousands(others.len() as u64));
    let sum = others.into_iter().map(|(_, total)| total).reduce(|mut sum, total| {
        add(&mut sum, &total);
        sum
    });
    totals.extend(sum.map(|sum| (name, sum)));
    totals
}

fn add(sum: &mut Total, total: &Total) {
    sum.rows += total.rows;
    if let (Some(sum), Some(cost)) = (&mut sum.credit_cost, &total.credit_cost) {
        *sum += cost;
    }
}

/// How long a bar is, before it is scaled: its credits, or its rows.
#[expect(clippy::cast_precision_loss, reason = "it is the length of a bar")]
fn weight(total: &Total) -> f64 {
    let credits = total.credit_cost.as_ref().map(|sum: &DecimalSum| sum.to_string().parse().unwrap_or(0.0));
    credits.unwrap_or(total.rows as f64).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(count: u32) -> Vec<(String, Total)> {
        let total = |rows: u32| Total { rows: rows.into(), credit_cost: Some("0.1".parse().unwrap()) };
        (0..count)
            .map(|month| (format!("{}-{:02}", 2020 + month / 12, month % 12 + 1), total(month + 1)))
            .collect()
    }

    #[test]
    fn many_months_become_years_and_none_is_lost() {
        assert_eq!(by_month_or_year(totals(13)).len(), 13);
        let years = by_month_or_year(totals(24));
        assert_eq!(years.iter().map(|(year, _)| year.as_str()).collect::<Vec<_>>(), ["2020", "2021"]);
        assert_eq!(years.iter().map(|(_, total)| total.rows).sum::<u64>(), 300);
        assert_eq!(years[0].1.credit_cost.as_ref().unwrap().to_string(), "1.2");
    }

    #[test]
    fn small_workspaces_are_summed_up_exactly() {
        let bars = Chart::new("workspace", "Workspace", largest(totals(5_203))).bars;
        assert_eq!(bars.len(), MAX_BARS);
        assert_eq!(bars[MAX_BARS - 1].name, "5,191 others");
        assert_eq!(bars[MAX_BARS - 1].credits, "519.1");
        assert!(bars.iter().all(|bar| bar.length <= FULL));
    }
}
