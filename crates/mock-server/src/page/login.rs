//! The pages of a login before consent: who it is, and the code that came by mail.

use http::StatusCode;

use super::{document, escape, guarded};
use crate::answer::Answer;
use crate::mail::Mailbox;
use crate::people::{Seat, Seats};

/// What the forms of a login carry along, and where they go.
pub(crate) struct Form<'a> {
    pub(crate) action: &'a str,
    /// The name and value by which the server finds the login again.
    pub(crate) subject: (&'static str, &'a str),
    pub(crate) csrf: &'a str,
}

impl Form<'_> {
    fn hidden(&self) -> String {
        let (name, value) = self.subject;
        format!(
            "<input type=\"hidden\" name=\"{name}\" value=\"{}\">\
             <input type=\"hidden\" name=\"csrf_token\" value=\"{}\">",
            escape(value),
            escape(self.csrf)
        )
    }
}

/// The page that asks who logs in, and for which workspace.
pub(crate) fn login(form: &Form<'_>, client: &str, seats: &Seats) -> Answer {
    let mut choices = String::new();
    for (index, seat) in seats.iter() {
        let checked = if index == 0 { " checked" } else { "" };
        choices += &format!(
            "<label><input type=\"radio\" name=\"account\" value=\"{index}\" required{checked}> \
             <strong>{}</strong><br><span>{} – {}</span></label>",
            escape(&seat.email),
            escape(&seat.organization_name),
            escape(&seat.workspace_name),
        );
    }
    let main = format!(
        "<h1>Log in to go on to {}</h1>\
         <form method=\"post\" action=\"{}\">{}\
         <fieldset><legend>Which account and workspace?</legend>{choices}</fieldset>\
         <button>Continue</button></form>",
        escape(client),
        escape(form.action),
        form.hidden()
    );
    guarded(StatusCode::OK, document("Log in", &main), "'self'")
}

/// The page that asks for the code that was sent by mail.
pub(crate) fn verify(form: &Form<'_>, account: usize, seat: &Seat, refused: bool, mailbox: &str) -> Answer {
    let hint = match refused {
        true => "<p><strong>That was not the code, and it counts no more: send another mail.</strong></p>",
        false => "",
    };
    let (email, action, mailbox) = (escape(&seat.email), escape(form.action), escape(mailbox));
    let hidden = format!("{}<input type=\"hidden\" name=\"account\" value=\"{account}\">", form.hidden());
    let main = format!(
        "<h1>Check your mail</h1>{hint}\
         <p>A code was sent to <strong>{email}</strong>. This mock's mails are in <a href=\"{mailbox}\" \
         target=\"_blank\">its mailbox</a>.</p>\
         <form method=\"post\" action=\"{action}\">{hidden}\
         <label>The code <input name=\"mail_code\" required autofocus inputmode=\"numeric\" \
         autocomplete=\"one-time-code\" maxlength=\"12\"></label><button>Continue</button></form>\
         <form method=\"post\" action=\"{action}\">{hidden}<button>Send another mail</button></form>"
    );
    let status = if refused { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    guarded(status, document("Check your mail", &main), "'self'")
}

/// The mailbox, newest mail first.
pub(crate) fn mailbox(mailbox: &Mailbox) -> Answer {
    let item = |mail: &crate::mail::Mail| {
        format!(
            "<li>To {}: your code is <code class=\"mail-code\">{}</code></li>",
            escape(&mail.to),
            escape(&mail.code)
        )
    };
    let mails: String = mailbox.all().rev().map(item).collect();
    let main = match mails.as_str() {
        "" => "<h1>Mailbox</h1><p>No mail has arrived.</p>".to_owned(),
        mails => format!("<h1>Mailbox</h1><ol>{mails}</ol>"),
    };
    guarded(StatusCode::OK, document("Mailbox", &main), "'none'")
}
