//! Where a test may corrupt what flows through the signing order.
//!
//! A build without the feature `fault-injection` has nothing here but functions that do nothing: [`Faults`] is empty, and
//! no program can be asked to corrupt anything. With the feature a release build does not compile.

#[cfg(feature = "fault-injection")]
mod injection;
#[cfg(feature = "fault-injection")]
pub use injection::Point;

#[cfg(all(feature = "fault-injection", not(debug_assertions)))]
compile_error!("fault-injection corrupts what is signed: it is for tests, never for a release build");

/// The steps of the signing order (`release`), in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The request is planned a second time.
    Plan,
    /// The plan's transaction is encoded.
    Encode,
    /// The bytes are decoded strictly.
    Decode,
    /// What was decoded is encoded again, by other code.
    EncodeAgain,
    /// The signing digest.
    Digest,
    /// The signing digest again, by other code.
    DigestAgain,
    /// The key signs (or a signature from elsewhere is taken).
    Sign,
    /// s is in the lower half.
    LowS,
    /// The signature verifies for the second digest.
    Verify,
    /// It recovers to `from`.
    Recover,
    /// The signed bytes are written.
    Serialize,
    /// They are decoded strictly.
    DecodeRaw,
    /// Every field is the plan's.
    Compare,
    /// The hash.
    Hash,
    /// The document is written, read back and proved.
    Document,
}

/// Before or after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// What the step is given is corrupted.
    Before,
    /// What the step gives is corrupted.
    After,
}

/// What is to be corrupted in this run: nothing, in a build that is meant to sign.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    #[cfg(feature = "fault-injection")]
    point: Option<injection::Point>,
}

#[cfg(not(feature = "fault-injection"))]
impl Faults {
    /// Leaves the value as it is.
    #[inline]
    #[allow(clippy::unused_self)] // the build with the feature has one to look into
    pub(crate) fn pass<T>(self, _: Step, _: Moment, _: usize, _: &mut T) {}
}
