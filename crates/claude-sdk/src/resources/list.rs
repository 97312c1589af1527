//! Lists that come page by page.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    future::{IntoFuture, poll_fn},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use http::Method;
use serde::de::DeserializeOwned;

use super::route::Query;
use crate::{
    client::Client,
    error::{ConfigError, Error, UnexpectedAnswer},
    layers::Charge,
    reply::{self, Reply},
    types::Page,
};

/// How a list says where its next page is. The API has three ways, in five shapes of page.
///
/// Example: [`Raw`](crate::Raw).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Paging {
    /// By the id of an item: [`Page::last_id`] is sent as `after_id`, or [`Page::first_id`] as `before_id` where the list
    /// began with a `before_id`.
    Id,
    /// By a cursor: [`Page::next_page`] is sent as `page`.
    Cursor,
    /// By a token: [`Page::next_page`] is sent as `page_token`.
    Token,
}

/// A list that is about to be asked for.
///
/// Await it for its first page, walk it with [`pages`](Self::pages), or forget that there are pages with
/// [`items`](Self::items). One page at a time is in memory.
///
/// ```
/// # use claude_sdk::Client;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let first = client.models().list().limit(5).await?;
/// assert_eq!((first.data.len(), first.has_more), (5, Some(true)));
///
/// let mut models = client.models().list().limit(5).items();
/// let mut names = Vec::new();
/// while let Some(model) = models.next().await {
///     names.push(model?.id);
/// }
/// assert!(names.len() > 5);
/// # Ok(())
/// # }
/// ```
#[must_use = "await it, or call pages() or items()"]
pub struct List<T> {
    client: Client,
    path: Result<String, ConfigError>,
    query: Query,
    paging: Paging,
    item: PhantomData<fn() -> T>,
}

impl<T> List<T> {
    pub(super) fn new(client: &Client, path: impl Into<String>, paging: Paging) -> Self {
        Self::of(client, Ok(path.into()), Query::default(), paging)
    }

    pub(super) fn of(
        client: &Client,
        path: Result<String, ConfigError>,
        query: Query,
        paging: Paging,
    ) -> Self {
        Self { client: client.clone(), path, query, paging, item: PhantomData }
    }

    /// Sets how many items a page has at most; the service has a default, and a maximum.
    pub fn limit(self, items: u32) -> Self {
        self.query("limit", &items.to_string())
    }

    /// Adds a parameter to the query of every page; both parts are escaped. For a parameter that is a list, call it for
    /// each value with a name such as `ids[]`.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push(name, value);
        self
    }

    /// Begins after the item of this id; for lists that are walked by [`Paging::Id`].
    pub fn after_id(self, id: &str) -> Self {
        self.query("after_id", id)
    }

    /// Walks the list backwards, from before the item of this id; for lists that are walked by [`Paging::Id`].
    pub fn before_id(self, id: &str) -> Self {
        self.query("before_id", id)
    }

    /// Begins with this page, as [`Page::next_page`] or [`Page::prev_page`] of another named it.
    pub fn page(mut self, cursor: &str) -> Self {
        self.query.set(self.paging.parameter(), cursor);
        self
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> List<T> {
    /// The pages, one after another, each with what its answer's head said.
    #[must_use]
    pub fn pages(self) -> Pages<T> {
        Pages { list: Some(self), fetching: None, seen: HashSet::new() }
    }

    /// The items of all pages.
    #[must_use]
    pub fn items(self) -> Items<T> {
        Items { pages: self.pages(), page: VecDeque::new() }
    }

    fn fetch(&mut self) -> Fetching<T> {
        // A path that was refused is told of once, and ends the list.
        let route = match &self.path {
            Ok(path) => Ok(self.query.on(path)),
            Err(_) => std::mem::replace(&mut self.path, Ok(String::new())),
        };
        let client = self.client.clone();
        Box::pin(async move {
            let request = client.request(Method::GET, &route?, Bytes::new(), |_| Charge::default())?;
            Ok(client.call(request, |response| reply::json(response, client.clock())).await?.0)
        })
    }
}

/// Gives the first page.
impl<T: DeserializeOwned + Send + Sync + 'static> IntoFuture for List<T> {
    type Output = Result<Reply<Page<T>>, Error>;
    type IntoFuture = Fetching<T>;

    fn into_future(mut self) -> Self::IntoFuture {
        self.fetch()
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("path", &self.path).field("paging", &self.paging).finish_non_exhaustive()
    }
}

