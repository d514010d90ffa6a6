//! Keeps cluster IDs stable between bakes, so that a taste learnt for `c07` still refers to the same presets.

use std::collections::{BTreeMap, HashMap};

/// Returns the ID of each new cluster: that of the old cluster with which it shares the most presets,
/// assigned from the largest overlap down; otherwise the lowest free ID. `old` maps presets to IDs, `new`
/// yields the cluster of each preset.
pub(super) fn ids<'a>(
    old: &HashMap<String, u32>,
    new: impl Iterator<Item = (&'a str, u32)>,
    clusters: usize,
) -> Vec<u32> {
    let mut shared: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for (preset, cluster) in new {
        if let Some(&before) = old.get(preset) {
            *shared.entry((cluster, before)).or_default() += 1;
        }
    }
    let mut pairs: Vec<_> = shared.into_iter().collect();
    pairs.sort_by_key(|&(pair, count)| (std::cmp::Reverse(count), pair));
    let mut ids = vec![None; clusters];
    let mut taken = std::collections::HashSet::new();
    for ((cluster, before), _) in pairs {
        let id = &mut ids[cluster as usize];
        if id.is_none() && taken.insert(before) {
            *id = Some(before);
        }
    }
    let mut free = (0..).filter(|id| !taken.contains(id));
    ids.into_iter().map(|id| id.or_else(|| free.next()).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_keeps_the_id_of_most_of_its_presets() {
        let old = [("a", 7), ("b", 7), ("c", 3), ("d", 3), ("e", 0)].map(|(p, id)| (p.to_owned(), id)).into();
        // New cluster 0 contains c, d and e; 1 contains a and b; 2 is all new.
        let new = [("c", 0), ("d", 0), ("a", 1), ("b", 1), ("x", 2), ("y", 2), ("e", 0)];
        assert_eq!(ids(&old, new.into_iter(), 3), [3, 7, 0]);
    }
}
