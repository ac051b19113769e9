//! What a row is made of: which column comes from where.

use std::collections::BTreeSet;

use crate::parse::{AttributeKind, Attributes};

/// Where the cells of a column come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// The same text in every row of a page: an index into the constants that [`PageReader::new`] takes.
    ///
    /// [`PageReader::new`]: crate::PageReader::new
    Constant(usize),
    /// A string attribute. The cell is empty where a record lacks it, and begins with a `'` where a spreadsheet would run the
    /// text as a formula.
    Text(String),
    /// A number attribute, written as the exact decimal that is stored, without an exponent. The cell is empty where a
    /// record lacks it.
    Decimal(String),
    /// A string attribute that holds an ISO 8601 UTC time with milliseconds, such as `2025-01-31T09:30:00.000Z`. The
    /// cell is empty where a record lacks it.
    Timestamp(String),
    /// The time at the beginning of the sort key `<time>#<id>`.
    SortKeyTime,
    /// The id behind the `#` of the sort key `<time>#<id>`, as for [`Column::Text`].
    SortKeyId,
    /// A value that is not in the record: the caller looks it up by the id that a string attribute holds. See
    /// [`CellCache::insert`](crate::CellCache::insert).
    Joined {
        /// The string attribute with the id.
        attribute: String,
        /// Which of the values that are looked up for an id.
        value: usize,
    },
}

/// Why a layout cannot be built from the columns.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LayoutError {
    /// A row has at least one column.
    #[error("a row layout needs at least one column")]
    NoColumns,
    /// The columns need more attributes of a record than [`RowLayout::MAX_ATTRIBUTES`].
    #[error("a row layout needs more than {} attributes of a record", RowLayout::MAX_ATTRIBUTES)]
    TooManyAttributes,
    /// Two columns read one attribute as different types.
    #[error("the columns read the attribute {0} as two different types")]
    TwoTypes(String),
}

/// The columns of a file, prepared for writing: neighbouring columns whose cells have one source form a group, which is
/// copied in one piece.
///
/// ```
/// use query_csv::{Column, RowLayout};
///
/// let layout = RowLayout::new("SK", &[
///     Column::Constant(0),
///     Column::Text("customer_id".to_owned()),
///     Column::Joined { attribute: "customer_id".to_owned(), value: 0 },
///     Column::Decimal("amount".to_owned()),
/// ])?;
/// assert_eq!(layout.attributes().collect::<Vec<_>>(), ["SK", "customer_id", "amount"]);
/// assert_eq!(layout.joins().collect::<Vec<_>>(), ["customer_id"]);
/// # Ok::<_, query_csv::LayoutError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RowLayout {
    pub(crate) attributes: Attributes,
    pub(crate) groups: Vec<CellGroup>,
    /// Constants of each [`CellGroup::Constants`].
    pub(crate) constants: Vec<Vec<usize>>,
    pub(crate) joins: Vec<Join>,
    pub(crate) has_one_column: bool,
    /// Only records whose attribute (by index) has one of these values are written.
    pub(crate) only: Option<(usize, BTreeSet<Vec<u8>>)>,
    /// The attribute (by index) whose numbers are summed.
    pub(crate) summed: Option<usize>,
}

/// Cells of neighbouring columns that are written in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellGroup {
    /// Constants: an index into [`RowLayout::constants`].
    Constants(usize),
    /// A group of joined cells: indices into [`RowLayout::joins`] and [`Join::groups`].
    Joined { join: usize, group: usize },
    /// One cell, the text of the attribute with this index.
    Text(usize),
    /// One cell, the decimal or the time of the attribute with this index. It never needs quotes.
    Plain(usize),
    /// One cell, the time in the sort key.
    SortKeyTime,
    /// One cell, the id in the sort key.
    SortKeyId,
}

/// What is joined by the id in one attribute.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// Index of the attribute with the id.
    pub(crate) attribute: usize,
    /// The cells of each group.
    pub(crate) groups: Vec<Vec<JoinedCell>>,
}

/// A cell that depends on nothing but the id of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinedCell {
    /// The id.
    Id,
    /// A value that was looked up.
    Value(usize),
}

impl RowLayout {
    /// How many attributes of a record, the sort key among them, a layout can need. A parsed record is an array with an
    /// element for each, which stays on the stack.
    pub const MAX_ATTRIBUTES: usize = Attributes::MAX;

    /// Prepares the columns of a file. `sort_key` is the name of the table's sort key attribute, whose values have the
    /// form `<time>#<id>`.
    ///
    /// # Errors
    ///
    /// [`LayoutError`] if no layout can be built from the columns.
    pub fn new(sort_key: &str, columns: &[Column]) -> Result<Self, LayoutError> {
        let mut layout = Self {
            attributes: Attributes::new(sort_key),
            groups: Vec::new(),
            constants: Vec::new(),
            joins: Vec::new(),
            has_one_column: columns.len() == 1,
            only: None,
            summed: None,
        };
        if columns.is_empty() {
            return Err(LayoutError::NoColumns);
        }
        for neighbours in columns.chunk_by(have_one_source) {
            layout.add(neighbours)?;
        }
        Ok(layout)
    }

    /// Leaves out the records whose string attribute has none of these values. They are counted as
    /// [`Counts::left_out`](crate::Counts::left_out).
    ///
    /// # Errors
    ///
    /// [`LayoutError`] if the attribute cannot be read as well.
    pub fn only(
        mut self,
        attribute: &str,
        values: impl IntoIterator<Item = String>,
    ) -> Result<Self, LayoutError> {
        let attribute = self.attribute(attribute, AttributeKind::Text)?;
        self.only = Some((attribute, values.into_iter().map(String::into_bytes).collect()));
        Ok(self)
    }

