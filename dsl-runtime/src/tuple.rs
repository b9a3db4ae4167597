//! The tuples that traits are implemented for: those of one to twelve members.

/// Hands them to a macro. A member is `A P 0`: the name of its type, the name of another type for it, and its index.
macro_rules! for_each_tuple {
    ($then:ident) => {
        $then! {
            A P 0;
            A P 0, B Q 1;
            A P 0, B Q 1, C R 2;
            A P 0, B Q 1, C R 2, D S 3;
            A P 0, B Q 1, C R 2, D S 3, E T 4;
            A P 0, B Q 1, C R 2, D S 3, E T 4, F U 5;
            A P 0, B Q 1, C R 2, D S 3, E T 4, F U 5, G V 6;
            A P 0, B Q 1, C R 2, D S 3, E T 4, F U 5, G V 6, H W 7;
            A P 0, B Q 1, C R 2, D S 3, E T 4, F U 5, G V 6, H W 7, I X 8;
            A P 0, B Q 1, C R 2, D S 3, E T 4, F U 5, G V 6, H W 7, I X 8, J Y 9;
            A P 0, B Q 1, C R 2, D S 3, E T 4, F U 5, G V 6, H W 7, I X 8, J Y 9, K Z 10;
            A P 0, B Q 1, C R 2, D S 3, E T 4, F U 5, G V 6, H W 7, I X 8, J Y 9, K Z 10, L AA 11;
        }
    };
}
pub(crate) use for_each_tuple;
