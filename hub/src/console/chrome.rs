//! What all pages have in common: head, navigation, language, the way out; and answers that have no page of their own.

use askama::Template;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use yenban_locales::{Lang, Words};
use yenban_protocol::text::display_safe;

use super::guard::Asked;
use crate::access::Session;
use crate::access::rights::Right;
use crate::error::HubError;

/// Which part of the console a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Inbox,
    Alerts,
    Patrols,
    Map,
    People,
    Accounts,
    Figures,
    Reads,
    Own,
    Outside,
}

/// One entry of the navigation.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub path: &'static str,
    pub word: String,
    pub here: bool,
}

/// The frame of a page.
#[derive(Debug, Clone)]
pub(super) struct Chrome {
    /// The page's words.
    pub w: Words,
    /// Its title and first heading.
    pub title: String,
    /// Where it belongs.
    pub here: Section,
    /// The hub's name, safe to draw.
    pub hub_name: String,
    /// Its own path, for the other language.
    pub path: String,
    /// Who is signed in.
    pub officer: Option<String>,
    /// The session's form token; empty outside.
    pub token: String,
    /// What scripts of this page carry.
    pub nonce: String,
    /// What its reader may do.
    rights: Vec<Right>,
}

impl Chrome {
    /// The frame of a page for somebody signed in; `title` is text, not an id.
    pub(super) fn new(asked: &Asked, session: &Session, here: Section, title: String) -> Self {
        Self {
            w: asked.words,
            title,
            here,
            hub_name: display_safe(&asked.hub_name),
            path: asked.path.clone(),
            officer: Some(display_safe(&session.officer)),
            token: session.form_token.clone(),
            nonce: asked.nonce.clone(),
            rights: Right::ALL.into_iter().filter(|right| session.may(*right)).collect(),
        }
    }

    /// The frame of a page that anybody may see.
    pub(super) fn outside(asked: &Asked, title: &str) -> Self {
        Self {
            w: asked.words,
            title: asked.words.word(title),
            here: Section::Outside,
            hub_name: display_safe(&asked.hub_name),
            path: asked.path.clone(),
            officer: None,
            token: String::new(),
            nonce: asked.nonce.clone(),
            rights: Vec::new(),
        }
    }

    /// The language of the page as its tag.
    pub(super) fn lang(&self) -> &'static str {
        self.w.lang().tag()
    }

    /// The other language: tag and its own name.
    pub(super) fn other(&self) -> (&'static str, &'static str) {
        match self.w.lang() {
            Lang::Vi => (Lang::En.tag(), "English"),
            Lang::En => (Lang::Vi.tag(), "Tiếng Việt"),
        }
    }

    /// Whether it is the page of one's own account.
    pub(super) fn is_own(&self) -> bool {
        self.here == Section::Own
    }

    /// The navigation: what its reader may open.
    pub(super) fn places(&self) -> Vec<Place> {
        [
            (Right::Read, Section::Inbox, "/console/", "console-inbox"),
            (Right::Read, Section::Alerts, "/console/alerts", "console-alerts"),
            (Right::Read, Section::Patrols, "/console/patrols", "console-patrols"),
            (Right::Read, Section::Map, "/console/map", "console-map"),
            (Right::Phones, Section::People, "/console/people", "console-people"),
            (Right::Figures, Section::Figures, "/console/figures", "console-figures"),
            (Right::ReadLog, Section::Reads, "/console/reads", "console-reads"),
            (Right::Accounts, Section::Accounts, "/console/accounts", "console-accounts"),
        ]
        .into_iter()
        .filter(|(right, ..)| self.rights.contains(right))
        .map(|(_, section, path, word)| Place { path, word: self.w.word(word), here: section == self.here })
        .collect()
    }
}

/// A page of one sentence.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct Message {
    /// The frame.
    pub c: Chrome,
    /// The sentence.
    pub text: String,
}

/// A page as an answer.
pub(super) fn rendered(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page without content that says why, by the id of its sentence.
pub(super) fn refused(asked: &Asked, status: StatusCode, id: &'static str) -> Response {
    let title = match status {
        StatusCode::NOT_FOUND => "console-not-found",
        StatusCode::UNAUTHORIZED => "console-door",
        _ => "console-not-done",
    };
    rendered(status, &Message { c: Chrome::outside(asked, title), text: asked.words.word(id) })
}

/// What is ours: told without detail, which stands in the hub's log.
pub(super) fn failed(asked: &Asked, error: &HubError) -> Response {
    if let HubError::Refused(refusal) = error {
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let id = if status == StatusCode::NOT_FOUND { "console-nothing-here" } else { "console-not-taken" };
        return refused(asked, status, id);
    }
    tracing::error!(code = error.code(), %error, "a page could not be made");
    refused(asked, StatusCode::INTERNAL_SERVER_ERROR, "console-hub-trouble")
}

/// Go there with GET.
pub(super) fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(value) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

/// A value for a query, percent-encoded.
pub(crate) fn query_value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
