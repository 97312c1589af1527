use std::fmt;

use serde::de::DeserializeOwned;

use super::{Client, Iter};
use crate::{
    error::Error,
    reply::Reply,
    resources::{Items, Pages},
    types::Page,
};

/// A list that is about to be asked for: see [`crate::List`].
///
/// Example: [`blocking`](crate::blocking).
#[must_use = "call first(), pages() or items()"]
pub struct List<'a, T> {
    client: &'a Client,
    list: crate::List<T>,
}

impl<'a, T: DeserializeOwned + Send + Sync + 'static> List<'a, T> {
    pub(super) fn new(client: &'a Client, list: crate::List<T>) -> Self {
        Self { client, list }
    }

    /// Sets how many items a page has at most.
    pub fn limit(self, items: u32) -> Self {
        Self { list: self.list.limit(items), ..self }
    }

    /// Adds a parameter to the query of every page; both parts are escaped.
    pub fn query(self, name: &str, value: &str) -> Self {
        Self { list: self.list.query(name, value), ..self }
    }

    /// Begins after the item of this id.
    pub fn after_id(self, id: &str) -> Self {
        Self { list: self.list.after_id(id), ..self }
    }

    /// Walks the list backwards, from before the item of this id.
    pub fn before_id(self, id: &str) -> Self {
        Self { list: self.list.before_id(id), ..self }
    }

    /// Begins with this page, as another page named it.
    pub fn page(self, cursor: &str) -> Self {
        Self { list: self.list.page(cursor), ..self }
    }

    /// The first page.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub fn first(self) -> Result<Reply<Page<T>>, Error> {
        let list = self.list;
        self.client.run(|_| async move { list.await })
    }

    /// The pages, one after another.
    #[must_use]
    pub fn pages(self) -> Iter<Pages<T>> {
        let pages = self.list.pages();
        self.client.iter(|_| pages)
    }

    /// The items of all pages.
    #[must_use]
    pub fn items(self) -> Iter<Items<T>> {
        let items = self.list.items();
        self.client.iter(|_| items)
    }
}

impl<T> fmt::Debug for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}
