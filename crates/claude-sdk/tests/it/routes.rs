//! Which routes are typed: what docs/api.md says of them, held to what arrives at a server.

use std::{collections::BTreeSet, time::Duration};

use claude_sdk::{
    FileUpload, SkillFiles,
    types::{BatchRequest, Model, UserProfileParams},
};

use crate::rig::{client, held, hello};

const TABLE: &str = include_str!("../../../../docs/api.md");

/// The groups with a handle of their own: the path that they are below, and how many routes they have.
fn typed() -> Vec<(&'static str, usize)> {
    let rows = TABLE.lines().filter(|line| line.starts_with("| ") && line.contains("()`"));
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>());
    cells.filter(|cells| cells[5] != "raw()").map(|cells| (cells[2], cells[3].parse().unwrap())).collect()
}

#[tokio::test]
async fn the_table_of_routes_says_what_is_typed() {
    let server = held().batch_time(Duration::ZERO).start().await.unwrap();
    let client = client(&server).0.max_retries(0).build().unwrap();
    client.messages().create(&hello()).await.unwrap();
    client.messages().count_tokens(&hello()).await.unwrap();
    client.models().list().await.unwrap();
    client.models().get(&Model::from("x")).await.unwrap_err();

    let batch = client.batches().create(&[BatchRequest::new("a", hello())]).await.unwrap();
    client.batches().results(&batch.id).await.unwrap().next().await.unwrap().unwrap();
    client.batches().list().await.unwrap();
    client.batches().cancel(&batch.id).await.unwrap();
    client.batches().delete(&batch.id).await.unwrap();

    client.files().upload(FileUpload::bytes("a", "a")).await.unwrap();
    client.files().list().await.unwrap();
    client.files().get("x").await.unwrap_err();
    client.files().download("x").await.unwrap_err();
    client.files().delete("x").await.unwrap_err();

    client.skills().create(None, SkillFiles::new()).await.unwrap_err();
    client.skills().list().await.unwrap();
    client.skills().get("x").await.unwrap_err();
    client.skills().delete("x").await.unwrap_err();
    client.skills().create_version("x", SkillFiles::new()).await.unwrap_err();
    client.skills().versions("x").await.unwrap_err();
    client.skills().version("x", "x").await.unwrap_err();
    client.skills().delete_version("x", "x").await.unwrap_err();
    client.skills().download_version("x", "x").await.unwrap_err();

    client.user_profiles().create(&UserProfileParams::new()).await.unwrap();
    client.user_profiles().list().await.unwrap();
    client.user_profiles().get("x").await.unwrap_err();
    client.user_profiles().update("x", &UserProfileParams::new()).await.unwrap_err();
    client.user_profiles().delete("x").await.unwrap_err();
    client.user_profiles().create_action_url("x", "enroll_end_user").await.unwrap_err();
    client.user_profiles().create_enrollment_url("x").await.unwrap_err();
    client.organization().rate_limits().await.unwrap_err();

    let arrived: BTreeSet<String> = server
        .journal()
        .iter()
        .map(|entry| format!("{} {}", entry.method, entry.path.replace(&batch.id, "x")))
        .collect();
    let groups = typed();
    assert_eq!(groups.len(), 7, "{groups:?}");
    for (below, routes) in &groups {
        // A longer path of another group is not of this one.
        let is_others =
            |path: &str| groups.iter().any(|(other, _)| other.len() > below.len() && path.starts_with(other));
        let of_it = arrived
            .iter()
            .filter_map(|call| call.split_once(' '))
            .filter(|(_, path)| path.starts_with(below) && !is_others(path));
        assert_eq!(of_it.count(), *routes, "{below}: {arrived:?}");
    }
    assert_eq!(arrived.len(), groups.iter().map(|(_, routes)| routes).sum::<usize>());
}
