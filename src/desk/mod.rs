//! The performer's panels (egui): reads a snapshot, returns commands.
