//! The table of `matrix.txt`: read, and written as it is read.

use std::fmt;

use crate::callers::CALLERS;

/// All rows.
pub struct Matrix {
    pub rows: Vec<Row>,
}

/// A request about somebody's thing, and the status that each caller gets.
#[derive(Clone)]
pub struct Row {
    pub method: String,
    /// The address with `{export}`, `{saved}`, `{workspace}` or `{user}` in the place of an id, which a form or body may have too.
    pub path: String,
    pub whose: Whose,
    pub statuses: Vec<u16>,
}

/// Whose the thing is that a request names, as its caller sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    Own,
    /// Of another user of the organization.
    Users,
    /// Of another organization.
    Organizations,
    /// There is none.
    Missing,
}

const WHOSE: [(&str, Whose); 4] = [
    ("own", Whose::Own),
    ("other-user", Whose::Users),
    ("other-org", Whose::Organizations),
    ("missing", Whose::Missing),
];

impl Matrix {
    /// Reads the table. Lines that begin with `#` are for people, but the names of the columns have to be those of [`CALLERS`].
    pub fn read(text: &str) -> Self {
        let (comments, rows): (Vec<_>, Vec<_>) =
            text.lines().filter(|line| !line.trim().is_empty()).partition(|line| line.starts_with('#'));
        let names: Vec<_> = CALLERS.iter().map(|(_, head)| *head).collect();
        let is_header =
            |line: &&&str| line.trim_start_matches('#').split_whitespace().skip(3).eq(names.iter().copied());
        assert!(comments.iter().any(|line| is_header(&line)), "no line names the columns {names:?}");
        Self { rows: rows.into_iter().map(Row::read).collect() }
    }
}

impl Row {
    fn read(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let mut word = || words.next().unwrap_or_else(|| panic!("too short: {line}"));
        let (method, path, whose) = (word().to_owned(), word().to_owned(), word());
        let whose =
            WHOSE.into_iter().find(|(name, _)| *name == whose).unwrap_or_else(|| panic!("whose? {line}")).1;
        let statuses: Vec<_> = words.map(|status| status.parse().unwrap()).collect();
        assert_eq!(statuses.len(), CALLERS.len(), "{line}");
        Self { method, path, whose, statuses }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = WHOSE.into_iter().find(|(_, whose)| *whose == self.whose).map_or("", |(name, _)| name);
        write!(formatter, "{:4} {:66} {whose:10}", self.method, self.path)
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            write!(formatter, "{row}")?;
            for ((_, head), status) in CALLERS.iter().zip(&row.statuses) {
                write!(formatter, " {status:<width$}", width = head.len())?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}
