//! Deliveries of webhooks that GitHub could not make, as the App sees them.

use reqwest::Method;
use serde::Deserialize;

use super::call::Call;
use super::{Client, Result, wire};

#[derive(Debug, Deserialize)]
struct WireDelivery {
    id: u64,
    #[serde(default)]
    status_code: u16,
}

/// How many deliveries are looked through. Servers that do not know which failed list all.
const N_DELIVERIES: usize = 100;

impl Client {
    /// The number of the last delivery that failed, if one is known of. Only an App may ask.
    pub async fn failed_delivery(&self) -> Result<Option<u64>> {
        let call = Call::app(Method::GET)
            .at(&["app", "hook", "deliveries"])
            .query("status", "failure")
            .query("per_page", N_DELIVERIES.to_string());
        let answer = self.call(&call).await?;
        let asked = self.inner.transport.asked(&call);
        let all: Vec<WireDelivery> = wire::parse(&answer.body, &asked)?;
        let failed = all.iter().filter(|delivery| !(200..400).contains(&delivery.status_code));
        Ok(failed.map(|delivery| delivery.id).max())
    }
}
