//! What no single part can show alone: rules of the architecture and the words, scenarios over TLS, benchmarks
//! (`src/bin`), fuzz targets (`fuzz/`). Each test stands in a file of its own; the crate holds what several of them
//! share: thin links and walks.

pub mod link;
pub mod walk;
