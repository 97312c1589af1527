//! Skills and user profiles, from their creation to their end.

use claude_sdk::{
    Error, SkillFiles,
    types::{EnforcementStatus, ExternalUser, ProfileAccess, SkillSourceKind, UserProfileParams},
};
use futures_util::StreamExt as _;
use serde_json::json;

use crate::rig::{client, held};

fn files(name: &str) -> SkillFiles {
    let manifest = format!("---\nname: {name}\ndescription: Says {name}.\n---\nSay it.");
    SkillFiles::new().file(format!("{name}/SKILL.md"), manifest).file(format!("{name}/more/a.txt"), "a")
}

#[tokio::test]
async fn a_skill_has_versions_and_each_can_be_looked_at_got_back_and_deleted() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let skills = client.skills();
    let skill = skills.create(Some("For people"), files("one")).await.unwrap();
    assert_eq!(skill.display_name.as_deref(), Some("For people"));
    assert_eq!(skill.source.as_ref().unwrap().kind, SkillSourceKind::Custom);
    let other = skills.create(None, files("two")).await.unwrap();
    assert_eq!(other.display_name.as_deref(), Some("two"));

    let version = skills.create_version(&skill.id, files("better")).await.unwrap();
    assert_eq!((version.name.as_deref(), &version.skill_id), (Some("better"), &skill.id));
    let changed = skills.get(&skill.id).await.unwrap();
    assert_eq!(changed.latest_version_id.as_ref(), Some(&version.id));
    let versions: Vec<String> = skills
        .versions(&skill.id)
        .limit(1)
        .items()
        .map(|version| version.unwrap().name.unwrap())
        .collect()
        .await;
    assert_eq!(versions, ["better", "one"]);
    assert_eq!(skills.version(&skill.id, "latest").await.unwrap().id, version.id);

    let archive = skills.download_version(&skill.id, &version.id).await.unwrap().bytes(10_000).await.unwrap();
    assert!(archive.starts_with(b"PK"));
    assert_eq!(skills.delete_version(&skill.id, &version.id).await.unwrap().id, version.id);
    assert_eq!(skills.version(&skill.id, &version.id).await.unwrap_err().status().unwrap(), 404);

    let custom: Vec<String> =
        skills.list().query("source", "custom").items().map(|skill| skill.unwrap().id).collect().await;
    assert_eq!(custom, [other.id.clone(), skill.id.clone()]);
    assert_eq!(skills.delete(&skill.id).await.unwrap().id, skill.id);
    assert_eq!(skills.list().await.unwrap().data.len(), 1);
}

#[tokio::test]
async fn a_skill_that_is_none_is_refused_with_the_place() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let cases = [
        (SkillFiles::new(), "all must be in one folder"),
        (SkillFiles::new().file("SKILL.md", "x"), "all must be in one folder"),
        (SkillFiles::new().file("a/b.md", "x"), "SKILL.md is missing"),
        (SkillFiles::new().file("a/SKILL.md", "no front"), "must begin with its name"),
        (SkillFiles::new().file("a/../SKILL.md", "x"), "no path below the skill"),
    ];
    for (files, expected) in cases {
        let error = client.skills().create(None, files).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = client.skills().versions("../x").pages().next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Config(_)), "{error}");
}

#[tokio::test]
async fn a_user_profile_is_created_changed_linked_and_deleted() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let profiles = client.user_profiles();
    let params = UserProfileParams::new()
        .name("Reader")
        .access_type(ProfileAccess::Passthrough)
        .external_user(ExternalUser::new().country("DE").reference_id("crm-7"))
        .metadata("plan", "free");
    let profile = profiles.create(&params).await.unwrap();
    assert_eq!(profile.access_type, Some(ProfileAccess::Passthrough));
    assert_eq!(profile.enforcement_status, Some(EnforcementStatus::Unrestricted));
    let user = profile.external_user_details.as_ref().unwrap();
    assert_eq!((user.country.as_deref(), user.email_hash.as_deref()), (Some("DE"), None));

    let change = UserProfileParams::new().metadata("plan", "").metadata("seat", "4");
    let changed = profiles.update(&profile.id, &change).await.unwrap();
    assert_eq!(
        (changed.name.as_deref(), changed.metadata.as_ref()),
        (Some("Reader"), Some(&json!({"seat": "4"})))
    );
    assert_eq!(*profiles.get(&profile.id).await.unwrap(), *changed);

    let link = profiles.create_action_url(&profile.id, "enroll_end_user").await.unwrap();
    assert!(link.url.starts_with("http") && link.expires_at.is_some());
    profiles.create_enrollment_url(&profile.id).await.unwrap();
    assert_eq!(server.journal().pop().unwrap().header("anthropic-beta"), Some("user-profiles-2026-08-18"));

    let listed: Vec<String> = profiles
        .list()
        .query("enforcement_status[]", "unrestricted")
        .items()
        .map(|profile| profile.unwrap().id)
        .collect()
        .await;
    assert_eq!(listed, std::slice::from_ref(&profile.id));
    assert_eq!(profiles.list().query("enforcement_status[]", "banned").await.unwrap().data.len(), 0);
    assert_eq!(profiles.delete(&profile.id).await.unwrap().id, profile.id);
    assert_eq!(profiles.get(&profile.id).await.unwrap_err().status().unwrap(), 404);
}
