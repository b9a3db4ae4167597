//! Rows of a file in which the first index runs fastest: a row is spread over the whole file.
//!
//! With n rows, such a file is a sequence of columns of n elements, one for each element of a row. A rank reads its stretch of
//! each column, and turns columns into rows a piece at a time.

use super::Header;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// How many bytes of columns are held at a time.
const BUFFER: usize = 1 << 22;

/// How many bytes of a column are read at a time, at most.
const PIECE: usize = 1 << 16;

/// Up to how many bytes between stretches are read over: that is faster than another call of the system.
const GAP: usize = 1 << 14;

/// Reads these rows of an array of at least one element, one after the other, in the file's byte order.
pub(super) fn read(
    file: &File,
    header: &Header,
    own: Range<usize>,
    into: &mut [u8],
) -> io::Result<()> {
    match header.elem.bytes() {
        1 => read_of::<1>(file, header, own, into),
        2 => read_of::<2>(file, header, own, into),
        4 => read_of::<4>(file, header, own, into),
        _ => read_of::<8>(file, header, own, into),
    }
}

fn read_of<const N: usize>(
    file: &File,
    header: &Header,
    own: Range<usize>,
    into: &mut [u8],
) -> io::Result<()> {
    let height = header.rows();
    let into = into.as_chunks_mut::<N>().0;
    let width = into.len() / own.len();
    let tall = (PIECE / N).min(own.len());
    let mut buffer = vec![];
    for start in own.clone().step_by(tall) {
        let count = tall.min(own.end - start);
        let over = (height - count) * N <= GAP;
        let stride = if over { height } else { count };
        let wide = (BUFFER / N / stride).clamp(1, width);
        let rows = &mut into[(start - own.start) * width..][..count * width];
        buffer.resize(wide * stride, [0; N]);
        for first in (0..width).step_by(wide) {
            let columns = first..(first + wide).min(width);
            let at = |column| header.data_start + ((column * height + start) * N) as u64;
            if over {
                let all = (columns.len() - 1) * stride + count;
                file.read_exact_at(buffer[..all].as_flattened_mut(), at(first))?;
            } else {
                for (column, part) in columns.clone().zip(buffer.chunks_exact_mut(stride)) {
                    file.read_exact_at(part.as_flattened_mut(), at(column))?;
                }
            }
            let places: Vec<usize> = columns
                .map(|column| place(column, &header.shape[1..]))
                .collect();
            for (number, row) in rows.chunks_exact_mut(width).enumerate() {
                for (column, &place) in places.iter().enumerate() {
                    row[place] = buffer[column * stride + number];
                }
            }
        }
    }
    Ok(())
}

/// Where the element of a column is in a row: the number of its indices with the last running fastest, where `column` is that
/// with the first running fastest.
fn place(mut column: usize, lengths: &[usize]) -> usize {
    let (mut place, mut stride) = (0, lengths.iter().product::<usize>());
    for &length in lengths {
        stride /= length;
        place += column % length * stride;
        column /= length;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn places_of_columns() {
        let places = |lengths: &[usize]| -> Vec<usize> {
            (0..lengths.iter().product())
                .map(|column| place(column, lengths))
                .collect()
        };
        assert_eq!(places(&[4]), [0, 1, 2, 3]);
        assert_eq!(places(&[2, 3]), [0, 3, 1, 4, 2, 5]);
        assert_eq!(places(&[2, 1, 2]), [0, 2, 1, 3]);
        assert_eq!(places(&[2, 2, 2]), [0, 4, 2, 6, 1, 5, 3, 7]);
    }
}
