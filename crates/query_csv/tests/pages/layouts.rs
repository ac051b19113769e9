//! Two layouts of records that have nothing in common but the form of the sort key.

use std::sync::Arc;

use query_csv::{Column, RowLayout};

pub const SORT_KEY: &str = "SK";

/// One column each.
pub fn text(attribute: &str) -> Column {
    Column::Text(attribute.to_owned())
}

pub fn decimal(attribute: &str) -> Column {
    Column::Decimal(attribute.to_owned())
}

pub fn timestamp(attribute: &str) -> Column {
    Column::Timestamp(attribute.to_owned())
}

pub fn joined(attribute: &str, value: usize) -> Column {
    Column::Joined { attribute: attribute.to_owned(), value }
}

/// Calls of machines: a place, two ids with joined values, a duration.
pub fn calls() -> Vec<Column> {
    vec![
        Column::Constant(0),
        Column::Constant(1),
        text("machine_id"),
        joined("machine_id", 0),
        joined("machine_id", 1),
        text("person_id"),
        joined("person_id", 0),
        Column::SortKeyId,
        decimal("price"),
        Column::SortKeyTime,
        timestamp("ended"),
    ]
}

/// A ledger: amounts and balances of accounts, as another table has them.
pub fn ledger() -> Vec<Column> {
    vec![
        Column::SortKeyTime,
        text("category"),
        decimal("amount"),
        decimal("balance"),
        joined("person_id", 1),
        Column::SortKeyId,
        text("machine_id"),
        timestamp("booked"),
    ]
}

/// The layout of these columns, with the sum of an attribute.
pub fn layout_with_sum(columns: &[Column], attribute: &str) -> Arc<RowLayout> {
    let layout = RowLayout::new(SORT_KEY, columns).expect("a layout");
    Arc::new(layout.sum_of(attribute).expect("an attribute that can be summed"))
}

pub fn layout(columns: &[Column]) -> Arc<RowLayout> {
    Arc::new(RowLayout::new(SORT_KEY, columns).expect("a layout"))
}
