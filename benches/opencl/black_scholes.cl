// One vector a work-item; exponential and logarithm as polynomials, good to a few units in the last place.
#if DOUBLE
#define MANTISSA 52
#define BIAS 1023L
#define SHIFT 6755399441055744.0
#define LIMIT 700.0
#define LN2_HIGH 0.6931471803691238
#define LN2_LOW 1.9082149292705877e-10
#define ROOT_HALF 0x3fe6a09e667f3bcdL
constant double EXP[] = {1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0,
                         1.0 / 40320.0, 1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0};
constant double LOG[] = {2.0 / 21.0, 2.0 / 19.0, 2.0 / 17.0, 2.0 / 15.0, 2.0 / 13.0,
                         2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0};
#define EXPS 14
#define LOGS 10
#else
#define MANTISSA 23
#define BIAS 127
#define SHIFT 12582912.0f
#define LIMIT 87.0f
#define LN2_HIGH 0.693359375f
#define LN2_LOW -2.12194440e-4f
#define ROOT_HALF 0x3f3504f3
constant float EXP[] = {1.0f / 720.0f, 1.0f / 120.0f, 1.0f / 24.0f, 1.0f / 6.0f, 0.5f, 1.0f, 1.0f};
constant float LOG[] = {2.0f / 9.0f, 2.0f / 7.0f, 2.0f / 5.0f, 2.0f / 3.0f};
#define EXPS 7
#define LOGS 4
#endif

REALS exponential(REALS x) {
  x = clamp(x, (REALS)R(-LIMIT), (REALS)R(LIMIT));
  // Adding SHIFT leaves the nearest integer in the low bits.
  REALS shifted = fma(x, (REALS)R(1.4426950408889634), (REALS)R(SHIFT));
  REALS k = shifted - R(SHIFT);
  REALS r = fma(k, (REALS)R(-LN2_LOW), fma(k, (REALS)R(-LN2_HIGH), x));
  REALS p = (REALS)EXP[0];
  UNROLL for (int i = 1; i < EXPS; i++) p = fma(p, r, (REALS)EXP[i]);
  return p * AS_REALS((AS_INTS(shifted) + (INT)BIAS) << MANTISSA);
}

REALS logarithm(REALS x) {
  // m in [sqrt(1/2), sqrt(2)), x = m * 2^k.
  INTS moved = AS_INTS(x) - (INT)ROOT_HALF;
#if DOUBLE
  REALS k = AS_REALS((moved >> MANTISSA) + (INT)0x4338000000000000L) - SHIFT;
#else
  REALS k = TO_REALS(moved >> MANTISSA);
#endif
  REALS m = AS_REALS((moved & (((INT)1 << MANTISSA) - 1)) + (INT)ROOT_HALF);
  REALS f = m - R(1), s = f / (f + R(2)), z = s * s, tail = R(0.5) * f * f;
  REALS p = (REALS)LOG[0];
  UNROLL for (int i = 1; i < LOGS; i++) p = fma(p, z, (REALS)LOG[i]);
  return fma(k, (REALS)R(0.6931471805599453), fma(s, tail + p * z, f - tail));
}

REALS normal(REALS d) {
  REALS q = R(1) / MAD((REALS)R(0.2316419), fabs(d), (REALS)R(1));
  REALS p = MAD(q, (REALS)R(1.330274429), (REALS)R(-1.821255978));
  p = MAD(q, p, (REALS)R(1.781477937));
  p = MAD(q, p, (REALS)R(-0.356563782));
  p = q * MAD(q, p, (REALS)R(0.31938153));
  REALS w = R(0.39894228040143267794) * exponential(R(-0.5) * d * d) * p;
  return d > (REALS)R(0) ? R(1) - w : w;
}

kernel void black_scholes(global const REALS *restrict spot, global const REALS *restrict strike,
                          global const REALS *restrict time, global REALS *restrict call, global REALS *restrict put) {
  size_t i = get_global_id(0);
  REALS s = spot[i], k = strike[i], t = time[i];
  REALS q = R(0.3) * sqrt(t);
  REALS d1 = MAD((REALS)R(0.02 + 0.3 * 0.3 / 2), t, logarithm(s / k)) / q;
  REALS e = k * exponential(R(-0.02) * t);
  REALS n1 = normal(d1), n2 = normal(d1 - q);
  call[i] = s * n1 - e * n2;
  put[i] = e * (R(1) - n2) - s * (R(1) - n1);
}
