//! The settings page over plain HTTP, with the requests that a browser makes.

use chrono::TimeDelta;
use reqwest::Url;

use crate::api::{Answer, Call};
use crate::org::{Caller, TestOrg, put_directory, sha256};
use crate::random_id;
use crate::records::timestamp;
use crate::system::{now, system};

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

impl TestOrg {
    /// Puts a session of the administrator with this token, as the page does when they sign in.
    pub async fn put_session(&self, token: &str) {
        SessionRecord::new(self, &self.caller.user_id, &self.caller.key).put_as(token).await;
    }
}

/// A session as the page writes it when somebody signs in.
pub struct SessionRecord<'a> {
    pub organization_id: &'a str,
    pub user_id: &'a str,
    /// The key that it was started with.
    pub api_key: &'a str,
    pub expires_ts: String,
    pub revoked_ts: Option<&'a str>,
}

impl<'a> SessionRecord<'a> {
    /// One that is valid for an hour.
    pub fn new(org: &'a TestOrg, user_id: &'a str, api_key: &'a str) -> Self {
        let expires_ts = timestamp(now() + TimeDelta::hours(1));
        Self { organization_id: &org.id, user_id, api_key, expires_ts, revoked_ts: None }
    }

    /// Puts it, and returns its token.
    pub async fn put(&self) -> String {
        let token = random_id("token");
        self.put_as(&token).await;
        token
    }

    async fn put_as(&self, token: &str) {
        let key = sha256(self.api_key);
        let mut attributes = vec![
            ("kind", "personal"),
            ("organization_id", self.organization_id),
            ("user_id", self.user_id),
            ("api_key_sha256", &key),
            ("expires_ts", &self.expires_ts),
        ];
        attributes.extend(self.revoked_ts.map(|revoked_ts| ("revoked_ts", revoked_ts)));
        put_directory(&format!("SESSION#{}", sha256(token)), "KEY", &attributes).await;
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
