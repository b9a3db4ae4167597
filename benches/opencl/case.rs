//! What is compared: inputs on the device, the hand-written run, our run, and whether the results agree.

use cuprous::{Error, Place};

/// One line of the table.
pub struct Case {
    /// What the line is called.
    pub name: String,
    pub dtype: &'static str,
    /// Bytes that must move, or operations.
    pub work: f64,
    pub unit: Unit,
    /// Runs the hand-written kernels, and waits for their end.
    pub hand: Box<dyn FnMut()>,
    /// Runs ours at a place, and waits for its end.
    pub ours: Ours<()>,
    /// Runs ours at a place, and says how the results of the hand-written kernels' last run differ from it, if they do.
    pub differs: Ours<Option<String>>,
}

/// A run of ours at a place.
pub type Ours<T> = Box<dyn FnMut(&Place) -> Result<T, Error>>;

/// What work is counted in.
#[derive(Clone, Copy, PartialEq)]
pub enum Unit {
    /// Bytes.
    Byte,
    /// Elements of this kind.
    Item(&'static str),
}

/// A line; boxes what runs.
pub fn line(
    (name, dtype): (&str, &'static str),
    (work, unit): (f64, Unit),
    hand: impl FnMut() + 'static,
    ours: impl FnMut(&Place) -> Result<(), Error> + 'static,
    differs: impl FnMut(&Place) -> Result<Option<String>, Error> + 'static,
) -> Case {
    Case {
        name: name.into(),
        dtype,
        work,
        unit,
        hand: Box::new(hand),
        ours: Box::new(ours),
        differs: Box::new(differs),
    }
}

/// How the first element that differs by more than the tolerance does.
pub fn compare<T: Copy + Into<f64>>(hand: &[T], ours: &[T], tolerance: f64) -> Option<String> {
    if hand.len() != ours.len() {
        return Some(format!("{} elements, ours {}", hand.len(), ours.len()));
    }
    let off = |(a, b): (f64, f64)| (a - b).abs() > tolerance * (1.0 + b.abs()) || a.is_nan();
    let pairs = hand.iter().zip(ours).map(|(&a, &b)| (a.into(), b.into()));
    let i = pairs.clone().position(off)?;
    let many = pairs.filter(|&pair| off(pair)).count();
    let (a, b): (f64, f64) = (hand[i].into(), ours[i].into());
    Some(format!("element {i}: {a}, ours {b}; {many} differ"))
}