    /// Sums the numbers of this attribute, usually that of a [`Column::Decimal`], over the records that become rows: see
    /// [`Page::sum`](crate::Page::sum). A record that lacks it adds nothing. Only one attribute is summed, the last one named.
    ///
    /// # Errors
    ///
    /// [`LayoutError`] if the attribute cannot be read as well.
    pub fn sum_of(mut self, attribute: &str) -> Result<Self, LayoutError> {
        self.summed = Some(self.attribute(attribute, AttributeKind::Decimal)?);
        Ok(self)
    }

    /// Names of the attributes that the layout needs, the sort key first: what a `ProjectionExpression` has to name.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.names()
    }

    /// The attributes by whose ids values are joined. The position in this list is the number of the join.
    pub fn joins(&self) -> impl Iterator<Item = &str> {
        self.joins.iter().map(|join| self.attributes.name(join.attribute))
    }

    /// Adds neighbouring columns that have one source.
    fn add(&mut self, neighbours: &[Column]) -> Result<(), LayoutError> {
        if neighbours.iter().any(|column| matches!(column, Column::Joined { .. })) {
            return self.add_joined(neighbours);
        }
        if matches!(neighbours, [Column::Constant(_), ..]) {
            let constants = neighbours.iter().filter_map(|column| match column {
                Column::Constant(index) => Some(*index),
                _ => None,
            });
            self.constants.push(constants.collect());
            self.groups.push(CellGroup::Constants(self.constants.len() - 1));
            return Ok(());
        }
        for column in neighbours {
            let group = match column {
                Column::Text(name) => CellGroup::Text(self.attribute(name, AttributeKind::Text)?),
                Column::Decimal(name) => CellGroup::Plain(self.attribute(name, AttributeKind::Decimal)?),
                Column::Timestamp(name) => CellGroup::Plain(self.attribute(name, AttributeKind::Timestamp)?),
                Column::SortKeyTime => CellGroup::SortKeyTime,
                _ => CellGroup::SortKeyId,
            };
            self.groups.push(group);
        }
        Ok(())
    }

    /// Adds neighbouring columns that are joined by one attribute, or are that attribute itself.
    fn add_joined(&mut self, neighbours: &[Column]) -> Result<(), LayoutError> {
        let name = neighbours.iter().find_map(id_attribute).unwrap_or_default();
        let attribute = self.attribute(name, AttributeKind::Text)?;
        let join = self.joins.iter().position(|join| join.attribute == attribute).unwrap_or_else(|| {
            self.joins.push(Join { attribute, groups: Vec::new() });
            self.joins.len() - 1
        });
        let cells = neighbours.iter().map(|column| match column {
            Column::Joined { value, .. } => JoinedCell::Value(*value),
            _ => JoinedCell::Id,
        });
        let groups = &mut self.joins[join].groups;
        groups.push(cells.collect());
        self.groups.push(CellGroup::Joined { join, group: groups.len() - 1 });
        Ok(())
    }

    fn attribute(&mut self, name: &str, kind: AttributeKind) -> Result<usize, LayoutError> {
        self.attributes.add(name, kind).ok_or_else(|| {
            if self.attributes.has(name) {
                LayoutError::TwoTypes(name.to_owned())
            } else {
                LayoutError::TooManyAttributes
            }
        })
    }
}

/// The attribute by which a column's cells could be joined.
fn id_attribute(column: &Column) -> Option<&str> {
    match column {
        Column::Text(name) | Column::Joined { attribute: name, .. } => Some(name),
        _ => None,
    }
}

fn have_one_source(one: &Column, next: &Column) -> bool {
    if cfg!(feature = "ablate_cell_groups") {
        return false;
    }
    match (one, next) {
        (Column::Constant(_), Column::Constant(_)) => true,
        _ => id_attribute(one).is_some() && id_attribute(one) == id_attribute(next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> Column {
        Column::Text(name.to_owned())
    }

    fn joined(attribute: &str, value: usize) -> Column {
        Column::Joined { attribute: attribute.to_owned(), value }
    }

    #[test]
    fn neighbouring_columns_with_one_source_form_a_group() {
        let columns = [
            Column::Constant(1),
            Column::Constant(0),
            text("a"),
            joined("a", 1),
            text("b"),
            text("b"),
            Column::SortKeyId,
            joined("a", 0),
            Column::Constant(1),
        ];
        let layout = RowLayout::new("SK", &columns).unwrap();
        assert_eq!(
            layout.groups,
            [
                CellGroup::Constants(0),
                CellGroup::Joined { join: 0, group: 0 },
                CellGroup::Text(2),
                CellGroup::Text(2),
                CellGroup::SortKeyId,
                CellGroup::Joined { join: 0, group: 1 },
                CellGroup::Constants(1),
            ]
        );
        assert_eq!(layout.constants, [vec![1, 0], vec![1]]);
        assert_eq!(
            layout.joins[0].groups,
            [vec![JoinedCell::Id, JoinedCell::Value(1)], vec![JoinedCell::Value(0)]]
        );
    }

    #[test]
    fn invalid_columns_are_refused() {
        let error = |columns: &[Column]| RowLayout::new("SK", columns).unwrap_err();
        assert_eq!(error(&[]), LayoutError::NoColumns);
        let two_types = [text("a"), Column::Decimal("a".to_owned())];
        assert_eq!(error(&two_types), LayoutError::TwoTypes("a".to_owned()));
        assert_eq!(error(&[text("SK")]), LayoutError::TwoTypes("SK".to_owned()));
        let many: Vec<_> = (0..RowLayout::MAX_ATTRIBUTES).map(|index| text(&format!("a{index}"))).collect();
        assert_eq!(error(&many), LayoutError::TooManyAttributes);
        assert!(RowLayout::new("SK", &many[1..]).is_ok());
    }
}
