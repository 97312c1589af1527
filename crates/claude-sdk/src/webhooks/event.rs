object! {
    /// What a webhook says: something has happened to an object of yours.
    ///
    /// Example: [`webhooks`](crate::webhooks).
    WebhookEvent {
        /// The id of the event, the same when it is sent again.
        id: String,
        /// What kind of object this is; the service always says.
        kind as "type": Option<WebhookEventKind>,
        /// When it happened, as RFC 3339 text.
        created_at: Option<String>,
        /// What has happened, and to what.
        data: WebhookEventData,
    }
}

object! {
    /// What has happened, and to what.
    ///
    /// Example: [`webhooks`](crate::webhooks).
    WebhookEventData {
        /// What has happened.
        kind as "type": WebhookEventType,
        /// The id of what it has happened to.
        id: Option<String>,
        /// The organization it belongs to.
        organization_id: Option<String>,
        /// The workspace it belongs to.
        workspace_id: Option<String>,
    }
}

open_enum! {
    /// What kind of object a [`WebhookEvent`] is.
    ///
    /// Example: [`webhooks`](crate::webhooks).
    WebhookEventKind {
        /// An event.
        Event = "event",
    }
}

open_enum! {
    /// What has happened.
    ///
    /// Example: [`webhooks`](crate::webhooks).
    WebhookEventType {
        /// An agent was created.
        AgentCreated = "agent.created",
        /// An agent was changed.
        AgentUpdated = "agent.updated",
        /// An agent was archived.
        AgentArchived = "agent.archived",
        /// An agent was deleted.
        AgentDeleted = "agent.deleted",
        /// A deployment was created.
        DeploymentCreated = "deployment.created",
        /// A deployment was changed.
        DeploymentUpdated = "deployment.updated",
        /// A deployment was archived.
        DeploymentArchived = "deployment.archived",
        /// A deployment was deleted.
        DeploymentDeleted = "deployment.deleted",
        /// A deployment was paused.
        DeploymentPaused = "deployment.paused",
        /// A deployment goes on after a pause.
        DeploymentUnpaused = "deployment.unpaused",
        /// A run of a deployment began.
        DeploymentRunStarted = "deployment_run.started",
        /// A run of a deployment succeeded.
        DeploymentRunSucceeded = "deployment_run.succeeded",
        /// A run of a deployment failed.
        DeploymentRunFailed = "deployment_run.failed",
        /// An environment was created.
        EnvironmentCreated = "environment.created",
        /// An environment was changed.
        EnvironmentUpdated = "environment.updated",
        /// An environment was archived.
        EnvironmentArchived = "environment.archived",
        /// An environment was deleted.
        EnvironmentDeleted = "environment.deleted",
        /// A key kept elsewhere failed.
        ExternalKeyFailed = "external_key.failed",
        /// A key kept elsewhere works again.
        ExternalKeyRecovered = "external_key.recovered",
        /// A memory store was created.
        MemoryStoreCreated = "memory_store.created",
        /// A memory store was archived.
        MemoryStoreArchived = "memory_store.archived",
        /// A memory store was deleted.
        MemoryStoreDeleted = "memory_store.deleted",
        /// A session was created.
        SessionCreated = "session.created",
        /// A session was changed.
        SessionUpdated = "session.updated",
        /// A session was archived.
        SessionArchived = "session.archived",
        /// A session was deleted.
        SessionDeleted = "session.deleted",
        /// A session waits to begin.
        SessionPending = "session.pending",
        /// A session works.
        SessionRunning = "session.running",
        /// A session has nothing to do.
        SessionIdled = "session.idled",
        /// A session waits for somebody to act.
        SessionRequiresAction = "session.requires_action",
        /// A session has used up its budget.
        SessionBudgetReached = "session.budget_reached",
        /// A session had its outcome judged.
        SessionOutcomeEvaluationEnded = "session.outcome_evaluation_ended",
        /// A session has the status of working.
        SessionStatusRunStarted = "session.status_run_started",
        /// A session has the status of having nothing to do.
        SessionStatusIdled = "session.status_idled",
        /// A session has the status of being put off.
        SessionStatusRescheduled = "session.status_rescheduled",
        /// A session has the status of being over.
        SessionStatusTerminated = "session.status_terminated",
        /// A session began a thread.
        SessionThreadCreated = "session.thread_created",
        /// A session has a thread with nothing to do.
        SessionThreadIdled = "session.thread_idled",
        /// A session ended a thread.
        SessionThreadTerminated = "session.thread_terminated",
        /// A user profile has a measure taken against it.
        UserProfileEnforcementActionOpened = "user_profile.enforcement_action_opened",
        /// A user profile has a measure against it lifted.
        UserProfileEnforcementActionResolved = "user_profile.enforcement_action_resolved",
        /// A user profile has another status in a program.
        UserProfileProgramStatusUpdated = "user_profile.program_status_updated",
        /// A vault was created.
        VaultCreated = "vault.created",
        /// A vault was archived.
        VaultArchived = "vault.archived",
        /// A vault was deleted.
        VaultDeleted = "vault.deleted",
        /// A credential of a vault was created.
        VaultCredentialCreated = "vault_credential.created",
        /// A credential of a vault was archived.
        VaultCredentialArchived = "vault_credential.archived",
        /// A credential of a vault was deleted.
        VaultCredentialDeleted = "vault_credential.deleted",
        /// A credential of a vault could not be renewed.
        VaultCredentialRefreshFailed = "vault_credential.refresh_failed",
    }
}

serde_object!(WebhookEvent, WebhookEventData);
