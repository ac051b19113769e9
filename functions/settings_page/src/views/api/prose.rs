//! Text in which backticks mark code.

/// A text, cut at its backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prose(Vec<Piece>);

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub is_code: bool,
}

impl Prose {
    /// Cuts the text: what stands between two backticks is code.
    pub fn of(text: &str) -> Self {
        let pieces = text.split('`').enumerate();
        let pieces = pieces.map(|(index, text)| Piece { text: text.to_owned(), is_code: index % 2 == 1 });
        Self(pieces.filter(|piece| !piece.text.is_empty()).collect())
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_mark_code() {
        let prose = Prose::of("`true` also sets `b`.");
        let pieces: Vec<_> =
            prose.pieces().iter().map(|piece| (piece.text.as_str(), piece.is_code)).collect();
        assert_eq!(pieces, [("true", true), (" also sets ", false), ("b", true), (".", false)]);
        assert!(Prose::of("").pieces().is_empty());
    }
}
