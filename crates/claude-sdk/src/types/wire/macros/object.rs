//! An object: a struct with fields, and what remains.

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