impl Paging {
    /// The parameter that leads to another page.
    fn parameter(self) -> &'static str {
        match self {
            Self::Id => "after_id",
            Self::Cursor => "page",
            Self::Token => "page_token",
        }
    }

    /// The parameter of the page after `page` and its value; `None` where it was the last one.
    ///
    /// A page without items is not the last one as long as it names another.
    fn after<T>(self, page: &Page<T>, query: &Query) -> Option<(&'static str, String)> {
        if page.has_more == Some(false) {
            return None;
        }
        let (parameter, value) = match self {
            Self::Id if query.has("before_id") => ("before_id", &page.first_id),
            Self::Id => ("after_id", &page.last_id),
            Self::Cursor | Self::Token => (self.parameter(), &page.next_page),
        };
        Some((parameter, value.clone().filter(|value| !value.is_empty())?))
    }

    /// What is wrong with `page` as the last one of a list that is walked in this way, where it says that it is not.
    fn contradiction<T>(self, page: &Page<T>) -> Option<&'static str> {
        if page.has_more == Some(false) {
            return None;
        }
        let names = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
        match self {
            Self::Id if names(&page.next_page) => Some(
                "a page that goes on at its `next_page`, and not after its `last_id`; walk the list by `cursor` or by `token`",
            ),
            Self::Cursor | Self::Token if page.has_more == Some(true) && names(&page.last_id) => {
                Some("a page that goes on after its `last_id`, and has no `next_page`; walk the list by `id`")
            }
            _ if page.has_more == Some(true) => Some(
                "a page that says there are more and names none of them; what came is not the whole list",
            ),
            _ => None,
        }
    }
}

/// A page that is on its way.
type Fetching<T> = Pin<Box<dyn Future<Output = Result<Reply<Page<T>>, Error>> + Send>>;

/// The pages of a [`List`], each asked for when somebody wants it. It ends after the first error.
///
/// Example: [`List`](crate::List).
pub struct Pages<T> {
    /// The list as the next page is asked for; none after the last one.
    list: Option<List<T>>,
    fetching: Option<Fetching<T>>,
    /// The cursors that were followed, as hashes: a service that names one twice would be asked for ever.
    seen: HashSet<u64>,
}

impl<T: DeserializeOwned + Send + Sync + 'static> Pages<T> {
    /// Waits for the next page; `None` is the end.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call, and [`Error::Answer`] where the service leads back to a page that was read, or says that there are
    /// more pages and does not name the next one in the way that the list is walked.
    ///
    /// # Cancel safety
    ///
    /// No page is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Reply<Page<T>>, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Makes the list that of the page after `page`.
    fn turn(&mut self, page: &Reply<Page<T>>) -> Result<(), Error> {
        let Some(mut list) = self.list.take() else { return Ok(()) };
        let unexpected = |what: &str| {
            let answer = UnexpectedAnswer::new(page.status(), what, page.envelope().clone());
            Err(Error::from(Box::new(answer)))
        };
        let Some((parameter, cursor)) = list.paging.after(page, &list.query) else {
            return list.paging.contradiction(page).map_or(Ok(()), unexpected);
        };
        let mut hasher = DefaultHasher::new();
        cursor.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return unexpected(match list.paging {
                Paging::Id => "a page whose successor was read already; the list would have no end",
                Paging::Cursor | Paging::Token => {
                    "a page whose successor was read already; the list would have no end: if that was its first page, walk it \
                     by `cursor` in place of `token`, or the other way round"
                }
            });
        }
        list.query.set(parameter, cursor);
        self.list = Some(list);
        Ok(())
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Stream for Pages<T> {
    type Item = Result<Reply<Page<T>>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(list) = &mut this.list else { return Poll::Ready(None) };
        let fetching = this.fetching.get_or_insert_with(|| list.fetch());
        let fetched = ready!(fetching.as_mut().poll(cx));
        this.fetching = None;
        let turned = fetched.and_then(|page| this.turn(&page).map(|()| page));
        if turned.is_err() {
            this.list = None;
        }
        Poll::Ready(Some(turned))
    }
}

