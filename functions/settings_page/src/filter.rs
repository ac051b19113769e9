//! What the reader of the history looks for.

use usage_export::export::{DataExport, State};

use crate::request::parameter;
use crate::views::row::Row;

/// The longest text that is searched for, in characters.
const MAX_SEARCH_CHARS: usize = 100;

/// Which exports of the organization the history shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Words that a row must have, as they were typed.
    pub search: String,
    /// Only exports in these states.
    pub status: StatusFilter,
    /// Only the reader's own exports.
    pub mine: bool,
}

/// Exports in which states are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StatusFilter {
    /// In any state.
    #[default]
    Any,
    /// Neither finished nor given up.
    Open,
    /// Completed, expired ones too.
    Completed,
    /// Failed or cancelled.
    Failed,
}

impl StatusFilter {
    /// In the order of the page.
    pub const ALL: [Self; 4] = [Self::Any, Self::Open, Self::Completed, Self::Failed];

    /// Its value in addresses.
    pub fn id(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Its text in the list of choices.
    pub fn label(self) -> &'static str {
        match self {
            Self::Any => "Any status",
            Self::Open => "In progress",
            Self::Completed => "Completed",
            Self::Failed => "Failed or cancelled",
        }
    }
}

impl HistoryFilter {
    /// Reads the parameters of an address. What is unknown filters nothing.
    pub fn read(query: Option<&str>) -> Self {
        let status = parameter(query, "status").unwrap_or_default();
        let search = parameter(query, "q").unwrap_or_default();
        Self {
            search: search.trim().chars().take(MAX_SEARCH_CHARS).collect(),
            status: StatusFilter::ALL.into_iter().find(|filter| filter.id() == status).unwrap_or_default(),
            mine: parameter(query, "who").is_some_and(|who| who == "me"),
        }
    }

    /// Whether it leaves nothing out.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an export is in one of the states that are shown.
    pub fn takes(&self, export: &DataExport) -> bool {
        match self.status {
            StatusFilter::Any => true,
            StatusFilter::Open => !export.state.is_final(),
            StatusFilter::Completed => export.state == State::Completed,
            StatusFilter::Failed => export.state == State::Failed,
        }
    }

    /// Whether a row has all words that are searched for.
    pub fn finds(&self, row: &Row) -> bool {
        if self.search.is_empty() {
            return true;
        }
        let name = row.name.as_deref().unwrap_or_default();
        let note = row.note.as_deref().unwrap_or_default();
        let text =
            [&row.id, &row.range, &row.about, &row.requested_by, &row.created.text, name, note].map(fold);
        let text = text.join("\n");
        self.search.split_whitespace().all(|word| text.contains(&fold(word)))
    }

    /// The parameters that select it, to be followed by others: empty, or `&q=…&status=…&who=me`.
    pub fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.search.is_empty() {
            query.append_pair("q", &self.search);
        }
        if self.status != StatusFilter::Any {
            query.append_pair("status", self.status.id());
        }
        if self.mine {
            query.append_pair("who", "me");
        }
        let query = query.finish();
        if query.is_empty() { query } else { format!("&{query}") }
    }
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_a_filter_writes_is_read_as_that_filter() {
        for status in StatusFilter::ALL {
            for mine in [true, false] {
                let filter = HistoryFilter { search: "März & <b>".to_owned(), status, mine };
                let query = format!("cursor=1{}", filter.to_query());
                assert_eq!(HistoryFilter::read(Some(&query)), filter, "{query}");
            }
        }
        assert_eq!(HistoryFilter::default().to_query(), "");
    }

    #[test]
    fn unknown_values_filter_nothing() {
        assert!(HistoryFilter::read(Some("status=DELETED&who=someone&q=%20")).is_empty());
        assert!(HistoryFilter::read(None).is_empty());
        let long = HistoryFilter::read(Some(&format!("q={}", "a".repeat(5_000))));
        assert_eq!(long.search.len(), MAX_SEARCH_CHARS);
    }
}
