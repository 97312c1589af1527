//! `claudectl profile`.

use std::fs;

use mock_server::MockServer;
use serde_json::{Value, json};

use crate::{claudectl::run, home::Home};

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_made_listed_shown_used_and_removed() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let of = |arguments: &[&str]| run(&mut home.claudectl(&[&["profile"], arguments].concat()));
    let set = of(&[
        "set",
        "ci",
        "federation_rule_id=fdrl_1",
        "organization_id=o",
        "identity_token_file=/run/token",
    ]);
    assert_eq!(set.ok(), "Profile ci is changed.\n");
    assert_eq!(home.json("configs/ci.json")["authentication"]["type"], "oidc_federation");
    of(&["set", "other", "client_id=app", "base_url=https://api.example"]).ok();

    let listed = of(&["list"]);
    let lines: Vec<&str> = listed.ok().lines().collect();
    assert_eq!(lines[0], "  ci       oidc_federation  https://api.anthropic.com/");
    assert_eq!(lines[1], format!("* default  user_oauth       {}", server.base_url()));
    assert_eq!(lines[2], "  other    user_oauth       https://api.example/");
    let listed: Value = serde_json::from_str(of(&["list", "--json"]).ok()).unwrap();
    assert_eq!((&listed[1]["name"], &listed[1]["active"]), (&json!("default"), &json!(true)));

    assert_eq!(of(&["use", "other"]).ok(), "Profile other is used from now on.\n");
    let shown = of(&["show"]);
    assert!(shown.ok().contains("base_url=https://api.example\nclient_id=app\n"), "{shown:?}");
    let shown: Value = serde_json::from_str(of(&["show", "default", "--json"]).ok()).unwrap();
    assert_eq!((&shown["name"], &shown["client_id"]), (&json!("default"), &json!(server.client_id())));

    of(&["set", "other", "client_id="]).ok();
    assert_eq!(home.json("configs/other.json")["authentication"].get("client_id"), None);
    assert_eq!(of(&["remove", "other"]).ok(), "Profile other is removed.\n");
    assert!(!home.config("active_config").exists());
    let removed = of(&["remove", "default"]);
    assert_eq!(removed.status, Some(0));
    assert!(removed.stderr.contains("not revoked"), "{removed:?}");
    assert!(!home.config("credentials/default.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn show_shows_no_token_and_nothing_that_is_not_known() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let mut profile = home.json("configs/default.json");
    profile["api_key"] = json!("CANARY");
    profile["authentication"]["client_secret"] = json!("CANARY");
    home.write("configs/default.json", profile.to_string());
    for arguments in
        [&["profile", "show"][..], &["profile", "show", "--json"], &["profile", "list", "--json"]]
    {
        let shown = run(&mut home.claudectl(arguments));
        assert!(shown.status == Some(0) && !format!("{shown:?}").contains("CANARY"), "{shown:?}");
    }
    run(&mut home.claudectl(&["profile", "set", "default", "workspace_id=w"])).ok();
    assert_eq!(home.json("configs/default.json")["authentication"]["client_secret"], "CANARY");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_set_is_refused_and_nothing_is_written() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let before = home.files();
    let cases: [(&[&str], i32, &str); 12] = [
        (&["set", "default"], 2, "KEY=VALUE"),
        (&["set", "default", "base_url"], 2, "write it as KEY=VALUE"),
        (&["set", "default", "colour=red"], 2, "no member of this name"),
        (&["set", "../../x", "base_url=https://a.example"], 2, "no profile's name"),
        (&["set", "default", "base_url=http://a.example"], 1, "base_url"),
        (&["set", "default", "base_url=https://user:CANARY@a.example"], 1, "base_url"),
        (&["set", "default", "token_endpoint=nowhere"], 1, "write it in full"),
        (&["set", "default", "credentials_path=here.json"], 1, "make it absolute"),
        (
            &["set", "default", "federation_rule_id=fdrl_1"],
            1,
            "means nothing in a profile of type user_oauth",
        ),
        (&["set", "default", "client_id=a\nb"], 1, "control character"),
        (&["use", "nobody"], 1, "there is no profile \"nobody\""),
        (&["remove", "nobody"], 1, "there is no profile \"nobody\""),
    ];
    for (arguments, status, advice) in cases {
        println!("{arguments:?}");
        run(&mut home.claudectl(&[&["profile"], arguments].concat())).failed(status, advice);
    }
    assert_eq!(home.files(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_profile_is_listed_as_one_and_can_be_removed() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let empty = run(&mut home.claudectl(&["profile", "list"]));
    assert_eq!((empty.status, empty.stdout.as_str()), (Some(0), ""));
    assert!(empty.stderr.contains("claudectl auth login"), "{empty:?}");
    home.write("configs/broken.json", "CANARY");
    let listed = run(&mut home.claudectl(&["profile", "list"]));
    assert!(listed.ok().contains("cannot be used") && !listed.stdout.contains("CANARY"), "{listed:?}");
    run(&mut home.claudectl(&["profile", "show", "broken"])).failed(1, "mend it");
    run(&mut home.claudectl(&["profile", "use", "broken"])).failed(1, "mend it");
    run(&mut home.claudectl(&["profile", "set", "broken", "client_id=a"])).failed(1, "mend it");
    run(&mut home.claudectl(&["profile", "remove", "broken"])).ok();
    assert_eq!(fs::read_dir(home.config("configs")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_does_not_exist_is_said_to_be_missing() {
    for arguments in [
        &["profile", "list"][..],
        &["auth", "login", "--client-id", "a"],
        &["auth", "token", "--profile", "a"],
    ] {
        run(&mut crate::claudectl::claudectl(arguments)).failed(1, "set ANTHROPIC_CONFIG_DIR, or HOME");
    }
}
