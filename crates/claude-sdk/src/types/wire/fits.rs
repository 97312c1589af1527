//! The JSON that texts, numbers, lists and pointers are.

use serde::de::{Deserialize as _, Deserializer, MapAccess};
use serde_json::{Map, Value};

use super::{
    Care, Fit, Misfit, Write, members_of,
    read::{self, Others, Reading, Scalar},
    text_of,
};

impl Fit for Value {
    fn fits(_value: &Value) -> bool {
        true
    }

    fn fit(value: Value) -> Option<Self> {
        Some(value)
    }

    fn shape() -> String {
        "any value".to_owned()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<Self>, D::Error> {
        Value::deserialize(deserializer).map(Ok)
    }
}

impl Fit for String {
    fn fits(value: &Value) -> bool {
        value.is_string()
    }

    fn fit(value: Value) -> Option<Self> {
        text_of(value)
    }

    fn shape() -> String {
        "a string".to_owned()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<Self>, D::Error> {
        read::scalar(deserializer)
    }

    #[inline]
    fn read_member<'de, A: MapAccess<'de>>(
        field: &mut Option<Self>,
        members: &mut A,
        name: &'static str,
        others: &mut Others,
    ) -> Result<(), A::Error> {
        read::text_member(field, members, name, others)
    }
}

impl Scalar for String {
    fn of_str(value: &str) -> Option<Self> {
        Some(value.to_owned())
    }

    fn of_string(value: String) -> Reading<Self> {
        Ok(value)
    }
}

impl Fit for bool {
    fn fits(value: &Value) -> bool {
        value.is_boolean()
    }

    fn fit(value: Value) -> Option<Self> {
        value.as_bool()
    }

    fn shape() -> String {
        "true or false".to_owned()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<Self>, D::Error> {
        read::scalar(deserializer)
    }
}

impl Scalar for bool {
    fn of_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Fit for u64 {
    fn fits(value: &Value) -> bool {
        value.is_u64()
    }

    fn fit(value: Value) -> Option<Self> {
        value.as_u64()
    }

    fn shape() -> String {
        "a whole number".to_owned()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<Self>, D::Error> {
        read::scalar(deserializer)
    }

    #[inline]
    fn read_member<'de, A: MapAccess<'de>>(
        field: &mut Option<Self>,
        members: &mut A,
        name: &'static str,
        others: &mut Others,
    ) -> Result<(), A::Error> {
        read::number_member(field, members, name, others)
    }
}

impl Scalar for u64 {
    fn of_u64(value: u64) -> Option<Self> {
        Some(value)
    }
}

impl Fit for i64 {
    fn fits(value: &Value) -> bool {
        value.is_i64()
    }

    fn fit(value: Value) -> Option<Self> {
        value.as_i64()
    }

    fn shape() -> String {
        "a whole number".to_owned()
    }
}

impl Fit for Map<String, Value> {
    fn fits(value: &Value) -> bool {
        value.is_object()
    }

    fn fit(value: Value) -> Option<Self> {
        members_of(value)
    }

    fn shape() -> String {
        "an object".to_owned()
    }
}

/// A number that not every whole number fits.
macro_rules! bounded {
    ($number:ty, $shape:literal) => {
        impl Fit for $number {
            fn fits(value: &Value) -> bool {
                value.as_u64().is_some_and(|number| Self::try_from(number).is_ok())
            }

            fn fit(value: Value) -> Option<Self> {
                value.as_u64()?.try_into().ok()
            }

            fn shape() -> String {
                $shape.to_owned()
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<Self>, D::Error> {
                read::scalar(deserializer)
            }

            #[inline]
            fn read_member<'de, A: MapAccess<'de>>(
                field: &mut Option<Self>,
                members: &mut A,
                name: &'static str,
                others: &mut Others,
            ) -> Result<(), A::Error> {
                read::number_member(field, members, name, others)
            }
        }

        impl Scalar for $number {
            fn of_u64(value: u64) -> Option<Self> {
                value.try_into().ok()
            }
        }
    };
}

bounded!(u32, "a whole number of at most 32 bits");
bounded!(usize, "a whole number");

impl<T: Fit + Write> Fit for Vec<T> {
    fn fits(value: &Value) -> bool {
        value.as_array().is_some_and(|values| values.iter().all(T::fits))
    }

    fn fit(value: Value) -> Option<Self> {
        let Value::Array(values) = value else { return None };
        let mut list = Vec::with_capacity(values.len());
        for value in values {
            list.push(T::fit(value)?);
        }
        Some(list)
    }

    fn shape() -> String {
        "a list".to_owned()
    }

    fn find_misfit(value: &Value, care: Care) -> Option<Misfit> {
        Misfit::of_list(value, care, T::misfit)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<Self>, D::Error> {
        read::list(deserializer)
    }
}

impl<T: Fit> Fit for Box<T> {
    fn fits(value: &Value) -> bool {
        T::fits(value)
    }

    fn fit(value: Value) -> Option<Self> {
        T::fit(value).map(Self::new)
    }

    fn shape() -> String {
        T::shape()
    }

    fn find_misfit(value: &Value, care: Care) -> Option<Misfit> {
        T::misfit(value, care)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reading<Self>, D::Error> {
        Ok(T::read(deserializer)?.map(Self::new))
    }
}
