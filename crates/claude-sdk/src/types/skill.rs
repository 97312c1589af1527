//! Skills: folders of instructions and programs that a model can use.

object! {
    /// A skill (`GET /v1/skills/{skill_id}`). Times are RFC 3339 text.
    ///
    /// Example: [`Skills`](crate::Skills).
    Skill {
        /// The identifier to put into messages.
        id: String,
        /// The name to show to people.
        display_name: Option<String>,
        /// The newest version's identifier.
        latest_version_id: Option<String>,
        /// Whose it is.
        source: Option<SkillSource>,
        /// When it was created.
        created_at: Option<String>,
        /// When it was changed last.
        updated_at: Option<String>,
    }
}

object! {
    /// Whose a skill is.
    ///
    /// Example: [`Skills`](crate::Skills).
    SkillSource {
        /// The kind of source.
        kind as "type": SkillSourceKind,
    }
}

open_enum! {
    /// The kinds of source that skills have.
    ///
    /// Example: [`Skills`](crate::Skills).
    SkillSourceKind {
        /// Made by the workspace.
        Custom = "custom",
        /// Made by Anthropic.
        Anthropic = "anthropic",
        /// An example that Anthropic made.
        AnthropicExample = "anthropic_example",
        /// Part of a plugin.
        Plugin = "plugin",
    }
}

object! {
    /// One version of a skill (`GET /v1/skills/{skill_id}/versions/{version}`).
    ///
    /// Example: [`Skills`](crate::Skills).
    SkillVersion {
        /// The version's identifier.
        id: String,
        /// The skill it is a version of.
        skill_id: String,
        /// The name, as its `SKILL.md` says.
        name: Option<String>,
        /// What it is for, as its `SKILL.md` says.
        description: Option<String>,
        /// When it was created, as RFC 3339 text.
        created_at: Option<String>,
    }
}

serde_object!(Skill, SkillSource, SkillVersion);
