//! The life of our token at the server.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use fastrand::Rng;
use reqwest::Method;
use serde_json::Value;
use tokio::sync::Mutex as Turn;

use super::{
    Login,
    login::PLACE,
    wire::{Answer, Call, Wire},
};
use crate::{Error, Secret, Timer};

/// How long a server that refused a login or a renewal is left alone with it.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Session {
    wire: Wire,
    login: Login,
    timer: Arc<dyn Timer>,
    draws: Mutex<Rng>,
    current: ArcSwapOption<Token>,
    /// One login or renewal at a time, and what the last failed one said, until when.
    turn: Turn<Option<(Duration, Error)>>,
}

struct Token {
    secret: Secret,
    renewable: bool,
    /// Without an end: a root token.
    end: Option<End>,
}

#[derive(Clone, Copy)]
struct End {
    renew_at: Duration,
    until: Duration,
}

impl Session {
    pub(super) fn new(wire: Wire, login: Login, timer: Arc<dyn Timer>, seed: u64) -> Self {
        let draws = Mutex::new(Rng::with_seed(seed));
        Self { wire, login, timer, draws, current: ArcSwapOption::empty(), turn: Turn::new(None) }
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Sends with our token. Where the server does not know it any more, logs in again and sends once more.
    pub(super) async fn call(&self, call: Call) -> Result<Answer, Error> {
        let token = self.token().await?;
        let answer = self.wire.send(call.clone(), Some(&token.secret)).await?;
        if answer.status() != 403 || self.login.is_token() || self.is_known(&token).await {
            return Ok(answer);
        }
        self.drop_token(&token);
        let token = self.token().await?;
        self.wire.send(call, Some(&token.secret)).await
    }

    /// Whether the token is one that somebody else has got.
    pub(super) fn is_handed_in(&self) -> bool {
        self.login.is_token()
    }

    pub(super) async fn revoke(&self) -> Result<(), Error> {
        let Some(token) = self.current.swap(None) else { return Ok(()) };
        let call = Call::new(Method::POST, "auth/token/revoke-self", PLACE.to_owned());
        self.wire.send(call, Some(&token.secret)).await?.succeeded().map(drop)
    }

    async fn token(&self) -> Result<Arc<Token>, Error> {
        if let Some(token) = self.current.load_full() {
            let now = self.timer.now();
            match token.end {
                None => return Ok(token),
                Some(end) if now < end.renew_at => return Ok(token),
                // Somebody sees to it; the others go on with the old one.
                Some(end) if now < end.until => {
                    let Ok(mut turn) = self.turn.try_lock() else { return Ok(token) };
                    return Ok(self.renewed(token, end, &mut turn).await);
                }
                Some(_) => {}
            }
        }
        let mut turn = self.turn.lock().await;
        let now = self.timer.now();
        if let Some(token) = self.current.load_full()
            && token.end.is_none_or(|end| now < end.until)
        {
            return Ok(token);
        }
        match &*turn {
            Some((until, error)) if now < *until => return Err(error.clone()),
            _ => {}
        }
        match self.logged_in().await {
            Ok(token) => {
                *turn = None;
                Ok(token)
            }
            Err(error) => {
                *turn = Some((self.timer.now().saturating_add(PAUSE), error.clone()));
                Err(error)
            }
        }
    }

    /// A token that lives longer: the same one renewed, or a new one; the old one where neither can be had.
    async fn renewed(&self, token: Arc<Token>, end: End, turn: &mut Option<(Duration, Error)>) -> Arc<Token> {
        let now = self.timer.now();
        if turn.as_ref().is_some_and(|(until, _)| now < *until) {
            return token;
        }
        if token.renewable {
            let call = Call::new(Method::POST, "auth/token/renew-self", PLACE.to_owned());
            let answer = self.wire.send(call, Some(&token.secret)).await.and_then(Answer::succeeded);
            // One that grows no more is at the end of what it may live.
            if let Ok(answer) = answer
                && let Some(next) = self.end(&answer, now)
                && next.until > end.until
            {
                let renewed = Token { secret: token.secret.duplicate(), renewable: true, end: Some(next) };
                return self.keep(renewed);
            }
        }
        match self.logged_in().await {
            Ok(token) => token,
            Err(error) => {
                *turn = Some((self.timer.now().saturating_add(PAUSE), error));
                token
            }
        }
    }

    async fn logged_in(&self) -> Result<Arc<Token>, Error> {
        let now = self.timer.now();
        let (secret, answer) = self.login.perform(&self.wire).await?;
        let renewable = ["auth", "data"]
            .iter()
            .any(|part| answer.at(&[part, "renewable"]).and_then(Value::as_bool).unwrap_or_default());
        Ok(self.keep(Token { secret, renewable, end: self.end(&answer, now) }))
    }

    fn keep(&self, token: Token) -> Arc<Token> {
        let token = Arc::new(token);
        self.current.store(Some(Arc::clone(&token)));
        token
    }

    /// When a token ends that was given at `asked_at`, and when it is renewed: after two thirds, give or take a ninth.
    fn end(&self, answer: &Answer, asked_at: Duration) -> Option<End> {
        let life = answer.at(&["auth", "lease_duration"]).or_else(|| answer.at(&["data", "ttl"]));
        let life = life.and_then(Value::as_u64).filter(|&life| life > 0).map(Duration::from_secs)?;
        let draw = self.draws.lock().unwrap_or_else(PoisonError::into_inner).f64();
        let part = 2.0 / 3.0 + (draw - 0.5) * 2.0 / 9.0;
        Some(End {
            renew_at: asked_at.saturating_add(life.mul_f64(part)),
            until: asked_at.saturating_add(life),
        })
    }

    /// Whether the server still knows the token; yes if it cannot tell.
    async fn is_known(&self, token: &Token) -> bool {
        let call = Call::new(Method::GET, "auth/token/lookup-self", PLACE.to_owned());
        self.wire.send(call, Some(&token.secret)).await.map_or(true, |answer| answer.status() != 403)
    }

    /// Forgets the token, unless it is another one by now.
    fn drop_token(&self, token: &Arc<Token>) {
        let current = self.current.load();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, token)) {
            self.current.compare_and_swap(&current, None);
        }
    }
}
