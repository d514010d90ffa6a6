//! What to play and how hard: macros, arbitration, the director and its taste.
