//! How near the organization is to its spend limits, for a credential that may read them.

use claude_sdk::Client;
use serde::Deserialize;

use super::Finding;

const SPEND: &str = "spend";
/// From which part of a limit on somebody should know.
const NEAR: f64 = 0.9;

#[derive(Debug, Deserialize)]
struct Page {
    data: Vec<Row>,
}

/// One limit that applies, in the smallest unit of the currency.
#[derive(Debug, Deserialize)]
struct Row {
    amount: Option<String>,
    currency: String,
    period: String,
    period_to_date_spend: String,
}

impl Row {
    /// The part of the limit that is spent, and how that reads.
    fn spent(&self) -> Option<(f64, String)> {
        let limit: f64 = self.amount.as_ref()?.parse().ok()?;
        let spent: f64 = self.period_to_date_spend.parse().ok()?;
        let part = if limit > 0.0 { spent / limit } else { 1.0 };
        let of = format!("{:.2} of {:.2} {} ({})", spent / 100.0, limit / 100.0, self.currency, self.period);
        Some((part, of))
    }
}

/// The fullest limit of the first page. Most credentials may not read them, which is nothing to tell.
pub(super) async fn look(client: &Client) -> Option<Finding> {
    let page = client.raw().get("/v1/organizations/spend_limits/effective").send().await.ok()?;
    let Page { data } = serde_json::from_slice(&page).ok()?;
    let fullest = data.iter().filter_map(Row::spent).max_by(|(one, _), (other, _)| one.total_cmp(other));
    Some(match fullest {
        None => Finding::ok(SPEND, "no spend limit applies"),
        Some((part, of)) if part < NEAR => Finding::ok(SPEND, format!("{of} at the most")),
        Some((part, of)) if part < 1.0 => {
            Finding::warning(SPEND, format!("{of} is spent"), "ask for more before calls are refused")
        }
        Some((_, of)) => Finding::problem(
            SPEND,
            format!("{of} is spent: calls are refused"),
            "ask whoever runs the organization for more",
        ),
    })
}
