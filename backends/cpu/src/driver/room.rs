//! Memory for the rows that a filter keeps. Their number is known only at the end, so it begins with what earlier runs
//! suggest and grows, by half and more, where that was too little.

use dsl_runtime::array::HostBuffer;

/// Memory for the arrays of one filter: the same number of rows in each.
#[derive(Debug)]
pub struct Room {
    rows: u64,
    most: u64,
    arrays: Vec<Rows>,
}

#[derive(Debug)]
struct Rows {
    memory: HostBuffer,
    /// Scalars of a row.
    row: usize,
    /// Bytes of a scalar.
    bytes: usize,
}

impl Rows {
    fn new(rows: u64, row: usize, bytes: usize) -> Result<Rows, u128> {
        let scalars = u128::from(rows) * row as u128;
        let memory = usize::try_from(scalars)
            .ok()
            .and_then(|scalars| HostBuffer::uninit(scalars, bytes));
        let memory = memory.ok_or(scalars * bytes as u128)?;
        Ok(Rows { memory, row, bytes })
    }
}

impl Room {
    /// Room for `rows` rows, and never for more than `most`, of arrays with so many scalars in a row and bytes in a scalar;
    /// or how many bytes could not be had.
    pub fn new(
        rows: u64,
        most: u64,
        arrays: impl Iterator<Item = (usize, usize)>,
    ) -> Result<Room, u128> {
        let arrays = arrays.map(|(row, bytes)| Rows::new(rows, row, bytes));
        Ok(Room {
            rows,
            most,
            arrays: arrays.collect::<Result<_, _>>()?,
        })
    }

    /// For how many rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The first byte of an array.
    pub fn data(&self, array: usize) -> *mut u8 {
        self.arrays[array].memory.as_ptr()
    }

    /// Makes room for `need` rows and some more; the first `kept` keep their values. Or how many bytes could not be had.
    pub fn grow(&mut self, kept: u64, need: u64) -> Result<(), u128> {
        let rows = self.most.min(need.max(self.rows + self.rows / 2));
        for old in &mut self.arrays {
            let new = Rows::new(rows, old.row, old.bytes)?;
            let bytes = kept as usize * old.row * old.bytes;
            // SAFETY: both have room for more than `kept` rows, and the new memory is nobody else's.
            unsafe {
                std::ptr::copy_nonoverlapping(old.memory.as_ptr(), new.memory.as_ptr(), bytes);
            }
            *old = new;
        }
        self.rows = rows;
        Ok(())
    }

    /// The memory, array by array.
    pub fn into_buffers(self) -> impl Iterator<Item = HostBuffer> {
        self.arrays.into_iter().map(|rows| rows.memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_keeps_values() {
        let mut room = Room::new(2, 100, [(3, 4), (0, 8)].into_iter()).unwrap();
        // SAFETY: two rows of three.
        unsafe { room.data(0).cast::<u32>().add(5).write(7) };
        for (need, rows) in [(3, 3), (4, 4), (5, 6), (90, 90), (91, 100)] {
            room.grow(2, need).unwrap();
            assert_eq!(room.rows(), rows);
            // SAFETY: as above.
            assert_eq!(unsafe { room.data(0).cast::<u32>().add(5).read() }, 7);
        }
        assert_eq!(room.into_buffers().count(), 2);
        let most = u64::MAX >> 8;
        let bytes = Room::new(most, most, [(2, 8)].into_iter()).unwrap_err();
        assert_eq!(bytes, 16 * u128::from(most));
    }
}
