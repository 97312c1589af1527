//! One of several shapes: told apart by `type`, or by what they are.

/// Declares an enum of shapes that need no `type` to be told apart, such as a text or a list; the first that fits is it.
macro_rules! either {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$doc:meta])* $variant:ident($type:ty),)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant($type),)*
        }

        $(impl From<$type> for $name {
            #[inline]
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        })*

        impl $crate::types::wire::Write for $name {
            #[inline]
            fn json(&self) -> $crate::types::wire::Json<'_> {
                match self {
                    $(Self::$variant(value) => $crate::types::wire::Write::json(value),)*
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::types::wire::Write::json(self).serialize(serializer)
            }
        }

        impl $crate::types::wire::Fit for $name {
            #[inline]
            fn fits(value: &serde_json::Value) -> bool {
                false $(|| <$type as $crate::types::wire::Fit>::fits(value))*
            }

            #[inline]
            fn fit(value: serde_json::Value) -> Option<Self> {
                $(if <$type as $crate::types::wire::Fit>::fits(&value) {
                    return <$type as $crate::types::wire::Fit>::fit(value).map(Self::$variant);
                })*
                None
            }

            #[inline]
            fn shape() -> String {
                [$(<$type as $crate::types::wire::Fit>::shape()),*].join(" or ")
            }

            #[inline]
            fn find_misfit(
                value: &serde_json::Value,
                care: $crate::types::wire::Care,
            ) -> Option<$crate::types::wire::Misfit> {
                let mut deepest = $crate::types::wire::Misfit::kind(value, Self::shape());
                $(deepest = deepest.deepest(<$type as $crate::types::wire::Fit>::misfit(value, care)?);)*
                Some(deepest)
            }
        }
    };
}

/// Declares an enum of objects told apart by their member `type`, with `Unknown` for every other object.
macro_rules! tagged {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$doc:meta])* $variant:ident($object:ident) = $tag:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant($object),)*
            /// An object of a type that is not known here, or not of the shape known here: all its members.
            Unknown(serde_json::Map<String, serde_json::Value>),
        }

        impl $name {
            /// The value of the member `type`; empty where an unknown object has none.
            #[must_use]
            #[inline]
            pub fn type_name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $tag,)*
                    Self::Unknown(members) => {
                        members.get("type").and_then(serde_json::Value::as_str).unwrap_or_default()
                    }
                }
            }
        }

        impl From<serde_json::Map<String, serde_json::Value>> for $name {
            #[inline]
            fn from(members: serde_json::Map<String, serde_json::Value>) -> Self {
                $crate::types::wire::read::Tagged::of(members)
            }
        }

        impl $crate::types::wire::read::Tagged for $name {
            const KINDS: &'static [(&'static str, &'static $crate::types::wire::Places)] =
                &[$(($tag, <$object as $crate::types::wire::Object>::PLACES),)*];

            #[inline]
            fn of_members(mut members: serde_json::Map<String, serde_json::Value>) -> Self {
                let tag = $crate::types::wire::read::take_tag(&mut members);
                match tag.as_ref().and_then(serde_json::Value::as_str) {
                    $(Some($tag) => {
                        if let Some(object) = <$object as $crate::types::wire::Object>::take_from(&mut members) {
                            return Self::$variant(object);
                        }
                    })*
                    _ => {}
                }
                $crate::types::wire::read::put_tag_back(&mut members, tag);
                Self::Unknown(members)
            }

            fn read_after<'de, A: serde::de::MapAccess<'de>>(tag: &str, members: A) -> Result<Self, A::Error> {
                $(if <$object as $crate::types::wire::Object>::IN_ONE_PASS && tag == $tag {
                    let mut object = None;
                    let read = <$object as $crate::types::wire::Object>::read_members(&mut object, members)?;
                    if let Some(mut object) = object {
                        object.extra.forget("type");
                        return Ok(Self::$variant(object));
                    }
                    let mut unknown = read.err().unwrap_or_default();
                    unknown.insert("type".to_owned(), tag.into());
                    return Ok(Self::Unknown(unknown));
                })*
                let mut read = serde_json::Map::new();
                $crate::types::wire::read::rest(&mut read, members)?;
                read.insert("type".to_owned(), tag.into());
                Ok(Self::from(read))
            }
        }

        $(impl From<$object> for $name {
            #[inline]
            fn from(object: $object) -> Self {
                Self::$variant(object)
            }
        })*

        impl $crate::types::wire::Write for $name {
            #[inline]
            fn json(&self) -> $crate::types::wire::Json<'_> {
                use $crate::types::wire::{Json, Lead};

                match self {
                    $(Self::$variant(object) => Json::Object(object, Some(Lead::Type($tag))),)*
                    Self::Unknown(members) => Json::Members(members),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::types::wire::Write::json(self).serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::Error as _;

                $crate::types::wire::read::tagged(deserializer)?.map_err(|value| {
                    let shape = <Self as $crate::types::wire::Fit>::shape();
                    D::Error::custom($crate::types::wire::Misfit::kind(&value, shape))
                })
            }
        }

        impl $crate::types::wire::Fit for $name {
            #[inline]
            fn fits(value: &serde_json::Value) -> bool {
                value.is_object()
            }

            #[inline]
            fn fit(value: serde_json::Value) -> Option<Self> {
                $crate::types::wire::members_of(value).map(Self::from)
            }

            #[inline]
            fn shape() -> String {
                "an object".to_owned()
            }

            #[inline]
            fn find_misfit(
                value: &serde_json::Value,
                care: $crate::types::wire::Care,
            ) -> Option<$crate::types::wire::Misfit> {
                $crate::types::wire::Misfit::of_kinds(<Self as $crate::types::wire::read::Tagged>::KINDS, value, care)
            }

            fn read<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$crate::types::wire::read::Reading<Self>, D::Error> {
                $crate::types::wire::read::tagged(deserializer)
            }

            #[inline]
            fn read_into<'de, D: serde::Deserializer<'de>>(
                place: &mut Option<Self>,
                deserializer: D,
            ) -> Result<$crate::types::wire::read::Reading<()>, D::Error> {
                $crate::types::wire::read::tagged_into(place, deserializer)
            }

            #[inline]
            fn read_onto<'de, D: serde::Deserializer<'de>>(
                list: &mut Vec<Self>,
                deserializer: D,
            ) -> Result<$crate::types::wire::read::Reading<()>, D::Error> {
                $crate::types::wire::read::tagged_into(list, deserializer)
            }
        }
    };
}
