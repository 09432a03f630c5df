//! A browser without a screen: asks the hub's router in process.

#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::panic)] // Each test uses its part of it.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::support::TestHub;

/// A browser: a cookie, a language, and what it got.
pub struct Browser {
    pub router: Router,
    pub cookie: String,
    pub language: &'static str,
}

pub struct Page {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub text: String,
}

impl Browser {
    pub fn new(hub: &TestHub) -> Self {
        Self { router: yenban_hub::server::router(hub.hub.clone()), cookie: String::new(), language: "vi" }
    }

    /// Comes in by a new link.
    pub async fn entered(hub: &TestHub) -> Self {
        let mut browser = Self::new(hub);
        let link = yenban_hub::access::enter_link(&hub.hub, "Hà Văn Sơn").await.unwrap();
        let page = browser.get(&link).await;
        assert_eq!(page.status, 303, "{}", page.text);
        browser.keep(&page);
        browser
    }

    /// Keeps the session's cookie of an answer.
    pub fn keep(&mut self, page: &Page) {
        let cookies = page.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        let cookie = cookies.into_iter().find(|cookie| cookie.starts_with("__Host-yenban=")).expect("a session");
        for flag in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
            assert!(cookie.contains(flag), "{cookie}");
        }
        self.cookie = cookie.split(';').next().unwrap().to_owned();
    }

    pub async fn get(&self, path: &str) -> Page {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    pub async fn post(&self, path: &str, form: &str) -> Page {
        let request = self.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header("host", "hub.test:8443").header("accept-language", self.language);
        if self.cookie.is_empty() { request } else { request.header("cookie", &self.cookie) }
    }

    pub async fn send(&self, request: Request<Body>) -> Page {
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        // A file that is no text (a PDF) is looked at by its readable parts.
        let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
        Page { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// The token of this session's forms.
    pub async fn token(&self) -> String {
        let page = self.get("/console/account").await;
        page.text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }
}

impl Page {
    /// Where it leads.
    pub fn way(&self) -> &str {
        self.headers.get("location").map_or("", |value| value.to_str().unwrap())
    }

    /// What is written in the field with this id.
    pub fn value(&self, id: &str) -> &str {
        let field = self.text.split(&format!("id=\"{id}\"")).nth(1).expect("the field").split('>').next().unwrap();
        field.split("value=\"").nth(1).expect("a value").split('"').next().unwrap()
    }

    /// The value of a field of a form on it.
    pub fn field(&self, name: &str) -> &str {
        let at = format!("name=\"{name}\" value=\"");
        self.text.split(&at).nth(1).unwrap_or_else(|| panic!("no field {name}: {}", self.text)).split('"').next().unwrap()
    }
}