impl<T> Unpin for Pages<T> {}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("list", &self.list).finish_non_exhaustive()
    }
}

/// The items of a [`List`]. It ends after the first error.
///
/// Example: [`List`](crate::List).
pub struct Items<T> {
    pages: Pages<T>,
    page: VecDeque<T>,
}

impl<T: DeserializeOwned + Send + Sync + 'static> Items<T> {
    /// Waits for the next item; `None` is the end.
    ///
    /// # Errors
    ///
    /// As [`Pages::next`].
    ///
    /// # Cancel safety
    ///
    /// No item is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(item) = this.page.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)) {
                Some(Ok(page)) => this.page = page.into_inner().data.into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> Unpin for Items<T> {}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).field("at_hand", &self.page.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn after(paging: Paging, page: Value, query: &[(&str, &str)]) -> Option<(&'static str, String)> {
        let mut asked = Query::default();
        for (name, value) in query {
            asked.push(*name, *value);
        }
        paging.after(&serde_json::from_value::<Page<Value>>(page).unwrap(), &asked)
    }

    /// The five shapes of page that the API has.
    #[test]
    fn each_shape_of_page_leads_to_the_next_one() {
        let next = |parameter, value: &str| Some((parameter, value.to_owned()));
        let by_id =
            |has_more: Value| json!({"data": [1], "has_more": has_more, "first_id": "a", "last_id": "b"});
        let cursor =
            |has_more: Value| json!({"data": [], "has_more": has_more, "next_page": "n", "prev_page": "p"});
        assert_eq!(after(Paging::Id, by_id(json!(true)), &[]), next("after_id", "b"));
        assert_eq!(after(Paging::Id, by_id(Value::Null), &[("after_id", "z")]), next("after_id", "b"));
        assert_eq!(after(Paging::Id, by_id(json!(true)), &[("before_id", "z")]), next("before_id", "a"));
        assert_eq!(after(Paging::Id, by_id(json!(false)), &[]), None);
        assert_eq!(after(Paging::Id, json!({"data": [], "has_more": true, "last_id": null}), &[]), None);
        assert_eq!(after(Paging::Cursor, cursor(Value::Null), &[]), next("page", "n"));
        assert_eq!(after(Paging::Cursor, cursor(json!(true)), &[]), next("page", "n"));
        assert_eq!(after(Paging::Cursor, cursor(json!(false)), &[]), None);
        assert_eq!(after(Paging::Cursor, json!({"data": [1], "next_page": ""}), &[]), None);
        assert_eq!(after(Paging::Token, cursor(Value::Null), &[]), next("page_token", "n"));
        assert_eq!(after(Paging::Token, cursor(json!(false)), &[]), None);
    }

    #[test]
    fn a_list_that_is_walked_in_a_wrong_way_does_not_end_in_silence() {
        let told = |paging: Paging, page: Value| {
            paging.contradiction(&serde_json::from_value::<Page<Value>>(page).unwrap()).unwrap_or_default()
        };
        let cursor = json!({"data": [1], "next_page": "n"});
        assert!(told(Paging::Id, cursor).ends_with("walk the list by `cursor` or by `token`"));
        let by_id = json!({"data": [1], "has_more": true, "first_id": "a", "last_id": "b"});
        for paging in [Paging::Cursor, Paging::Token] {
            assert!(told(paging, by_id.clone()).ends_with("walk the list by `id`"));
        }
        for paging in [Paging::Id, Paging::Cursor, Paging::Token] {
            let nowhere = json!({"data": [1], "has_more": true, "next_page": null, "last_id": ""});
            assert!(told(paging, nowhere).ends_with("not the whole list"));
            for last in [
                json!({"data": []}),
                json!({"data": [], "has_more": false, "next_page": "n", "last_id": "b"}),
            ] {
                assert_eq!(told(paging, last), "");
            }
        }
    }
}
