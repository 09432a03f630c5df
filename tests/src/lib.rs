//! What no single part can show alone: rules of the architecture and the words, scenarios over TLS, benchmarks
//! (`src/bin`), fuzz targets (`fuzz/`). The crate itself holds nothing: each test stands in a file of its own.
