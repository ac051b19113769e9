//! Which attributes of a record are read, and as what.

/// How an attribute's value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttributeKind {
    /// The table's sort key, a string `<time>#<id>`.
    SortKey,
    /// A string.
    Text,
    /// A number.
    Decimal,
    /// A string that holds a time.
    Timestamp,
    /// Any value: nobody asked for this attribute.
    Ignored,
}

/// The attributes that are read, each with an index. The index of the sort key is [`Attributes::SORT_KEY`].
#[derive(Debug, Clone)]
pub(crate) struct Attributes(Vec<(String, AttributeKind)>);

impl Attributes {
    /// How many there can be.
    pub(crate) const MAX: usize = 15;
    /// How many values a parsed record has: one for each attribute, and one more that takes whatever is ignored.
    pub(crate) const VALUES: usize = Self::MAX + 1;
    /// The index of the sort key.
    pub(crate) const SORT_KEY: usize = 0;
    /// The index under which ignored values go.
    const IGNORED: usize = Self::MAX;

    /// Only the sort key.
    pub(crate) fn new(sort_key: &str) -> Self {
        Self(vec![(sort_key.to_owned(), AttributeKind::SortKey)])
    }

    /// Adds an attribute unless it is there, and returns its index. Returns `None` when it is there as another kind, or
    /// when [`Attributes::MAX`] attributes are read already.
    pub(crate) fn add(&mut self, name: &str, kind: AttributeKind) -> Option<usize> {
        match self.0.iter().position(|(known, _)| known == name) {
            Some(index) => (self.0[index].1 == kind).then_some(index),
            None if self.0.len() == Self::MAX => None,
            None => {
                self.0.push((name.to_owned(), kind));
                Some(self.0.len() - 1)
            }
        }
    }

    /// Whether an attribute of this name is read.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// The names in the order of their indices.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The name of the attribute with this index.
    pub(crate) fn name(&self, index: usize) -> &str {
        &self.0[index].0
    }

    /// Index, name and kind of each attribute that is read.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &str, AttributeKind)> {
        self.0.iter().enumerate().map(|(index, (name, kind))| (index, name.as_str(), *kind))
    }

    /// Index and kind of the attribute with this name, also of one that is ignored.
    pub(crate) fn find(&self, name: &[u8]) -> (usize, AttributeKind) {
        let position = self.0.iter().position(|(known, _)| known.as_bytes() == name);
        position.map_or((Self::IGNORED, AttributeKind::Ignored), |index| (index, self.0[index].1))
    }
}
