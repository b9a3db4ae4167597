use cuprous::prelude::*;

struct Scale(f64);

impl Scale {
    #[kernel]
    fn apply(&self, x: f64) -> f64 {
        self.0 * x
    }
}

fn main() {}
