//! What goes wrong with a response.

use std::io;

use http::Response;

use crate::body::{Body, Turn};
use crate::fault::{At, Effect, Ending};
use crate::http2;
use crate::time;
use crate::wire::Plan;

/// Prepares what goes wrong with a response; an error is a connection without one.
pub(super) async fn break_down(
    fault: Effect,
    plan: Plan,
    request: &[u8],
    response: &mut Response<Body>,
) -> io::Result<()> {
    let fault = match fault {
        Effect::Edit(edit) => {
            let mut body = std::mem::take(response.body_mut());
            edit.apply(response.headers_mut(), &mut body, request);
            body.planned(plan);
            *response.body_mut() = body;
            return Ok(());
        }
        fault => fault,
    };
    let body = response.body_mut();
    match fault {
        Effect::End(At::Accept | At::Request, ending) => {
            return match ending {
                Ending::Stall => std::future::pending().await,
                Ending::Reset => {
                    plan.reset();
                    Err(io::ErrorKind::ConnectionReset.into())
                }
                Ending::Close => Err(io::ErrorKind::ConnectionAborted.into()),
            };
        }
        Effect::End(At::Byte(bytes), ending) => plan.cut(bytes, ending),
        Effect::End(At::Body(bytes), ending) => body.turn_after(bytes, Turn::End(ending)),
        Effect::End(At::Event(events), ending) => body.turn_after(body.length_of(events), Turn::End(ending)),
        Effect::End(At::End, ending) => plan.idle(ending, false),
        Effect::End(At::Next, ending) => plan.idle(ending, true),
        Effect::Drip(At::Accept | At::Request, every) => plan.drip(0, every),
        Effect::Drip(At::Byte(bytes), every) => plan.drip(bytes, every),
        Effect::Drip(At::Body(bytes), every) => body.turn_after(bytes, Turn::Drip(every)),
        Effect::Drip(At::Event(events), every) => body.turn_after(body.length_of(events), Turn::Drip(every)),
        Effect::Raw(bytes) => plan.raw(bytes),
        Effect::Length(off_by) => plan.tail(body.announce(off_by)),
        Effect::Extra(bytes) => plan.tail(bytes),
        Effect::Delay(length) => time::pause(length).await,
        Effect::KeepAlive(events, bytes, every) => {
            body.turn_after(body.length_of(events), Turn::KeepAlive(bytes, every));
        }
        // After the answer nothing is left to drip, and an answer was given before.
        Effect::Drip(At::End | At::Next, _) | Effect::Answer(_) | Effect::LoseMail => {}
        Effect::GoAway { .. } => return Err(http2::go_away_served(&plan)),
        Effect::Flood(frames, count) => http2::flood(&plan, frames, count),
        Effect::Edit(_) | Effect::Handshake(_) | Effect::RefuseStream => {}
    }
    body.planned(plan);
    Ok(())
}
