//! The pages before somebody is signed in.

use askama::Template;

use super::layout::Layout;

/// The sign-in form: values of `sign_in.html`.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage<'a> {
    layout: Layout,
    user_id: &'a str,
    /// The address to go to afterwards.
    next: &'a str,
    error: Option<&'a str>,
    /// An export form that was sent without a session, to be shown again afterwards; empty if there is none.
    kept_form: &'a str,
}

impl<'a> SignInPage<'a> {
    /// The form with the user id that was typed, if any, and what is wrong with it.
    pub fn new(user_id: &'a str, next: &'a str, error: Option<&'a str>) -> Self {
        Self { layout: Layout::anonymous(), user_id, next, error, kept_form: "" }
    }

    /// With an export form that is shown again afterwards.
    pub fn keeping(self, kept_form: &'a str) -> Self {
        Self { kept_form, ..self }
    }
}

/// A page that sends the browser on at once, so that the next request comes from the page itself and not from the other
/// site whose link was followed: values of `entering.html`.
#[derive(Debug, Template)]
#[template(path = "entering.html")]
pub struct EnteringPage<'a> {
    layout: Layout,
    location: &'a str,
}

impl<'a> EnteringPage<'a> {
    /// Leads to `location`.
    pub fn new(location: &'a str) -> Self {
        Self { layout: Layout::anonymous(), location }
    }
}
