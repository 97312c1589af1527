//! A value that is let go where it was made.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    panic::{RefUnwindSafe, UnwindSafe},
};

/// A value in a box of its own, whose owner does not know how it is let go.
///
/// The code that lets a value go is built by every crate, and in every part of one, that may have to do so: for a message
/// that is all it can be made of. Here it is built where the value is put in, and nowhere else
/// (`docs/decisions/0015-weight.md`).
pub(crate) struct Apart<T>(Box<dyn Held<T>>);

trait Held<T>: Send + Sync {
    fn get(&self) -> &T;
    fn get_mut(&mut self) -> &mut T;
    fn out(self: Box<Self>) -> Box<T>;
}

impl<T: Send + Sync> Held<T> for T {
    fn get(&self) -> &T {
        self
    }

    fn get_mut(&mut self) -> &mut T {
        self
    }

    fn out(self: Box<Self>) -> Box<T> {
        self
    }
}

/// The trait says nothing of these two, so that they are as the value is.
impl<T: UnwindSafe> UnwindSafe for Apart<T> {}

impl<T: RefUnwindSafe> RefUnwindSafe for Apart<T> {}

impl<T: Send + Sync + 'static> Apart<T> {
    pub(crate) fn new(value: Box<T>) -> Self {
        Self(value)
    }
}

impl<T> Apart<T> {
    pub(crate) fn out(self) -> Box<T> {
        Held::out(self.0)
    }
}

impl<T> Deref for Apart<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        Held::get(&*self.0)
    }
}

impl<T> DerefMut for Apart<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        Held::get_mut(&mut *self.0)
    }
}

impl<T: fmt::Debug> fmt::Debug for Apart<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        reply::Reply,
        types::{Message, MessageRequest},
    };

    #[test]
    fn the_value_goes_with_its_owner_and_not_before() {
        let value = Arc::new(());
        let mut owner = Apart::new(Box::new(vec![Arc::clone(&value)]));
        owner.push(Arc::clone(&value));
        assert_eq!((owner.len(), Arc::strong_count(&value)), (2, 3));
        drop(owner);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn the_value_comes_out_as_it_went_in() {
        assert_eq!(*Apart::new(Box::new("inside".to_owned())).out(), "inside");
    }

    #[test]
    fn what_holds_one_may_go_wherever_the_value_may() {
        fn goes_anywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe + Unpin>() {}

        goes_anywhere::<MessageRequest>();
        goes_anywhere::<Reply<Message>>();
    }
}
