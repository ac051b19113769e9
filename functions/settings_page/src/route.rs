//! Which part of the page a request is for.

use lambda_http::http::Method;

/// Where the page is.
pub const PAGE: &str = "/settings/organization/data_export";

/// What a request asks for. Ids are as the path has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<'a> {
    /// The page: form and history.
    Page,
    /// The form was sent.
    Submit,
    /// The sign-in form was sent.
    SignIn,
    /// The sign-out button.
    SignOut,
    /// Older exports, to be added to the history.
    Older,
    /// One export as a row of the history.
    Row(&'a str),
    /// The part of a row that changes while the export runs.
    Progress(&'a str),
    /// What an export was asked for.
    Details(&'a str),
    /// The file of an export.
    Download(&'a str),
    /// A file that the page is made of.
    Asset(&'a str),
    /// The path is known, but not with this method.
    WrongMethod,
    /// Nothing is there.
    Unknown,
}

impl<'a> Route<'a> {
    /// The route of a request.
    pub fn of(method: &Method, path: &'a str) -> Self {
        let Some(path) = path.strip_prefix(PAGE).filter(|rest| rest.is_empty() || rest.starts_with('/'))
        else {
            return Self::Unknown;
        };
        let segments: Vec<_> = path.trim_matches('/').split('/').collect();
        let (expected, route) = match segments[..] {
            [""] if method == Method::POST => return Self::Submit,
            [""] => (Method::GET, Self::Page),
            ["sign_in"] if method == Method::GET => return Self::Page,
            ["sign_in"] => (Method::POST, Self::SignIn),
            ["sign_out"] => (Method::POST, Self::SignOut),
            ["history"] => (Method::GET, Self::Older),
            ["exports", id, "row"] => (Method::GET, Self::Row(id)),
            ["exports", id, "progress"] => (Method::GET, Self::Progress(id)),
            ["exports", id, "details"] => (Method::GET, Self::Details(id)),
            ["exports", id, "download"] => (Method::GET, Self::Download(id)),
            ["assets", name] => (Method::GET, Self::Asset(name)),
            _ => return Self::Unknown,
        };
        if method == expected { route } else { Self::WrongMethod }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods_lead_to_routes() {
        let get = |path: &'static str| Route::of(&Method::GET, path);
        assert_eq!(get("/settings/organization/data_export"), Route::Page);
        assert_eq!(get("/settings/organization/data_export/"), Route::Page);
        assert_eq!(get("/settings/organization/data_export/exports/e1/download"), Route::Download("e1"));
        assert_eq!(get("/settings/organization/data_export/exports/e1"), Route::Unknown);
        assert_eq!(get("/settings/organization/data_exports"), Route::Unknown);
        assert_eq!(get("/settings/organization/data_export/sign_out"), Route::WrongMethod);
        assert_eq!(Route::of(&Method::POST, PAGE), Route::Submit);
        assert_eq!(Route::of(&Method::DELETE, PAGE), Route::WrongMethod);
    }
}
