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

#[macro_use]
mod object;
#[macro_use]
mod choice;
#[macro_use]
mod text;
