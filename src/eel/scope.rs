//! Variable names of one namespace and their slots.

use std::collections::HashMap;

/// A variable of one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var(u32);

impl Var {
    /// Returns the index of the variable in its namespace.
    pub fn slot(self) -> usize {
        self.0 as usize
    }
}

/// Variable names of one namespace. Programs compiled with the same scope share variables.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    slots: HashMap<String, u32>,
}

impl Scope {
    /// Creates an empty scope.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the variable `name`, adding it if needed. Names are case-insensitive.
    pub fn var(&mut self, name: &str) -> Var {
        let next = self.slots.len() as u32;
        Var(*self.slots.entry(name.to_ascii_lowercase()).or_insert(next))
    }

    /// Returns the variable `name`, or `None` if it is not in the scope.
    pub fn find(&self, name: &str) -> Option<Var> {
        self.slots.get(&name.to_ascii_lowercase()).map(|&slot| Var(slot))
    }

    /// Returns all names in slot order.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![String::new(); self.slots.len()];
        for (name, &slot) in &self.slots {
            names[slot as usize].clone_from(name);
        }
        names
    }

    /// Returns the number of variables; [`super::Machine::vars`] must be at least this long.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns true if there are no variables.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}
