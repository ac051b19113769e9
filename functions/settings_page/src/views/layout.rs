//! The layout: what every whole page has around its content.

use usage_export::auth::Caller;
use usage_export::wording::one_line;

use crate::assets;
use crate::path::PAGE;

/// Values of `layout.html`.
#[derive(Debug)]
pub struct Layout {
    /// File name of the script.
    pub script: &'static str,
    /// File name of the style sheet.
    pub style_sheet: &'static str,
    /// Path of the page, to which links and forms lead.
    pub page: &'static str,
    /// Who is signed in; `None` on pages that are shown to everybody.
    pub signed_in: Option<User>,
}

/// The user whom the header names.
#[derive(Debug)]
pub struct User {
    /// Their email address.
    pub email: String,
    /// Name of their organization.
    pub organization: String,
}

impl User {
    /// The name of the organization where there can be no markup that ends what it does to the direction of text.
    pub fn organization_as_text(&self) -> String {
        one_line(&self.organization)
    }
}

impl Layout {
    /// For a page that needs nobody signed in.
    pub fn anonymous() -> Self {
        Self {
            script: assets::SCRIPT.name,
            style_sheet: assets::STYLE_SHEET.name,
            page: PAGE,
            signed_in: None,
        }
    }

    /// For a page of this caller.
    pub fn signed_in(caller: &Caller) -> Self {
        let user = User { email: caller.email.clone(), organization: caller.organization_name.clone() };
        Self { signed_in: Some(user), ..Self::anonymous() }
    }
}
