//! Places: where something is, how far a walk went, what a recorded walk says, and what hamlets are called.
//!
//! - [`LatLon`], [`parse_degrees`], [`distance_text`]: coordinates exact to 1e-7 degree, shown as people read them.
//! - [`gpx`]: recorded walks, read in bounded memory from files nobody vouches for.
//! - [`thin`]: the points of a walk at which somebody would have checked in.
//! - [`odometer`]: the length of a walk, which a resting phone does not lengthen.
//! - [`bounds`]: boxes. [`plane`]: metres. [`hamlet`]: the names of a commune's hamlets.
//! - [`CheckpointCode`]: the code on the sign of a checkpoint.
//!
//! Communes stand in `yenban_protocol::directory`, which phone and hub share.

pub mod bounds;
pub mod gpx;
pub mod hamlet;
pub mod limits;
pub mod odometer;
pub mod plane;
pub mod thin;

pub use bounds::Bounds;
pub use hamlet::{Hamlet, HamletError, Hamlets, Lookup};
pub use odometer::{Fix, Gap, GapKind, Odometer};
pub use plane::distance_m;
pub use thin::{Picked, Spacing, SpacingError, every};
pub use yenban_protocol::text::{
    code::{CheckpointCode, CodeError},
    degrees::{Axis, DegreesError, LatLon, NumberStyle, distance_text, exact_degrees, parse_degrees},
};
