//! The errors of the API: which type goes with a status, and which codes tell errors of one type apart.

/// The type of error that goes with a status.
pub(crate) fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

/// The status that goes with a code; none if the API has no such code.
pub(crate) fn status(code: &str) -> Option<u16> {
    CODES.iter().find(|(_, codes)| codes.contains(&code)).map(|(status, _)| *status)
}

/// The codes of November 2026, by status.
const CODES: &[(u16, &[&str])] = &[
    (
        400,
        &[
            "already_member",
            "available_tools_limit_exceeded",
            "bundle_attachment_not_supported",
            "bundle_on_call",
            "cannot_invite_emails_with_unverified_domains",
            "cannot_remove_last_member",
            "cannot_sign_out_primary_owner",
            "cannot_sign_out_self",
            "claude_code_key_creator_not_member",
            "claude_code_version_too_old",
            "cmek_feature_unsupported",
            "cmek_key_disabled",
            "cmek_key_network_blocked",
            "compaction_block_ambiguous",
            "compaction_block_misplaced",
            "compaction_content_mismatch",
            "compaction_incomplete_turn",
            "compaction_nothing_to_summarize",
            "compaction_signature_invalid",
            "compaction_too_many_tool_references",
            "compaction_tool_changes_mismatch",
            "email_domain_not_allowed",
            "environment_archived",
            "external_key_in_workspace_policy",
            "external_key_validation_failed",
            "external_key_validation_timed_out",
            "file_not_downloadable",
            "image_dimensions_too_large",
            "invalid_config_type_change",
            "invalid_metadata",
            "invite_already_exists",
            "key_profile_mismatch",
            "org_api_key_limit_exceeded",
            "org_member_limit_exceeded",
            "organization_not_enrolled_in_beta",
            "organization_on_hold",
            "organization_type_not_supported",
            "parent_organization_required",
            "rbac_group_grants_owner_access",
            "rbac_group_order_limit_exceeded",
            "rbac_group_owner_access_unconfirmed",
            "request_body_encoding_invalid",
            "request_body_encoding_unsupported",
            "request_body_timeout",
            "scan_failed",
            "settings_document_limit_exceeded",
            "settings_history_limit_exceeded",
            "slack_channel_set_up_settings_refused",
            "storage_quota_exceeded",
            "thread_already_continued",
            "thread_continue_in_flight",
            "thread_fingerprint_mismatch",
            "thread_unsupported_request",
            "tool_name_conflict",
            "tool_reference_unresolved",
            "unsupported_charset",
            "user_profile_not_found",
            "user_profile_required",
            "workspace_api_key_limit_exceeded",
            "workspace_member_limit_exceeded",
            "workspace_policy_violation",
        ],
    ),
    (402, &["linked_organization_billing_unavailable", "linked_organization_spend_limit_reached"]),
    (
        403,
        &[
            "api_key_scope_missing",
            "cannot_sign_out_managed_member",
            "cannot_sign_out_membership_admin",
            "cannot_sign_out_owner",
            "cannot_sign_out_privileged_member",
            "claude_tag_writes_not_enabled",
            "compliance_configuration_restricted",
            "environment_create_disabled",
            "environment_update_disabled",
            "organization_level_scoped_api_key_required",
            "sandbox_egress_restricted",
            "spend_limits_admin_api_writes_not_enabled",
            "user_profile_billing_not_authorized",
            "user_profile_not_billable",
        ],
    ),
    (
        404,
        &[
            "environment_not_found",
            "file_expired",
            "rbac_group_managed_settings_not_found",
            "rbac_group_not_found",
            "rbac_role_not_found",
            "slack_channel_set_up_environment_not_found",
            "thread_not_found",
        ],
    ),
    (
        409,
        &[
            "concurrent_membership_change",
            "external_key_changed",
            "plugin_name_taken",
            "scan_pending",
            "skill_name_taken",
            "skill_read_blocked_undecryptable",
            "slack_channel_set_up_settings_conflict",
        ],
    ),
    (412, &["heartbeat_precondition_failed"]),
    (413, &["request_body_too_large_after_decoding"]),
    (429, &["contract_spend_limit_reached", "enforced_spend_limit_reached", "ramp_limit_exceeded"]),
    (503, &["cmek_context_unavailable", "cmek_key_unreachable", "registration_pending"]),
    (529, &["compaction_unavailable"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_codes_have_their_status_and_each_only_one() {
        let all: Vec<&str> = CODES.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
        let different: std::collections::HashSet<&str> = all.iter().copied().collect();
        assert_eq!((all.len(), different.len()), (100, 100));
        assert_eq!(
            (status("file_expired"), status("ramp_limit_exceeded"), status("no_such")),
            (Some(404), Some(429), None)
        );
    }
}
