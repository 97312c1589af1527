//! The members that are in no field.

use serde_json::{Map, Value};

use crate::types::{
    Extra,
    wire::{Json, Nulls, Places, value_of},
};

/// The members of an object that are in no field: those that have none, and those that do not fit theirs.
pub(crate) struct Others {
    /// None in most objects: a map would be looked at when it is dropped.
    members: Option<Map<String, Value>>,
    /// Fields that came as `null`, which are no members: there is one in most answers.
    nulls: Nulls,
    places: &'static Places,
}

impl Others {
    /// None, of an object with these fields.
    pub(crate) fn new(places: &'static Places) -> Self {
        Self { members: None, nulls: Nulls::default(), places }
    }

    pub(crate) fn insert(&mut self, name: String, value: Value) {
        self.members.get_or_insert_default().insert(name, value);
    }

    #[inline]
    pub(crate) fn forget(&mut self, name: &str) {
        if self.members.is_some() || self.nulls.are_any() {
            self.remove(name);
        }
    }

    #[inline(never)]
    fn remove(&mut self, name: &str) {
        if let Some(members) = &mut self.members {
            members.remove(name);
        }
        self.nulls.set(name, self.places, false);
    }

    #[inline(never)]
    pub(crate) fn keep(&mut self, misfit: Value, name: &str) {
        self.forget(name);
        match misfit {
            Value::Null => self.nulls.set(name, self.places, true),
            misfit => self.insert(name.to_owned(), misfit),
        }
    }

    /// Makes members again of what was read of them.
    #[cold]
    #[inline(never)]
    pub(crate) fn put_back(&mut self, read: &[(&str, Option<Json<'_>>)]) -> Result<(), serde_json::Error> {
        for (name, member) in read {
            if let Some(member) = member {
                self.insert((*name).to_owned(), value_of(member)?);
            }
        }
        Ok(())
    }

    /// All of them as members.
    #[inline(never)]
    pub(crate) fn into_members(self) -> Map<String, Value> {
        let mut members = self.members.unwrap_or_default();
        let nulls = self.places.names.iter().zip(self.nulls.places());
        for (name, _) in nulls.filter(|(_, is_null)| *is_null) {
            members.insert((*name).to_owned(), Value::Null);
        }
        members
    }

    /// Those that are to be kept, and which fields came as `null`.
    #[inline]
    pub(crate) fn into_parts(self) -> (Extra, Nulls) {
        (self.members.map(Extra::from).unwrap_or_default(), self.nulls)
    }
}
