//! Lists of presets, by any of their names.

use std::collections::BTreeSet;

use crate::library::style::NameTable;
use crate::units::counted;

/// Maximum number of names in a message.
const MAX_NAMES: usize = 8;

/// Returns the indices of the presets that `list` names. Names that no preset has are logged.
pub fn find_named<'a>(list: impl IntoIterator<Item = &'a str>, names: &NameTable) -> BTreeSet<usize> {
    let (found, unknown) = look_up(list, names);
    if let Some(message) = unmatched(&unknown) {
        log::warn!("{message}");
    }
    found
}

fn look_up<'a>(
    list: impl IntoIterator<Item = &'a str>,
    names: &NameTable,
) -> (BTreeSet<usize>, Vec<&'a str>) {
    let (mut found, mut unknown) = (BTreeSet::new(), Vec::new());
    for name in list {
        match names.index_of(name) {
            Some(index) => {
                found.insert(index);
            }
            None => unknown.push(name),
        }
    }
    (found, unknown)
}

/// Returns a message about names that no preset has; `None` if there are none.
fn unmatched(names: &[&str]) -> Option<String> {
    let shown = names.iter().take(MAX_NAMES).copied().collect::<Vec<_>>().join(", ");
    let more = if names.len() > MAX_NAMES { ", ..." } else { "" };
    (!names.is_empty())
        .then(|| format!("no preset matches {} in the list: {shown}{more}", counted(names.len(), "name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_found_by_every_name_and_unknown_names_are_reported() {
        let mut names = NameTable::default();
        for (name, index) in [("x/a.milk", 0), ("run3-a-1b2c3d", 0), ("b.milk", 1)] {
            names.add(name, index);
        }
        let list = ["run3-a-1b2c3d", "x\\a.milk", "gone.milk"];
        let (found, unknown) = look_up(list, &names);
        assert_eq!((found, unknown.as_slice()), (BTreeSet::from([0]), &["gone.milk"][..]));
        assert_eq!(unmatched(&unknown).as_deref(), Some("no preset matches 1 name in the list: gone.milk"));
        assert_eq!(unmatched(&[]), None);
    }
}
