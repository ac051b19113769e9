//! Reads the tables of a Markdown document.

use anyhow::{Context, Result};

/// A row of a table: the head of each column with the cell below it.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    cells: Vec<(&'a str, &'a str)>,
}

impl<'a> Row<'a> {
    /// The cell of a column, if the table has that column.
    pub fn cell(&self, column: &str) -> Option<&'a str> {
        self.cells.iter().find(|(head, _)| *head == column).map(|(_, cell)| *cell)
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub fn text(&self, column: &str) -> Result<&'a str> {
        self.cell(column).with_context(|| format!("a table has no column {column}"))
    }

    /// The cell of a column as a whole number.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub fn number(&self, column: &str) -> Result<u128> {
        let text = self.text(column)?;
        text.parse().with_context(|| format!("{column} is {text:?}"))
    }
}

/// All rows of all tables of a document.
pub fn rows_of_tables(text: &str) -> impl Iterator<Item = Row<'_>> {
    let mut heads: Option<Vec<&str>> = None;
    text.lines().filter_map(move |line| {
        let Some(cells) = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            heads = None;
            return None;
        };
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        match &heads {
            None => {
                heads = Some(cells);
                None
            }
            Some(heads) => Some(Row { cells: heads.iter().copied().zip(cells).collect() }),
        }
    })
}

/// A decimal such as `16.48` in hundredths.
///
/// # Errors
///
/// Fails if it is none, or has not two digits behind the point.
pub fn hundredths(text: &str) -> Result<u128> {
    let digits = text.split_once('.').filter(|(_, behind)| behind.len() == 2);
    let number = digits.and_then(|(before, behind)| format!("{before}{behind}").parse().ok());
    number.with_context(|| format!("{text:?} is not a number with two digits behind the point"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_by_the_heads_of_their_own_table() {
        let text = "| a | b |\n| --- | --: |\n| x | 1 |\n\ntext\n\n| b | a |\n| --- | --- |\n| 2 | y |\n";
        let cells: Vec<_> = rows_of_tables(text).map(|row| (row.cell("a"), row.number("b").ok())).collect();
        assert_eq!(cells[1], (Some("x"), Some(1)));
        assert_eq!(cells.last(), Some(&(Some("y"), Some(2))));
    }

    #[test]
    fn decimals_have_two_digits() {
        assert_eq!(hundredths("16.48").unwrap(), 1648);
        assert!(hundredths("16.5").is_err() && hundredths("16").is_err() && hundredths("a.bc").is_err());
    }
}
