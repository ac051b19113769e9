//! What a row of usage runs is made of.

use std::collections::BTreeSet;

use query_csv::{Column, LayoutError, RowLayout};
use usage_export::usage::Field;

/// The table's sort key, `<start>#<run id>`.
const SORT_KEY: &str = "SK";
/// The attribute with the id of the workbook that ran. Its name and creation time are joined from the directory.
pub const WORKBOOK_ID: &str = "workbook_id";
/// The attribute with the id of the user who ran it. The email address is joined from the directory.
pub const USER_ID: &str = "user_id";

/// The attribute with the exact decimal of what it cost.
const CREDIT_COST: &str = "credit_cost";
/// The attribute with the time at which it finished.
const FINISHED_TS: &str = "finished_ts";

/// The row layout of an export with these fields. With `workbook_ids`, runs of other workbooks are left out.
///
/// The constants of its pages are the workspace's id and name. The values that are joined by [`WORKBOOK_ID`] are name and
/// creation time; the one that is joined by [`USER_ID`] is the email address. If the cost is among the fields, each page has
/// its sum.
///
/// # Errors
///
/// [`LayoutError`] if there are no fields, which a parsed request excludes.
///
/// ```
/// use usage_records::layout::row_layout;
/// use usage_export::usage::Field;
///
/// let layout = row_layout(&[Field::RunId, Field::UserEmail], &["wbk_1".to_owned()].into())?;
/// assert_eq!(layout.attributes().collect::<Vec<_>>(), ["SK", "user_id", "workbook_id"]);
/// assert_eq!(layout.joins().collect::<Vec<_>>(), ["user_id"]);
/// # Ok::<_, query_csv::LayoutError>(())
/// ```
pub fn row_layout(fields: &[Field], workbook_ids: &BTreeSet<String>) -> Result<RowLayout, LayoutError> {
    let columns: Vec<_> = fields.iter().map(|field| column(*field)).collect();
    let mut layout = RowLayout::new(SORT_KEY, &columns)?;
    if fields.contains(&Field::CreditCost) {
        layout = layout.sum_of(CREDIT_COST)?;
    }
    if workbook_ids.is_empty() { Ok(layout) } else { layout.only(WORKBOOK_ID, workbook_ids.iter().cloned()) }
}

fn column(field: Field) -> Column {
    let joined = |attribute: &str, value| Column::Joined { attribute: attribute.to_owned(), value };
    match field {
        Field::WorkspaceId => Column::Constant(0),
        Field::WorkspaceName => Column::Constant(1),
        Field::WorkbookId => Column::Text(WORKBOOK_ID.to_owned()),
        Field::WorkbookName => joined(WORKBOOK_ID, 0),
        Field::WorkbookCreatedTs => joined(WORKBOOK_ID, 1),
        Field::UserId => Column::Text(USER_ID.to_owned()),
        Field::UserEmail => joined(USER_ID, 0),
        Field::RunId => Column::SortKeyId,
        Field::CreditCost => Column::Decimal(CREDIT_COST.to_owned()),
        Field::PlRunCreatedTs => Column::SortKeyTime,
        Field::PlRunFinishedTs => Column::Timestamp(FINISHED_TS.to_owned()),
    }
}

/// The attribute without which a cell of this field is empty. `None` if every record has the cell.
pub fn attribute_of(field: Field) -> Option<&'static str> {
    match field {
        Field::WorkbookId | Field::WorkbookName | Field::WorkbookCreatedTs => Some(WORKBOOK_ID),
        Field::UserId | Field::UserEmail => Some(USER_ID),
        Field::CreditCost => Some(CREDIT_COST),
        Field::PlRunFinishedTs => Some(FINISHED_TS),
        Field::WorkspaceId | Field::WorkspaceName | Field::RunId | Field::PlRunCreatedTs => None,
    }
}
