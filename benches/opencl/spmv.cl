// A matrix in CSR: a work-item does a range of rows, and asks for entries that come later.
#define LATER 1024
kernel void spmv(global const int *restrict rows, global const int *restrict cols, global const REAL *restrict values,
                 global const REAL *restrict x, global REAL *restrict y, uint count) {
  uint row = get_global_id(0) * count, end = row + count;
  int k = rows[row];
  for (; row < end; row++) {
    int to = rows[row + 1];
    FETCH(cols + k + LATER);
    FETCH(values + k + LATER);
    REAL sum = 0;
    for (; k + 4 <= to; k += 4) {
      sum += (values[k] * x[cols[k]] + values[k + 1] * x[cols[k + 1]]) +
             (values[k + 2] * x[cols[k + 2]] + values[k + 3] * x[cols[k + 3]]);
    }
    for (; k < to; k++) sum += values[k] * x[cols[k]];
    y[row] = sum;
  }
}
