//! Mocks of the traits, made by mockall.
#![allow(
    missing_docs,
    single_use_lifetimes,
    reason = "mockall generates the items and needs the lifetime named"
)]

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use mockall::mock;

use crate::{
    Clock, Error, HttpBackend, Request, Response,
    layers::{Outcome, RetryPolicy, Verdict},
};

mock! {
    #[derive(Debug)]
    pub HttpBackend {}

    #[async_trait]
    impl HttpBackend for HttpBackend {
        async fn send(&self, request: Request) -> Result<Response, Error>;
    }
}

mock! {
    #[derive(Debug)]
    pub Clock {}

    #[async_trait]
    impl Clock for Clock {
        fn now(&self) -> SystemTime;
        async fn sleep(&self, duration: Duration);
    }
}

mock! {
    #[derive(Debug)]
    pub RetryPolicy {}

    impl RetryPolicy for RetryPolicy {
        fn verdict<'a>(&self, attempt: u32, request: &Request, outcome: Outcome<'a>) -> Verdict;
    }
}
