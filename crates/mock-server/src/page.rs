//! The HTML pages: they need no script, no picture and no other server, and fit a phone.

mod login;

pub(crate) use login::{Form, login, mailbox, verify};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use crate::answer::Answer;
use crate::people::Seat;
use crate::state::State;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem;line-height:1.25}\
code{overflow-wrap:anywhere}\
li{margin:.3rem 0}\
label{width:100%}\
form{display:flex;flex-wrap:wrap;gap:1rem;margin-top:2rem}\
input{font:inherit;padding:.6rem;width:100%;box-sizing:border-box;letter-spacing:.1em}\
input[type=radio]{width:auto}\
fieldset{display:grid;gap:1rem;width:100%;box-sizing:border-box;min-width:0;padding:1rem}\
fieldset label{overflow-wrap:anywhere}\
button{font:inherit;padding:.7rem 1.5rem;min-width:8rem;flex:1}\
footer{margin-top:3rem;font-size:.9rem}";

/// What the consent page asks.
pub(crate) struct Consent<'a> {
    pub(crate) client: &'a str,
    pub(crate) seat: &'a Seat,
    pub(crate) redirect_host: &'a str,
    /// What each scope allows, in words.
    pub(crate) scopes: Vec<(&'a str, &'a str)>,
    pub(crate) action: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) csrf: &'a str,
}

/// The consent page. Browsers hold a form's redirect against `form-action`, so the policy names where it leads.
pub(crate) fn consent(asked: &Consent<'_>, form_target: &str) -> Answer {
    let (scopes, who) = (list(&asked.scopes), signed_in(asked.seat));
    let (client, host) = (escape(asked.client), escape(asked.redirect_host));
    let (action, request_id, csrf) = (escape(asked.action), escape(asked.request_id), escape(asked.csrf));
    let main = format!(
        "<h1>Allow {client} to use your account?</h1>\
         <p>{who} If you allow it, <strong>{client}</strong> will be able to:</p>\
         <ul>{scopes}</ul>\
         <p>You will be sent back to <code>{host}</code>.</p>\
         <form method=\"post\" action=\"{action}\">\
         <input type=\"hidden\" name=\"request_id\" value=\"{request_id}\">\
         <input type=\"hidden\" name=\"csrf_token\" value=\"{csrf}\">\
         <button name=\"decision\" value=\"allow\">Allow</button>\
         <button name=\"decision\" value=\"deny\">Deny</button>\
         </form>"
    );
    guarded(StatusCode::OK, document("Allow access", &main), form_target)
}

/// What the page of a login on another device asks.
pub(crate) struct DeviceConsent<'a> {
    pub(crate) client: &'a str,
    pub(crate) seat: &'a Seat,
    pub(crate) user_code: &'a str,
    /// What each scope allows, in words.
    pub(crate) scopes: Vec<(&'a str, &'a str)>,
    pub(crate) action: &'a str,
    pub(crate) csrf: &'a str,
}

/// The page where a person enters the code that the app shows.
pub(crate) fn device_code(action: &str, refused: bool) -> Answer {
    let hint = match refused {
        true => {
            "<p><strong>That code is not waiting.</strong> Check it, or start the login again in the app.</p>"
        }
        false => "",
    };
    let main = format!(
        "<h1>Log in an app</h1>{hint}\
         <form method=\"get\" action=\"{}\">\
         <label>The code that the app shows <input name=\"user_code\" required autofocus autocomplete=\"off\" \
         autocapitalize=\"characters\" spellcheck=\"false\" maxlength=\"20\"></label>\
         <button>Continue</button></form>",
        escape(action)
    );
    let status = if refused { StatusCode::NOT_FOUND } else { StatusCode::OK };
    guarded(status, document("Log in an app", &main), "'self'")
}

