//! EEL2, the expression language of presets: compiler and machine with an instruction budget.
