//! One page of a list.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One page of a list, with what leads to the next one.
///
/// Lists that are walked by the ids of their items have `has_more`, `first_id` and `last_id`; those that are walked by
/// cursors have `next_page`, and some have `prev_page` or `has_more` as well. Which of them is followed, the list knows:
/// see [`List`](crate::List).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items of this page; there may be none although there are more pages.
    pub data: Vec<T>,
    /// Whether there are items beyond this page, in the direction that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// The id of the first item; what `before_id` of the page before this one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_id: Option<String>,
    /// The id of the last item; what `after_id` of the page after this one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_id: Option<String>,
    /// Where the page after this one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
    /// Where the page before this one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev_page: Option<String>,
    /// The members that have no field here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
