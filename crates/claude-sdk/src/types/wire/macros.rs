//! The shapes of the API's data, each declared once: an object, objects told apart by `type`, a string with known
//! values.

/// The JSON name of a field: its own, unless another is given.
macro_rules! json_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:literal) => {
        $name
    };
}

/// Declares an object: a struct with the fields named, and `extra` for everything else.
///
/// A field is written `name: Type` or, where JSON calls it otherwise, `name as "json_name": Type`. `Option` makes it
/// optional. The struct gets a setter `extra`, and is an [`Object`]. Constructors follow as signatures: each argument is
/// the field of its name, `where field = value` presets others, and what is left is optional and unset.
macro_rules! object {
    ($($declaration:tt)*) => {
        object_of! { by_map $($declaration)* }
    };
}

/// An [`object!`] that every reply is made of: its JSON is read in one pass. That is more code for each format it is
/// read from, so other objects do without.
macro_rules! hot_object {
    ($($declaration:tt)*) => {
        object_of! { in_one_pass $($declaration)* }
    };
}

/// What [`object!`] and [`hot_object!`] declare.
macro_rules! object_of {
    (
        $reader:ident
        $(#[$meta:meta])*
        $name:ident $fields:tt
        $(
            $(#[$doc:meta])*
            $vis:vis fn $new:ident($($arg:ident: $given:ty),* $(,)?) $(where $($preset:ident = $value:expr),+)?;
        )*
    ) => {
        object_struct! { $reader $(#[$meta])* $name $fields }
        $(object_new! {
            $(#[$doc])*
            [$vis] $name $new [$($arg: $given),*] [$($($preset = $value),+)?] $fields
        })*
    };
}

/// A constructor of an object.
macro_rules! object_new {
    (
        $(#[$doc:meta])*
        [$vis:vis] $name:ident $new:ident [$($arg:ident: $given:ty),*] [$($preset:ident = $value:expr),*]
        { $($(#[$meta:meta])* $field:ident $(as $json:literal)?: $type:ty,)* }
    ) => {
        impl $name {
            $(#[$doc])*
            #[must_use]
            #[inline]
            $vis fn $new($($arg: $given),*) -> Self {
                use $crate::types::wire::{Given, Put, Unset};

                let given = ($(Given($arg.into()),)* $(Given($value.into()),)*);
                $(let $field = Unset;
                let _ = $field;)*
                let ($($arg,)* $($preset,)*) = given;
                Self {
                    $($field: Put::<$type>::put($field),)*
                    extra: $crate::types::Extra::new(),
                    nulls: $crate::types::wire::Nulls::default(),
                }
            }
        }
    };
}

/// Declares setters for optional fields.
macro_rules! setters {
    ($name:ident { $($field:ident: $given:ty,)* }) => {
        impl $name {
            $(
                /// Sets the field of this name.
                #[must_use]
                #[inline]
                pub fn $field(mut self, $field: $given) -> Self {
                    self.$field = Some($field.into());
                    self
                }
            )*
        }
    };
}

/// The struct of an object, and how it is read and written.
macro_rules! object_struct {
    (
        $reader:ident
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$doc:meta])* $field:ident $(as $json:literal)?: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
            /// The members that have no field here, or whose value does not fit their field; written back as they came.
            pub extra: $crate::types::Extra,
            pub(crate) nulls: $crate::types::wire::Nulls,
        }

        impl $name {
            /// Sets a member that has no field here, such as one the service has learnt since.
            ///
            /// A field that is set wins over a member of the same name.
            #[must_use]
            pub fn extra(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
                self.extra.insert(name.into(), value.into());
                self
            }
        }

        #[allow(unused_imports, unused_mut, unused_variables, reason = "an object may have no field of its own")]
        impl $crate::types::wire::Object for $name {
            const NAMES: &'static [&'static str] = &[$(json_name!($field $($json)?),)*];

            const PLACES: &'static $crate::types::wire::Places = &$crate::types::wire::Places {
                names: Self::NAMES,
                needed: $crate::types::wire::bits(&[$(<$type as $crate::types::wire::Field>::IS_NEEDED,)*]),
                misfits: &[$(<<$type as $crate::types::wire::Field>::Member as $crate::types::wire::Fit>::misfit,)*],
            };

            #[inline]
            fn of_members(members: &mut serde_json::Map<String, serde_json::Value>) -> Option<Self> {
                $(let $field = <$type as $crate::types::wire::Field>::remove(members, json_name!($field $($json)?))?;)*
                let nulls = $crate::types::wire::Nulls::take(members, Self::PLACES);
                Some(Self { $($field,)* extra: std::mem::take(members).into(), nulls })
            }

            object_reader! { $reader $($field $(as $json)?: $type,)* }
        }

        impl $crate::types::wire::Shown for $name {
            #[inline]
            fn members(&self, writer: &mut dyn FnMut($crate::types::wire::Members<'_>)) {
                writer($crate::types::wire::Members {
                    names: <Self as $crate::types::wire::Object>::NAMES,
                    fields: &[$($crate::types::wire::Part::part(&self.$field),)*],
                    nulls: self.nulls,
                    extra: &self.extra,
                });
            }
        }

        impl $crate::types::wire::Write for $name {
            #[inline]
            fn json(&self) -> $crate::types::wire::Json<'_> {
                $crate::types::wire::Json::Object(self, None)
            }
        }

        impl $crate::types::wire::Fit for $name {
            #[inline]
            fn fits(value: &serde_json::Value) -> bool {
                $crate::types::wire::Misfit::is_none(value, <Self as $crate::types::wire::Fit>::misfit)
            }

            #[inline]
            fn fit(value: serde_json::Value) -> Option<Self> {
                let mut members = $crate::types::wire::members_of(value)?;
                <Self as $crate::types::wire::Object>::take_from(&mut members)
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
                let places = <Self as $crate::types::wire::Object>::PLACES;
                $crate::types::wire::Misfit::of_object(places, value, care)
            }

            fn read<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$crate::types::wire::read::Reading<Self>, D::Error> {
                $crate::types::wire::read::object(deserializer)
            }

            #[inline]
            fn read_into<'de, D: serde::Deserializer<'de>>(
                place: &mut Option<Self>,
                deserializer: D,
            ) -> Result<$crate::types::wire::read::Reading<()>, D::Error> {
                $crate::types::wire::read::object_into(place, deserializer)
            }
        }
    };
}

/// How an object's members are read: into a map first, which is the trait's own way, or in one pass.
macro_rules! object_reader {
    (by_map $($rest:tt)*) => {};
    (in_one_pass $($field:ident $(as $json:literal)?: $type:ty,)*) => {
        const IN_ONE_PASS: bool = true;

        fn read_members<'de, A: serde::de::MapAccess<'de>>(
            place: &mut Option<Self>,
            mut members: A,
        ) -> Result<Result<(), serde_json::Map<String, serde_json::Value>>, A::Error> {
            use serde::de::Error as _;
            use $crate::types::wire::{Field, Part, read::{self, Name, Others}};

            $(let mut $field = None;)*
            let mut others = Others::new(Self::PLACES);
            while let Some(Name(name)) = members.next_key()? {
                $(if name == json_name!($field $($json)?) {
                    read::member(&mut $field, &mut members, json_name!($field $($json)?), &mut others)?;
                    continue;
                })*
                others.insert(name.into_owned(), members.next_value()?);
            }
            if false $(|| <$type as Field>::IS_NEEDED && $field.is_none())* {
                let read = [$((json_name!($field $($json)?), Part::part(&$field)),)*];
                others.put_back(&read).map_err(A::Error::custom)?;
                return Ok(Err(others.into_members()));
            }
            $(let Some($field) = <$type as Field>::settle($field) else { return Ok(Err(others.into_members())) };)*
            let (extra, nulls) = others.into_parts();
            *place = Some(Self { $($field,)* extra, nulls });
            Ok(Ok(()))
        }
    };
}

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

/// Lets objects be read and written on their own. A block cannot: its `type` is known to its enum.
macro_rules! serde_object {
    ($($name:ident),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::types::wire::Write::json(self).serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut object = None;
                let read = $crate::types::wire::read::into(&mut object, deserializer)?;
                object.ok_or_else(|| $crate::types::wire::Misfit::error::<Self, _>(read))
            }
        }
    )+};
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
        }
    };
}

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
