/// What a call to `path` is, below a base URL whose path is `base`; one of few words.
#[inline]
pub(crate) fn operation(base: &str, path: &str) -> &'static str {
    let route = path.strip_prefix(base.trim_end_matches('/')).unwrap_or(path);
    let mut segments = route.trim_start_matches('/').split('/').skip(1);
    match (segments.next(), segments.next()) {
        (Some("messages"), None) => "chat",
        (Some("messages"), Some("count_tokens")) => "count_tokens",
        (Some("messages"), Some("batches")) => "batches",
        (Some("models"), _) => "models",
        (Some("files"), _) => "files",
        (Some("skills"), _) => "skills",
        (Some("user_profiles"), _) => "user_profiles",
        (Some("organizations"), _) => "organization",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_one_of_few_operations_whatever_ids_are_in_it() {
        for (base, path, expected) in [
            ("/", "/v1/messages", "chat"),
            ("/", "/v1/messages/count_tokens", "count_tokens"),
            ("/", "/v1/messages/batches/msgbatch_1/results", "batches"),
            ("/gateway/", "/gateway/v1/models/claude-haiku-4-5", "models"),
            ("/gateway", "/gateway/v1/files/file_1/content", "files"),
            ("/", "/v1/skills/s_1/versions", "skills"),
            ("/", "/v1/user_profiles/u_1", "user_profiles"),
            ("/", "/v1/organizations/me", "organization"),
            ("/", "/v1/brand_new/models", "other"),
            ("/", "/", "other"),
        ] {
            assert_eq!(operation(base, path), expected, "{path}");
        }
    }
}
