//! Pages in process.
