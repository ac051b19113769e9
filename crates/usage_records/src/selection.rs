//! What an export reads of each partition, and what its rows are made of.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use query_csv::{BufferPool, CellCache, LayoutError, RowLayout};
use usage_export::dynamo::text;
use usage_export::export::interval::Interval;
use usage_export::usage::Field;

use crate::layout::{WORKBOOK_ID, row_layout};

/// How many ids a `FilterExpression` can hold: `IN` takes no more operands.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters>
const MAX_FILTERED_IDS: usize = 100;

/// What to read from each partition and how to write it. All pages of a file share it.
#[derive(Debug)]
pub struct Selection {
    /// The interval in which the runs started.
    pub interval: Interval,
    /// Where the cells of a row come from.
    pub layout: Arc<RowLayout>,
    /// Cells of workbooks and users that were looked up.
    pub cells: Arc<CellCache>,
    /// Memory of rows that were sent.
    pub pool: Arc<BufferPool>,
    /// Whether runs of other workbooks are left out.
    pub leaves_out: bool,
    /// A `ProjectionExpression`: only attributes that a column needs are sent. It costs the same read capacity.
    pub projection: String,
    /// A `FilterExpression` and its values, so that DynamoDB leaves out the runs of other workbooks. `None` when all runs
    /// are wanted, or when there are more workbooks than it can hold: the row layout leaves them out then. It costs the same
    /// read capacity.
    pub filter: Option<(String, HashMap<String, AttributeValue>)>,
}

impl Selection {
    /// For a file with these fields, of the runs that started in the interval; with `workbook_ids`, of theirs only.
    ///
    /// # Errors
    ///
    /// [`LayoutError`] if there are no fields, which a parsed request excludes.
    pub fn new(
        interval: Interval,
        fields: &[Field],
        workbook_ids: &BTreeSet<String>,
    ) -> Result<Self, LayoutError> {
        let layout = row_layout(fields, workbook_ids)?;
        let projection = layout.attributes().collect::<Vec<_>>().join(", ");
        let cells = Arc::new(CellCache::new(&layout));
        let (layout, pool) = (Arc::new(layout), Arc::default());
        let (leaves_out, filter) = (!workbook_ids.is_empty(), filter(workbook_ids));
        Ok(Self { interval, layout, cells, pool, leaves_out, projection, filter })
    }
}

fn filter(workbook_ids: &BTreeSet<String>) -> Option<(String, HashMap<String, AttributeValue>)> {
    if workbook_ids.is_empty() || workbook_ids.len() > MAX_FILTERED_IDS {
        return None;
    }
    let values = workbook_ids.iter().enumerate().map(|(index, id)| (format!(":w{index}"), text(id)));
    let values: HashMap<_, _> = values.collect();
    let names: Vec<_> = values.keys().map(String::as_str).collect();
    Some((format!("{WORKBOOK_ID} IN ({})", names.join(", ")), values))
}
