//! Signing up, in and out over HTTP: as a form that works without scripts, and as JSON.
//!
//! | | form | JSON |
//! |---|---|---|
//! | done | 302 to `next`, or `/` | 200 `{"id","username"}`; logging out: 204 |
//! | refused | 200, the form with what is wrong | 400 `{"username":[…]}`, `{"password":[…]}` or `{"detail":…}` |
//! | without the CSRF token | 403 | 403 `{"detail":…}` |
//! | after many failures, or sign-ups | 429 with `Retry-After` | the same |

mod next;
mod problem;
mod stay;
mod submission;
mod view;

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use super::cookie::{Scheme, SetCookie};
use super::{csrf, peer};
use crate::accounts::{Accounts, SignedIn};
use crate::audit;
use crate::auth::session;
use problem::Problem;
use submission::{Kind, Submission};
use view::{Page, View};

pub use stay::keep_signed_in;

/// The pages `/accounts/login/`, `/accounts/signup/` and `/accounts/logout/`, to be merged into a router.
///
/// `scheme` is what browsers speak: over TLS, the cookies are for TLS only.
///
/// Log-ins that fail and sign-ups are counted by address; behind proxies, [`trust_proxies`](crate::trust_proxies) makes
/// that the address of the client.
pub fn router(accounts: Accounts, scheme: Scheme) -> Router {
    Router::new()
        .route("/accounts/login/", get(log_in_page).post(log_in))
        .route("/accounts/signup/", get(sign_up_page).post(sign_up))
        .route("/accounts/logout/", post(log_out))
        .route("/accounts/login", get(add_slash))
        .route("/accounts/signup", get(add_slash))
        .route("/accounts/accounts.css", get(style))
        .route_layer(map_response(guard))
        .with_state(Site { accounts, scheme })
}

#[derive(Debug, Clone)]
struct Site {
    accounts: Accounts,
    scheme: Scheme,
}

async fn log_in_page(State(site): State<Site>, request: Request) -> Response {
    show(&site, Page::LogIn, &request.into_parts().0).await
}

async fn sign_up_page(State(site): State<Site>, request: Request) -> Response {
    show(&site, Page::SignUp, &request.into_parts().0).await
}

async fn show(site: &Site, page: Page, request: &Parts) -> Response {
    let visitor = match session::token(&request.headers) {
        Some(token) => site.accounts.session(&token).await,
        None => Ok(None),
    };
    match visitor {
        Ok(session) => {
            let visitor = session.map(|session| session.user.name);
            View { visitor, ..View::new(page, request) }.respond(site.scheme, request)
        }
        Err(error) => {
            Problem::from(error).respond(Kind::Form, View::new(page, request), site.scheme, request)
        }
    }
}

async fn log_in(State(site): State<Site>, request: Request) -> Response {
    submit(&site, Page::LogIn, request).await
}

async fn sign_up(State(site): State<Site>, request: Request) -> Response {
    submit(&site, Page::SignUp, request).await
}

async fn submit(site: &Site, page: Page, request: Request) -> Response {
    let (request, body) = request.into_parts();
    let kind = Kind::of(&request.headers);
    let mut view = View::new(page, &request);
    match sign_in(site, page, &request, body, &mut view).await {
        Ok(signed_in) => {
            audit::signed_in(&signed_in.user.name, address(&request));
            welcome(site, kind, &signed_in, &view)
        }
        Err(problem) => {
            audit::not_signed_in(&view.username, address(&request));
            problem.respond(kind, view, site.scheme, &request)
        }
    }
}

/// Signs somebody in or up, and keeps in the view what a page that asks again should show.
async fn sign_in(
    site: &Site,
    page: Page,
    request: &Parts,
    body: Body,
    view: &mut View,
) -> Result<SignedIn, Problem> {
    let submission = Submission::read(&request.headers, body).await?;
    csrf::verify(request, submission.csrf_token(), site.scheme)?;
    let fields = submission.fields()?;
    view.username.clone_from(&fields.username);
    if let Some(next) = &fields.next {
        view.next = next::checked(next);
    }
    let credentials = fields.credentials()?;
    let old = session::token(&request.headers);
    let (name, password) = (credentials.name, credentials.password);
    Ok(match page {
        Page::LogIn => site.accounts.log_in(name, password, address(request), old.as_ref()).await?,
        Page::SignUp => site.accounts.sign_up(name, password, address(request), old.as_ref()).await?,
    })
}

fn welcome(site: &Site, kind: Kind, SignedIn { user, token }: &SignedIn, view: &View) -> Response {
    let session = SetCookie::session(&token.reveal(), site.accounts.session_lasts(), site.scheme);
    // Without randomness there would be no session. Its cookie can do without a new secret beside it.
    let csrf = csrf::rotated(site.scheme).ok();
    match kind {
        Kind::Form => (StatusCode::FOUND, session, csrf, [(LOCATION, view.next_or_home())]).into_response(),
        Kind::Json => {
            let body = json!({ "id": user.id.value(), "username": user.name.as_str() });
            (session, csrf, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
    }
}

async fn log_out(State(site): State<Site>, request: Request) -> Response {
    let (request, body) = request.into_parts();
    let kind = Kind::of(&request.headers);
    let mut view = View::new(Page::LogIn, &request);
    match end_session(&site, &request, body, &mut view).await {
        Ok(()) => {
            let cookie = SetCookie::no_session(site.scheme);
            match kind {
                Kind::Form => (StatusCode::FOUND, cookie, [(LOCATION, view.next_or_home())]).into_response(),
                Kind::Json => (StatusCode::NO_CONTENT, cookie, ()).into_response(),
            }
        }
        Err(problem) => problem.respond(kind, view, site.scheme, &request),
    }
}

async fn end_session(site: &Site, request: &Parts, body: Body, view: &mut View) -> Result<(), Problem> {
    let submission = Submission::read(&request.headers, body).await?;
    csrf::verify(request, submission.csrf_token(), site.scheme)?;
    if let Some(next) = submission.next() {
        view.next = next::checked(next);
    }
    if let Some(token) = session::token(&request.headers) {
        if let Some(session) = site.accounts.session(&token).await? {
            audit::signed_out(&session.user.name, address(request));
        }
        site.accounts.log_out(&token).await?;
    }
    Ok(())
}

fn address(request: &Parts) -> Option<IpAddr> {
    peer::of(&request.extensions).map(|peer| peer.ip())
}

/// As Django's `APPEND_SLASH`. Relative, for the router may be nested.
async fn add_slash(uri: Uri) -> Response {
    let last = uri.path().rsplit('/').next().unwrap_or_default();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    (StatusCode::MOVED_PERMANENTLY, [(LOCATION, format!("{last}/{query}"))]).into_response()
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../../page/accounts/accounts.css"))
}

/// Nothing but forms and styles of this site, in nobody's frame, in nobody's cache.
async fn guard(mut response: Response) -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
