//! Splits the presets by author: some for training, some for choosing the best epoch, and some held out for the final
//! measurement.

use sha2::{Digest as _, Sha256};

/// Share of the presets that is held out.
const HELD_OUT: f64 = 0.3;
/// Share of the presets by which the best epoch is chosen.
const VALIDATION: f64 = 0.15;

/// Rows by purpose. All rows of an author have the same purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    /// Rows that the head learns from.
    pub train: Vec<usize>,
    /// Rows by which the best epoch is chosen.
    pub validation: Vec<usize>,
    /// Rows by which the head is judged.
    pub held_out: Vec<usize>,
}

impl Split {
    /// Splits the rows by the hashes of their authors' keys, so that adding presets moves few authors from one purpose
    /// to another.
    pub fn by_author(authors: &[u32], keys: &[String], seed: u64) -> Self {
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); keys.len()];
        for (row, &author) in authors.iter().enumerate() {
            rows[author as usize].push(row);
        }
        let hash = |author: &usize| Sha256::digest(format!("{seed} {}", keys[*author]));
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_cached_key(hash);
        let (held_out, validation) =
            (HELD_OUT * authors.len() as f64, (HELD_OUT + VALIDATION) * authors.len() as f64);
        let mut split = Self::default();
        let mut done = 0;
        for author in order {
            let part = match done as f64 {
                done if done < held_out => &mut split.held_out,
                done if done < validation => &mut split.validation,
                _ => &mut split.train,
            };
            done += rows[author].len();
            part.append(&mut rows[author]);
        }
        [&mut split.train, &mut split.validation, &mut split.held_out]
            .into_iter()
            .for_each(|part| part.sort());
        split
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_author_has_two_purposes() {
        let keys: Vec<String> = (0..50).map(|author| format!("author {author}")).collect();
        let authors: Vec<u32> = (0..1000).map(|row| row % 50).collect();
        let split = Split::by_author(&authors, &keys, 1);
        let of =
            |rows: &[usize]| rows.iter().map(|&row| authors[row]).collect::<std::collections::BTreeSet<_>>();
        let (train, validation, held_out) = (of(&split.train), of(&split.validation), of(&split.held_out));
        assert!(train.is_disjoint(&validation) && train.is_disjoint(&held_out));
        assert!(validation.is_disjoint(&held_out));
        let counts = [split.train.len(), split.validation.len(), split.held_out.len()];
        assert_eq!(counts, [540, 160, 300]);
        assert_ne!(split, Split::by_author(&authors, &keys, 2));
    }
}
