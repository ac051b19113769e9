//! The settings page over plain HTTP, with the requests that a browser makes.

use reqwest::Url;

use crate::api::{Answer, Call};
use crate::org::Caller;
use crate::system::system;

/// Path of the page.
pub const PAGE: &str = "/settings/organization/data_export";

/// Someone who is signed in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The cookie of the session, in the form in which a browser sends it.
    pub cookie: String,
}

impl Visitor {
    pub async fn sign_in(caller: &Caller) -> Self {
        let answer = send_sign_in(&caller.user_id, &caller.key).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { cookie }
    }

    /// Asks for the page with a query such as `?again=…`, or for a path below it such as `/exports/…`.
    pub async fn get(&self, rest: &str) -> Answer {
        get_page(rest).with_header("cookie", &self.cookie).send().await
    }

    /// Sends a form of the page.
    pub async fn post(&self, rest: &str, fields: &[(&str, &str)]) -> Answer {
        post_form(rest, fields)
            .with_header("origin", &system().outputs.api_url)
            .with_header("cookie", &self.cookie)
            .send()
            .await
    }
}

pub async fn send_sign_in(user_id: &str, key: &str) -> Answer {
    let fields = [("user_id", user_id), ("api_key", key)];
    post_form("/sign_in", &fields).with_header("origin", &system().outputs.api_url).send().await
}

/// A request for the page with a query, or for a path below it.
pub fn get_page(rest: &str) -> Call {
    let url = Url::parse(&format!("http://page{PAGE}{rest}")).unwrap();
    let parameters: Vec<_> = url.query_pairs().collect();
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
    Call::get(url.path(), &parameters)
}

/// A form of the page as a browser sends it, but without the header `Origin`.
pub fn post_form(rest: &str, fields: &[(&str, &str)]) -> Call {
    let mut form = Url::parse("form:").unwrap();
    form.query_pairs_mut().extend_pairs(fields);
    let form = form.query().unwrap_or_default().to_owned();
    Call::post_as(&format!("{PAGE}{rest}"), form, "application/x-www-form-urlencoded")
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
