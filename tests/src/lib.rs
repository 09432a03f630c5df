//! yenban
