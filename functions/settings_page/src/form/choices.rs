//! What is chosen in the form, as it was typed. A saved export keeps it.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use usage_export::export::DataExport;
use usage_export::export::request::{NamedIds, RequestSummary};
use usage_export::usage::FIELDS;

use super::presets::DatePreset;
use crate::day;
use crate::time_zone::TimeZone;

/// What separates ids in a list that was pasted.
const SEPARATORS: [char; 3] = [',', ';', '"'];

/// Dates, workspaces and fields, as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// Id of the preset that the dates are; empty if they are of no preset. A saved export counts its dates from the day on
    /// which it is run.
    pub preset: String,
    /// First day, as typed.
    pub start_date: String,
    /// Last day, as typed.
    pub end_date: String,
    /// Name of the time zone of these days; empty for UTC.
    pub time_zone: String,
    /// Whether every workspace is chosen, the personal ones too.
    pub all_workspaces: bool,
    /// Whether every shared workspace is chosen, so that their ids need not be listed.
    pub shared_workspaces: bool,
    /// Whether the members' personal workspaces are chosen.
    pub personal_workspaces: bool,
    /// Ids of the chosen workspaces.
    pub workspace_ids: BTreeSet<String>,
    /// Ids of workbooks: only their runs are exported. The form has no input for them; they come from an earlier export that
    /// a program asked for.
    pub entity_ids: BTreeSet<String>,
    /// Ids of the chosen fields.
    pub fields: BTreeSet<String>,
}

impl Choices {
    /// The last 30 days, all workspaces, every field.
    pub fn blank(now: DateTime<Utc>) -> Self {
        let preset = DatePreset::Last30Days;
        let today = now.date_naive();
        let (start, end) = preset.range(today, today);
        Self {
            preset: preset.id().to_owned(),
            start_date: day::iso(start),
            end_date: day::iso(end),
            all_workspaces: true,
            fields: FIELDS.iter().map(|info| info.id.to_owned()).collect(),
            ..Self::default()
        }
    }

    /// What an earlier export was asked for, and what of it the form cannot hold. `ids` are those that its request names, if
    /// they are still known.
    pub fn of_export(export: &DataExport, ids: Option<NamedIds>) -> (Self, Vec<String>) {
        let RequestSummary { fields, interval, scope, time_zone, .. } = &export.request;
        let mut notes = Vec::new();
        let zone = TimeZone::from_name_or_utc(time_zone.as_deref());
        let (start, end) = (zone.day_of(interval.start()), zone.day_of(interval.end()));
        let is_whole = zone.first_instant(start) == Some(interval.start())
            && zone.last_instant(end) == Some(interval.end());
        if !is_whole {
            let range = crate::views::dates::range(*interval, &zone);
            notes.push(format!("The earlier export covered {range}. This form exports whole days."));
        }
        if !fields.is_sorted_by_key(|field| FIELDS.iter().position(|info| info.field == *field)) {
            notes.push("The earlier export had its columns in another order than this form.".to_owned());
        }
        if ids.is_none() {
            notes.push(
                "The workspaces and workbooks of the earlier export are not known any more.".to_owned(),
            );
        }
        let all_workspaces = ids.is_some() && scope.looks_everywhere();
        let NamedIds { workspace_ids, entity_ids } = ids.unwrap_or_default();
        let choices = Self {
            start_date: day::iso(start),
            end_date: day::iso(end),
            time_zone: if zone.is_utc() { String::new() } else { zone.name().to_owned() },
            all_workspaces,
            shared_workspaces: scope.organization_workspaces,
            personal_workspaces: scope.personal_workspaces,
            workspace_ids,
            entity_ids,
            fields: fields.iter().map(|field| field.id().to_owned()).collect(),
            ..Self::default()
        };
        (choices, notes)
    }

    /// Takes an input of a form. Others than these are ignored.
    pub(super) fn take(&mut self, name: &str, value: String) {
        match name {
            "preset" => self.preset = value,
            "start_date" => self.start_date = value,
            "end_date" => self.end_date = value,
            "time_zone" => self.time_zone = value,
            "workspaces" => self.all_workspaces = value == "all",
            "shared_workspaces" => self.shared_workspaces = !value.is_empty(),
            "include_personal_workspaces" => self.personal_workspaces = true,
            "workspace_ids" => self.workspace_ids.extend(listed(&value)),
            "entity_ids" => drop(self.entity_ids.insert(value)),
            "export_fields" => drop(self.fields.insert(value)),
            _ => {}
        }
    }

    /// The preset that the dates are, if they are of one.
    pub fn date_preset(&self) -> Option<DatePreset> {
        DatePreset::from_id(&self.preset)
    }

    /// Counts the dates of a preset anew, from the day of `now`.
    pub fn count_dates(&mut self, now: DateTime<Utc>, first_day: NaiveDate) {
        if let (Some(preset), Some(zone)) = (self.date_preset(), TimeZone::from_name(&self.time_zone)) {
            let (start, end) = preset.range(zone.day_of(now), first_day);
            (self.start_date, self.end_date) = (day::iso(start), day::iso(end));
        }
    }
}

/// The ids of a list, one or many to a line, as people paste them.
fn listed(text: &str) -> impl Iterator<Item = String> {
    let ids = text.split(|c: char| c.is_whitespace() || SEPARATORS.contains(&c));
    ids.filter(|id| !id.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_saved_export_keeps_is_read_again_also_when_members_are_added() {
        let now = DateTime::from_timestamp(1_763_900_000, 0).unwrap();
        let choices = Choices { workspace_ids: ["wsp_1".to_owned()].into(), ..Choices::blank(now) };
        let json = serde_json::to_value(&choices).unwrap();
        assert_eq!(serde_json::from_value::<Choices>(json).unwrap(), choices);
        assert_eq!(serde_json::from_str::<Choices>("{}").unwrap(), Choices::default());
    }

    #[test]
    fn dates_of_a_preset_are_counted_from_the_day_of_their_time_zone() {
        let now = DateTime::parse_from_rfc3339("2026-01-01T02:00:00Z").unwrap().to_utc();
        let first_day = day::read("2020-01-01").unwrap();
        let preset = DatePreset::ThisMonth.id().to_owned();
        let mut choices = Choices { preset, time_zone: "America/New_York".to_owned(), ..Choices::default() };
        choices.count_dates(now, first_day);
        assert_eq!((choices.start_date.as_str(), choices.end_date.as_str()), ("2025-12-01", "2025-12-31"));
        let mut typed = Choices { start_date: "1/5/2025".to_owned(), ..Choices::default() };
        typed.count_dates(now, first_day);
        assert_eq!(typed.start_date, "1/5/2025");
    }
}
