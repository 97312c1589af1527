//! Files that were put onto the service.

object! {
    /// What the service says about a file (`GET /v1/files/{file_id}`). Times are RFC 3339 text.
    ///
    /// Example: [`Files`](crate::Files).
    FileMetadata {
        /// The identifier to put into messages.
        id: String,
        /// The name it was given.
        filename: String,
        /// Its media type.
        mime_type: Option<String>,
        /// How large it is.
        size_bytes: Option<u64>,
        /// When it was put there.
        created_at: Option<String>,
        /// Whether its content can be got back: only what tools have made can.
        downloadable: Option<bool>,
        /// When it is thrown away; never where it does not say.
        expires_at: Option<String>,
    }
}

serde_object!(FileMetadata);