/// The page that shows the code again, and asks.
pub(crate) fn device_consent(asked: &DeviceConsent<'_>) -> Answer {
    let (client, code, scopes) = (escape(asked.client), escape(asked.user_code), list(&asked.scopes));
    let (action, csrf, who) = (escape(asked.action), escape(asked.csrf), signed_in(asked.seat));
    let main = format!(
        "<h1>Allow {client} to use your account?</h1>\
         <p>Go on only if <strong>{client}</strong> shows this code: <code>{code}</code></p>\
         <p>{who} If you allow it, the app will be able to:</p>\
         <ul>{scopes}</ul>\
         <form method=\"post\" action=\"{action}\">\
         <input type=\"hidden\" name=\"user_code\" value=\"{code}\">\
         <input type=\"hidden\" name=\"csrf_token\" value=\"{csrf}\">\
         <button name=\"decision\" value=\"allow\">Allow</button>\
         <button name=\"decision\" value=\"deny\">Deny</button>\
         </form>"
    );
    guarded(StatusCode::OK, document("Allow access", &main), "'self'")
}

/// What a person copies from the browser into an app on another machine.
pub(crate) fn code_to_paste(text: &str) -> Answer {
    let main = format!("<h1>Paste this into the app</h1><p><code id=\"paste\">{}</code></p>", escape(text));
    guarded(StatusCode::OK, document("Paste this into the app", &main), "'none'")
}

/// A page that says how something ended.
pub(crate) fn notice(title: &str, text: &str) -> Answer {
    let main = format!("<h1>{}</h1><p>{}</p>", escape(title), escape(text));
    guarded(StatusCode::OK, document(title, &main), "'none'")
}

fn signed_in(seat: &Seat) -> String {
    let (email, workspace) = (escape(&seat.email), escape(&seat.workspace_name));
    let organization = escape(&seat.organization_name);
    format!("You are signed in as {email}, in the workspace {workspace} of {organization}.")
}

fn list(scopes: &[(&str, &str)]) -> String {
    let item = |(scope, meaning): &(&str, &str)| {
        format!("<li>{} (<code>{}</code>)</li>", escape(meaning), escape(scope))
    };
    scopes.iter().map(item).collect()
}

/// A page for a person who cannot be sent back.
pub(crate) fn problem(title: &str, advice: &str) -> Answer {
    let main = format!("<h1>{}</h1><p>{}</p>", escape(title), escape(advice));
    guarded(StatusCode::BAD_REQUEST, document(title, &main), "'none'")
}

/// The page at the root: what this is and what it serves.
pub(crate) fn index(state: &State) -> Answer {
    let base = state.base_url.as_str().trim_end_matches('/');
    let (base, client) = (escape(base), escape(&state.client));
    let main = format!(
        "<h1>A mock of the Claude API</h1>\
         <p>This server is for tests. It repeats what it is told, knows no real account, and belongs to an \
         independent project, not to Anthropic.</p>\
         <ul>\
         <li>Base URL: <code>{base}</code></li>\
         <li>Client id: <code>{client}</code></li>\
         <li>Authorization: <code>GET {base}/oauth/authorize</code></li>\
         <li>Tokens: <code>POST {base}/v1/oauth/token</code></li>\
         <li>Messages: <code>POST {base}/v1/messages</code></li>\
         <li>Models: <code>GET {base}/v1/models</code></li>\
         </ul>"
    );
    guarded(StatusCode::OK, document("A mock of the Claude API", &main), "'none'")
}

fn document(title: &str, main: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\
         <body><main>{main}</main><footer>A mock server for tests. Enter no real secret here.</footer></body></html>\n"
    )
}

/// Adds the headers that keep a page to itself.
fn guarded(status: StatusCode, page: String, form_target: &str) -> Answer {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action {form_target}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    Answer::html(status, page)
        .header(CONTENT_SECURITY_POLICY, policy)
        .header(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
        .header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .header(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"))
}

/// Text as it can stand in HTML, in an element as in a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(escape("<b a='1' c=\"2\">&"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
    }
}
