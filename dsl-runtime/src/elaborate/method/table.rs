//! The rows of the table of methods: the kind of a receiver, a name, what it means there, and its signature in the notation
//! of [`signature`](mod@super::signature).

use super::{Method, Receiver};

/// A row: a method of one kind of receiver.
pub(super) struct Row {
    pub(super) receiver: Receiver,
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) signature: &'static str,
}

macro_rules! table {
    ($($receiver:ident { $($name:ident $method:ident $signature:literal;)* })*) => {
        pub(super) static TABLE: &[Row] = &[$($(Row {
            receiver: Receiver::$receiver,
            name: stringify!($name),
            method: Method::$method,
            signature: $signature,
        },)*)*];
    };
}

table! {
    Any {
        clone Same "() -> S";
        to_owned Same "() -> S";
        borrow Same "() -> S";
        as_ref Same "() -> S";
        into Into "() -> R";
        eq Eq "(S) -> bool";
        ne Ne "(S) -> bool";
        lt Lt "(S) -> bool";
        le Le "(S) -> bool";
        gt Gt "(S) -> bool";
        ge Ge "(S) -> bool";
        partial_cmp PartialCmp "(S) -> opt ord";
        cmp Cmp "(S) -> ord";
    }
    Number {
        add Add "(S) -> S";
        sub Sub "(S) -> S";
        mul Mul "(S) -> S";
        div Div "(S) -> S";
        rem Rem "(S) -> S";
        clamp Clamp "(S, S) -> S";
        is_zero IsZero "() -> bool";
        is_one IsOne "() -> bool";
        div_euclid DivEuclid "(S) -> S";
        rem_euclid RemEuclid "(S) -> S";
        to_f32 ToPrimitive "() -> opt f32";
        to_f64 ToPrimitive "() -> opt f64";
        to_i8 ToPrimitive "() -> opt i8";
        to_i16 ToPrimitive "() -> opt i16";
        to_i32 ToPrimitive "() -> opt i32";
        to_i64 ToPrimitive "() -> opt i64";
        to_isize ToPrimitive "() -> opt isize";
        to_u8 ToPrimitive "() -> opt u8";
        to_u16 ToPrimitive "() -> opt u16";
        to_u32 ToPrimitive "() -> opt u32";
        to_u64 ToPrimitive "() -> opt u64";
        to_usize ToPrimitive "() -> opt usize";
    }
    Float {
        neg Neg "() -> S";
        signum Signum "() -> S";
        recip Recip "() -> S";
        fract Fract "() -> S";
        sin_cos SinCos "() -> (S, S)";
        to_degrees ToDegrees "() -> S";
        to_radians ToRadians "() -> S";
        is_nan IsNan "() -> bool";
        is_finite IsFinite "() -> bool";
        is_infinite IsInfinite "() -> bool";
        is_normal IsNormal "() -> bool";
        is_sign_negative IsSignNegative "() -> bool";
        is_sign_positive IsSignPositive "() -> bool";
        to_bits ToBits "() -> unsigned S";
        total_cmp TotalCmp "(S) -> ord";
    }
    Int {
        pow Pow "(u32) -> S";
        abs_diff AbsDiff "(S) -> unsigned S";
        isqrt Isqrt "() -> S";
        ilog2 Ilog2 "() -> u32";
        count_zeros CountZeros "() -> u32";
        leading_ones LeadingOnes "() -> u32";
        trailing_ones TrailingOnes "() -> u32";
        rotate_right RotateRight "(u32) -> S";
        swap_bytes SwapBytes "() -> S";
        reverse_bits ReverseBits "() -> S";
        not Not "() -> S";
        bitand BitAnd "(S) -> S";
        bitor BitOr "(S) -> S";
        bitxor BitXor "(S) -> S";
        shl Shl "(int I) -> S";
        shr Shr "(int I) -> S";
        wrapping_div WrappingDiv "(S) -> S";
        wrapping_rem WrappingRem "(S) -> S";
        wrapping_pow WrappingPow "(u32) -> S";
        saturating_add SaturatingAdd "(S) -> S";
        saturating_sub SaturatingSub "(S) -> S";
        saturating_mul SaturatingMul "(S) -> S";
        checked_add CheckedAdd "(S) -> opt S";
        checked_sub CheckedSub "(S) -> opt S";
        checked_mul CheckedMul "(S) -> opt S";
        checked_div CheckedDiv "(S) -> opt S";
        checked_rem CheckedRem "(S) -> opt S";
        overflowing_add OverflowingAdd "(S) -> (S, bool)";
        overflowing_sub OverflowingSub "(S) -> (S, bool)";
        overflowing_mul OverflowingMul "(S) -> (S, bool)";
        try_into ToPrimitive "() -> opt R";
    }
    Signed {
        neg Neg "() -> S";
        signum Signum "() -> S";
        is_positive IsPositive "() -> bool";
        is_negative IsNegative "() -> bool";
        unsigned_abs UnsignedAbs "() -> unsigned S";
    }
    Unsigned {
        div_ceil DivCeil "(S) -> S";
        next_multiple_of NextMultipleOf "(S) -> S";
        is_power_of_two IsPowerOfTwo "() -> bool";
        next_power_of_two NextPowerOfTwo "() -> S";
        wrapping_add_signed WrappingAddSigned "(signed S) -> S";
        saturating_add_signed SaturatingAddSigned "(signed S) -> S";
        checked_add_signed CheckedAddSigned "(signed S) -> opt S";
    }
    Bool {
        then Then "(fn() -> R) -> opt R";
        then_some ThenSome "(R) -> opt R";
        not Not "() -> S";
        bitand BitAnd "(S) -> S";
        bitor BitOr "(S) -> S";
        bitxor BitXor "(S) -> S";
    }
    Ordering {
        is_lt IsLt "() -> bool";
        is_le IsLe "() -> bool";
        is_gt IsGt "() -> bool";
        is_ge IsGe "() -> bool";
        is_eq IsEq "() -> bool";
        is_ne IsNe "() -> bool";
        reverse Reverse "() -> ord";
        then ThenOrdering "(ord) -> ord";
        then_with ThenWith "(fn() -> ord) -> ord";
    }
    Option {
        unwrap Unwrap "() -> T";
        expect Unwrap "(..) -> T";
        unwrap_or UnwrapOr "(T) -> T";
        unwrap_or_else UnwrapOrElse "(fn() -> T) -> T";
        unwrap_or_default UnwrapOrDefault "() -> T";
        is_some IsSome "() -> bool";
        is_none IsNone "() -> bool";
        is_some_and IsSomeAnd "(fn(T) -> bool) -> bool";
        is_none_or IsNoneOr "(fn(T) -> bool) -> bool";
        map Map "(fn(T) -> U) -> opt U";
        map_or MapOr "(U, fn(T) -> U) -> U";
        map_or_else MapOrElse "(fn() -> U, fn(T) -> U) -> U";
        and_then AndThen "(fn(T) -> opt U) -> opt U";
        filter Filter "(fn(T) -> bool) -> opt T";
        or Or "(opt T) -> opt T";
        or_else OrElse "(fn() -> opt T) -> opt T";
        copied Same "() -> S";
        cloned Same "() -> S";
        ok Same "() -> S";
    }
    Array {
        map Map "(fn(T) -> U) -> [U; N]";
        as_slice ToSeq "() -> [T]";
    }
    Seq {
        len Len "() -> usize";
        is_empty IsEmpty "() -> bool";
        to_vec ToSeq "() -> [T]";
        into_vec ToSeq "() -> [T]";
        as_slice ToSeq "() -> [T]";
        iter Iter "() -> iter T";
        into_iter Iter "() -> iter T";
        iter_mut IterMut "() -> iter T";
        first First "() -> opt T";
        last Last "() -> opt T";
        get Get "(usize) -> opt T";
        contains Contains "(T) -> bool";
        split_at SplitAt "(usize) -> ([T], [T])";
        concat Concat "() -> R";
        repeat Replicate "(usize) -> [T]";
        swap SwapElements "(usize, usize) -> ()";
        fill FillWith "(T) -> ()";
        copy_from_slice CopyFrom "(seq T) -> ()";
        clone_from_slice CopyFrom "(seq T) -> ()";
        reverse ReverseInPlace "() -> ()";
        windows Windows "(usize) -> iter [T]";
        chunks Chunks "(usize) -> iter [T]";
        chunks_exact ChunksExact "(usize) -> iter [T]";

        map Map "(fn(T) -> U) -> [U]";
        zip Zip "(seq U) -> [(T, U)]";
        zip3 Zip3 "(seq U, seq V) -> [(T, U, V)]";
        unzip Unzip "() -> R";
        enumerate Enumerate "() -> [(usize, T)]";
        reduce Reduce "(T, fn(T, T) -> T) -> T";
        sum Sum "() -> T";
        product Product "() -> T";
        minimum Minimum "() -> T";
        maximum Maximum "() -> T";
        argmin Argmin "() -> usize";
        argmax Argmax "() -> usize";
        any Any "(fn(T) -> bool) -> bool";
        all All "(fn(T) -> bool) -> bool";
        count Count "(fn(T) -> bool) -> usize";
        scan Scan "(T, fn(T, T) -> T) -> [T]";
        exscan Exscan "(T, fn(T, T) -> T) -> [T]";
        rscan Rscan "(T, fn(T, T) -> T) -> [T]";
        rexscan Rexscan "(T, fn(T, T) -> T) -> [T]";
        filter Filter "(fn(T) -> bool) -> [T]";
        partition Partition "(fn(T) -> bool) -> ([T], [T])";
        flat_map FlatMap "(fn(T) -> seq U) -> [U]";
        gather Gather "(seq int I) -> [T]";
        gather_or GatherOr "(seq int I, T) -> [T]";
        scatter Scatter "(seq int I, seq T) -> [T]";
        permute Permute "(seq int I) -> [T]";
        scatter_with ScatterWith "(fn(T, T) -> T, seq int I, seq T) -> [T]";
        shift Shift "(isize, T) -> [T]";
        rotate Rotate "(isize) -> [T]";
        rev Rev "() -> [T]";
        take Take "(usize) -> [T]";
        skip Skip "(usize) -> [T]";
        chain Chain "(seq T) -> [T]";
        step_by StepBy "(usize) -> [T]";
        replicate Replicate "(usize) -> [T]";
        interleave Interleave "(seq T) -> [T]";
        windows_map WindowsMap "(usize, fn([T]) -> U) -> [U]";
        chunks_map ChunksMap "(usize, fn([T]) -> U) -> [U]";
    }
    Range {
        len Len "() -> usize";
        is_empty IsEmpty "() -> bool";
        contains Contains "(T) -> bool";
    }
    Iter {
        into_iter Same "() -> iter T";
        copied Same "() -> iter T";
        cloned Same "() -> iter T";
        len Len "() -> usize";
        zip Zip "(into U) -> iter (T, U)";
        map Map "(fn(T) -> U) -> iter U";
        enumerate Enumerate "() -> iter (usize, T)";
        filter Filter "(fn(T) -> bool) -> iter T";
        filter_map FilterMap "(fn(T) -> opt U) -> iter U";
        flat_map FlatMap "(fn(T) -> into U) -> iter U";
        flatten Flatten "() -> R";
        take Take "(usize) -> iter T";
        skip Skip "(usize) -> iter T";
        take_while TakeWhile "(fn(T) -> bool) -> iter T";
        skip_while SkipWhile "(fn(T) -> bool) -> iter T";
        rev Rev "() -> iter T";
        step_by StepBy "(usize) -> iter T";
        chain Chain "(into T) -> iter T";
        sum Sum "() -> T";
        product Product "() -> T";
        min MinItem "() -> opt T";
        max MaxItem "() -> opt T";
        min_by MinBy "(fn(T, T) -> ord) -> opt T";
        max_by MaxBy "(fn(T, T) -> ord) -> opt T";
        min_by_key MinByKey "(fn(T) -> K) -> opt T";
        max_by_key MaxByKey "(fn(T) -> K) -> opt T";
        count CountItems "() -> usize";
        any Any "(fn(T) -> bool) -> bool";
        all All "(fn(T) -> bool) -> bool";
        position Position "(fn(T) -> bool) -> opt usize";
        find Find "(fn(T) -> bool) -> opt T";
        find_map FindMap "(fn(T) -> opt U) -> opt U";
        last Last "() -> opt T";
        nth Nth "(usize) -> opt T";
        fold Fold "(B, fn(B, T) -> B) -> B";
        reduce ReduceOption "(fn(T, T) -> T) -> opt T";
        partition Partition "(fn(T) -> bool) -> ([T], [T])";
        unzip Unzip "() -> R";
        collect Collect "() -> R";
    }
    Vector {
        to_vec ToSeq "() -> [T]";
    }
    Matrix {
        nrows Nrows "() -> usize";
        ncols Ncols "() -> usize";
        row Row "(usize) -> nd1 T";
        column Column "(usize) -> nd1 T";
        diag Diag "() -> nd1 T";
    }
    Nd {
        into_owned Same "() -> S";
        view Same "() -> S";
        dim Dim "() -> shape";
        raw_dim Dim "() -> shape";
        shape Shape "() -> [usize]";
        ndim Ndim "() -> usize";
        len Len "() -> usize";
        is_empty IsEmpty "() -> bool";
        len_of LenOf "(usize) -> usize";
        rows Rows "() -> iter nd1 T";
        columns Columns "() -> iter nd1 T";
        outer_iter OuterIter "() -> iter sub T";
        axis_iter AxisIter "(usize) -> iter sub T";
        index_axis IndexAxis "(usize, usize) -> sub T";
        t Transpose "() -> S";
        reversed_axes Transpose "() -> S";
        slice Slice "(slice) -> R";
        map Map "(fn(T) -> U) -> nd U";
        mapv Map "(fn(T) -> U) -> nd U";
        mapv_into Map "(fn(T) -> T) -> nd T";
        iter Iter "() -> iter T";
        into_iter Iter "() -> iter T";
        indexed_iter IndexedIter "() -> iter (shape, T)";
        sum Sum "() -> T";
        product Product "() -> T";
        mean Mean "() -> opt T";
        sum_axis SumAxis "(usize) -> sub T";
        mean_axis MeanAxis "(usize) -> opt sub T";
        map_axis MapAxis "(usize, fn(nd1 T) -> U) -> sub U";
        fold Fold "(B, fn(B, T) -> B) -> B";
        dot Dot "(D) -> R";
        fill FillWith "(T) -> ()";
        assign Assign "(nd T) -> ()";
        get Get "(shape) -> opt T";
        into_shape_with_order Reshape "(D) -> R";
        to_shape Reshape "(D) -> R";
    }
}
