//! Many clients whose tokens end together, or whose token endpoint is down, do not all ask at once.

use std::time::Duration;

use auth_core::Policy;

use crate::entropy;

/// Over how long their renewals are spread, in milliseconds: enough for a thousand clients to make no more than 30
/// renewals in any second.
const SPREAD: u64 = 90_000;

/// The policy of one client among many.
pub(crate) fn drawn() -> Policy {
    // Without randomness many clients may renew at once, which is no reason not to begin.
    policy(entropy::seed().unwrap_or_default())
}

/// The policy of a client that drew this number.
fn policy(drawn: u64) -> Policy {
    Policy { jitter: Duration::from_millis(drawn % SPREAD), ..Policy::default() }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use auth_core::{Client, Output, Server, Snapshot, TokenMachine};

    use super::*;

    const CLIENTS: usize = 1_000;
    const TICK: Duration = Duration::from_millis(200);
    /// A second, however the ticks lie in it.
    const SECOND: usize = 6;

    fn machine(policy: Policy, expires_at: SystemTime) -> TokenMachine {
        let server = Server::new("https://auth.example/token".parse().unwrap()).unwrap();
        let mut machine = TokenMachine::new(server, Client::public("app"), policy);
        machine.restore(Snapshot {
            access_token: "a".into(),
            refresh_token: Some("r".into()),
            expires_at: Some(expires_at),
            scopes: None,
            generation: 1,
            extra: serde_json::Map::new(),
        });
        machine
    }

    /// G14, with everybody asking all the time.
    #[test]
    fn a_thousand_clients_with_one_expiry_make_at_most_thirty_renewals_in_a_second() {
        let expires_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let begin = expires_at - Duration::from_secs(220);
        for fleet in 0..3 {
            let mut random = fastrand::Rng::with_seed(fleet);
            let mut renewals = vec![0_usize; 1100];
            for _ in 0..CLIENTS {
                let mut machine = machine(policy(random.u64(..)), expires_at);
                let ticks = (0..).take_while(|tick| {
                    let now = begin + TICK * *tick;
                    let _ = machine.access(now);
                    !matches!(machine.poll(now), Output::Transmit { .. })
                });
                renewals[ticks.count()] += 1;
            }
            let peak = renewals.windows(SECOND).map(|ticks| ticks.iter().sum::<usize>()).max().unwrap();
            assert!(peak <= CLIENTS * 3 / 100, "fleet {fleet}: {peak} renewals in a second");
            assert_eq!(renewals.iter().sum::<usize>(), CLIENTS);
        }
    }
}
