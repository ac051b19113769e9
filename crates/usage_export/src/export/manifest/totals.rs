//! What the rows of a file add up to.

use std::collections::BTreeMap;

use decimal_sum::DecimalSum;
use serde::{Deserialize, Serialize};

#[cfg(feature = "schema")]
use crate::schema;
use crate::usage::{Field, Month};

/// Rows and their exact cost: in total, for each workspace, and for each UTC month in which runs started. Workspaces and
/// months without a row are not listed.
///
/// ```
/// use usage_export::export::manifest::Totals;
/// use usage_export::usage::Field;
///
/// let mut totals = Totals::new(&[Field::RunId, Field::CreditCost]);
/// totals.add("wsp_1", "2025-01".parse()?, 2, &"0.1".parse()?);
/// totals.add("wsp_2", "2025-01".parse()?, 3, &"0.2".parse()?);
/// let january = &totals.months[&"2025-01".parse()?];
/// assert_eq!((january.rows, january.credit_cost.clone()), (5, Some("0.3".parse()?)));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(description = "Rows and their exact cost. Workspaces and months without a row are not listed.")
)]
pub struct Totals {
    /// Of the whole file.
    pub total: Total,
    /// By workspace id.
    pub workspaces: BTreeMap<String, Total>,
    /// By month.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<schema::Month, Total>"))]
    pub months: BTreeMap<Month, Total>,
}

/// Some rows and their exact cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Total {
    /// How many rows.
    pub rows: u64,
    /// The sum of `credit_cost`, a string in JSON; absent if the file has no such column. Empty cells add nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Decimal>"))]
    pub credit_cost: Option<DecimalSum>,
}

impl Totals {
    /// Nothing yet. Costs are summed only if they are among the fields.
    pub fn new(fields: &[Field]) -> Self {
        let total = Total::new(fields.contains(&Field::CreditCost));
        Self { total, workspaces: BTreeMap::new(), months: BTreeMap::new() }
    }

    /// Adds rows of one workspace and month, usually those of a page. `credit_cost` is their sum; it is ignored if the
    /// file has no such column.
    pub fn add(&mut self, workspace_id: &str, month: Month, rows: u64, credit_cost: &DecimalSum) {
        if rows == 0 {
            return;
        }
        let nothing = Total::new(self.total.credit_cost.is_some());
        let workspace = self.workspaces.entry(workspace_id.to_owned()).or_insert_with(|| nothing.clone());
        let month = self.months.entry(month).or_insert(nothing);
        for total in [&mut self.total, workspace, month] {
            total.rows += rows;
            if let Some(sum) = &mut total.credit_cost {
                *sum += credit_cost;
            }
        }
    }

    /// Adds the rows of another part of the file.
    pub(super) fn add_all(&mut self, other: &Self) {
        let nothing = Total::new(self.total.credit_cost.is_some());
        self.total.add(&other.total);
        for (workspace_id, total) in &other.workspaces {
            self.workspaces.entry(workspace_id.clone()).or_insert_with(|| nothing.clone()).add(total);
        }
        for (month, total) in &other.months {
            self.months.entry(*month).or_insert_with(|| nothing.clone()).add(total);
        }
    }
}

impl Total {
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        if let (Some(sum), Some(other)) = (&mut self.credit_cost, &other.credit_cost) {
            *sum += other;
        }
    }

    fn new(has_credit_cost: bool) -> Self {
        Self { rows: 0, credit_cost: has_credit_cost.then(DecimalSum::default) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows and cost of a page: workspace, month of 2025, rows, cost.
    type Page = (String, u32, u64, DecimalSum);

    fn page() -> impl Strategy<Value = Page> {
        let cost = "-?[0-9]{1,30}(\\.[0-9]{1,10})?".prop_map(|cost| cost.parse().unwrap());
        ("wsp_[1-4]", 1_u32..=12, 1_u64..5_000, cost)
    }

    fn totals(fields: &[Field], pages: &[Page]) -> Totals {
        let mut totals = Totals::new(fields);
        for (workspace_id, month, rows, cost) in pages {
            totals.add(workspace_id, format!("2025-{month:02}").parse().unwrap(), *rows, cost);
        }
        totals
    }

    proptest! {
        #[test]
        fn workspaces_and_months_add_up_to_the_total(pages in proptest::collection::vec(page(), 0..30)) {
            let totals = totals(&[Field::CreditCost], &pages);
            let workspaces: Vec<_> = totals.workspaces.into_values().collect();
            let months: Vec<_> = totals.months.into_values().collect();
            for parts in [workspaces, months] {
                prop_assert_eq!(parts.iter().map(|part| part.rows).sum::<u64>(), totals.total.rows);
                let sum: DecimalSum = parts.iter().filter_map(|part| part.credit_cost.as_ref()).sum();
                prop_assert_eq!(Some(sum), totals.total.credit_cost.clone());
            }
        }

        #[test]
        fn totals_of_segments_add_up_to_those_of_the_file(
            pages in proptest::collection::vec(page(), 0..30),
            cut in 0_usize..30,
        ) {
            let whole = totals(&[Field::CreditCost], &pages);
            let (first, second) = pages.split_at(cut.min(pages.len()));
            let mut joined = totals(&[Field::CreditCost], first);
            joined.add_all(&totals(&[Field::CreditCost], second));
            prop_assert_eq!(joined, whole);
        }

        #[test]
        fn totals_have_the_same_json_however_they_were_added(pages in proptest::collection::vec(page(), 0..30)) {
            let in_order = totals(&[Field::CreditCost], &pages);
            let backwards = totals(&[Field::CreditCost], &pages.into_iter().rev().collect::<Vec<_>>());
            let json = serde_json::to_string(&in_order).unwrap();
            prop_assert_eq!(&serde_json::to_string(&backwards).unwrap(), &json);
            prop_assert_eq!(serde_json::from_str::<Totals>(&json).unwrap(), in_order);
        }
    }

    #[test]
    fn costs_are_summed_only_if_they_are_among_the_fields() {
        let pages = [("wsp_1".to_owned(), 1, 2, "0.5".parse().unwrap())];
        let without = serde_json::to_value(totals(&[Field::RunId], &pages)).unwrap();
        let rows = serde_json::json!({"rows": 2});
        assert_eq!(
            without,
            serde_json::json!({"total": rows, "workspaces": {"wsp_1": rows}, "months": {"2025-01": rows}})
        );
        let nothing = serde_json::to_value(totals(&[Field::CreditCost], &[])).unwrap();
        let none = serde_json::json!({"rows": 0, "credit_cost": "0"});
        assert_eq!(nothing, serde_json::json!({"total": none, "workspaces": {}, "months": {}}));
    }

    #[test]
    fn a_page_without_rows_lists_no_workspace_and_no_month() {
        let pages = [("wsp_1".to_owned(), 1, 0, DecimalSum::default())];
        assert_eq!(totals(&[Field::CreditCost], &pages), Totals::new(&[Field::CreditCost]));
    }
}
