//! A string with known values.

/// Declares an enum of known strings, with `Other` for every other string.
///
/// Read one with `From<&str>` or `From<String>`: both give the known variant where there is one.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$doc:meta])* $variant:ident = $text:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// A value that is not known here, as it came.
            Other(String),
        }

        impl $name {
            /// The value as the API spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }

            #[inline]
            fn known(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl From<&str> for $name {
            #[inline]
            fn from(text: &str) -> Self {
                Self::known(text).unwrap_or_else(|| Self::Other(text.to_owned()))
            }
        }

        impl From<String> for $name {
            #[inline]
            fn from(text: String) -> Self {
                Self::known(&text).unwrap_or(Self::Other(text))
            }
        }

        impl std::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        serde_string!($name);
    };
}

/// Reads and writes a type as the string it is, through `as_str` and `From<String>`.
macro_rules! serde_string {
    ($name:ident) => {
        impl $crate::types::wire::Write for $name {
            #[inline]
            fn json(&self) -> $crate::types::wire::Json<'_> {
                $crate::types::wire::Json::Text(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }

        impl $crate::types::wire::Fit for $name {
            #[inline]
            fn fits(value: &serde_json::Value) -> bool {
                value.is_string()
            }

            #[inline]
            fn fit(value: serde_json::Value) -> Option<Self> {
                $crate::types::wire::text_of(value).map(Self::from)
            }

            #[inline]
            fn shape() -> String {
                "a string".to_owned()
            }

            fn read<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$crate::types::wire::read::Reading<Self>, D::Error> {
                $crate::types::wire::read::scalar(deserializer)
            }

            #[inline]
            fn read_member<'de, A: serde::de::MapAccess<'de>>(
                field: &mut Option<Self>,
                members: &mut A,
                name: &'static str,
                others: &mut $crate::types::wire::read::Others,
            ) -> Result<(), A::Error> {
                $crate::types::wire::read::text_member(field, members, name, others)
            }
        }

        impl $crate::types::wire::read::Scalar for $name {
            #[inline]
            fn of_str(value: &str) -> Option<Self> {
                Some(Self::from(value))
            }
        }
    };
}
