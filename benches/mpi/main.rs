//! The five-point step on ranks of MPI, against the same by hand (`five_point.c`) and with mpi4py and NumPy (`five_point.py`):
//! interleaved, as medians, in one run.
mod kernel;
mod rank;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    if let [real, numbers @ ..] = &args[..]
        && let Ok(numbers) = numbers
            .iter()
            .map(|n| n.parse())
            .collect::<Result<Vec<usize>, _>>()
        && let [height, width, steps, repetitions] = numbers[..]
    {
        return rank::run(
            real,
            rank::Size {
                height,
                width,
                steps,
                repetitions,
            },
        );
    }
    Ok(())
}
