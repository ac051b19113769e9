//! Who may export.

/// An administrator who may export their organization's data. Only [`authorize`](super::authorize) makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The organization whose data may be exported.
    pub organization_id: String,
    /// The organization's name.
    pub organization_name: String,
    /// The user for whom the request acts.
    pub user_id: String,
    /// The user's last known email address. It is personal data: never log it.
    pub email: String,
}
