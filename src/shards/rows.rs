//! Embeddings of shards: merges their rows in the order in which a bake lists presets.

use std::path::Path;

use super::ShardError;
use super::seal::SealedShard;
use crate::embed::Table;

/// Merges the rows of all shards into `out`. Returns the number of rows.
pub(super) fn merge(shards: &[SealedShard], out: &Path) -> Result<usize, ShardError> {
    let mut tables = Vec::new();
    for shard in shards {
        let table = Table::open(&shard.folder).map_err(|error| ShardError::file(&shard.folder, &error))?;
        tables.extend(table);
    }
    let Some(first) = tables.first() else { return Ok(0) };
    let (mut joined, _) =
        Table::for_embedder(first.embedder_id.clone(), out, &mut |note| log::info!("{note}"))
            .map_err(|error| ShardError::file(out, &error))?;
    let mut index = joined.index();
    for table in tables {
        let keyed = table.ids.into_iter().zip(table.keys).collect();
        joined.put(keyed, &table.rows, &mut index);
    }
    joined.sort();
    joined.save(out).map_err(|error| ShardError::file(out, &error))?;
    Ok(joined.ids.len())
}
